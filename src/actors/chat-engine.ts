/** The engine of a config, opened for chat alone: a model that answers questions and plays nothing, trains nothing, records nothing. */
import type { Config } from '../config.ts';
import { ConfigFault, EngineFault } from '../errors.ts';
import { createBroker } from '../gpu/broker.ts';
import { rendererFor } from '../gpu/tokens/spec.ts';
import type { ChatReply, ChatRequest } from '../protocol/inference.ts';
import { acceleratorFor, baseFor, firstWeights } from './accelerator.ts';
import { systemClock } from './clock.ts';
import { lossOf } from './loss.ts';
import type { Openings } from './openings.ts';
import { playable, policySpecOf } from './stand-in.ts';

export interface ChatEngineOptions {
  /** Where a started server's output goes. */
  readonly logs: string;
  /** Closes what is opened here. */
  readonly opened: Openings;
  readonly signal: AbortSignal;
  note(text: string): void;
}

/** Resolves with a way to ask once the engine answers. Rejects with ConfigFault where it cannot chat, with EngineFault where nobody answers. */
export async function openChat(
  config: Config,
  { logs, opened, signal, note }: ChatEngineOptions,
): Promise<(request: ChatRequest) => Promise<ChatReply>> {
  const { kind } = config.engine;
  if (kind !== 'vllm' && kind !== 'fake') throw new ConfigFault(`engine.kind ${kind} cannot chat; use vllm (or fake, which has no model)`);
  // A run of no steps has no trainer.
  const { config: silent } = playable({ ...config, steps: 0 });
  const base = baseFor(silent);
  const weights = firstWeights(silent, base);
  const { fail, orLost } = lossOf();
  const renderer = rendererFor(policySpecOf(silent));
  const { engines, ready } = await acceleratorFor(silent, base, weights, renderer, {
    run: 'chat',
    logs,
    opened,
    note,
    returned: (server) => broker.returned(server),
    fail,
  });
  const broker = opened.add(
    createBroker({
      engines,
      clock: systemClock,
      seed: config.seed,
      version: weights.version,
      pollMs: config.engine.vllm.pollMs,
      recoveryMs: config.engine.vllm.startMs,
      stallMs: config.rollout.deadlines.turnMs,
      record: () => undefined,
    }),
    (each) => each.close(),
  );
  await orLost(ready());
  return (request) => {
    const reply = broker.chat?.(request, signal);
    return reply === undefined ? Promise.reject(new EngineFault('the engine cannot chat')) : orLost(reply);
  };
}
