/**
 * The canary: after each publication sampler and trainer must give the same tokens the same log-probs, or what is sampled is not what is trained.
 * Knows one prompt and one bound; not how weights travel.
 */
import { TrainerFault } from '../errors.ts';
import { sampledTokens } from '../learning/batch.ts';
import type { CallId, GroupId, PolicyVersion } from '../protocol/ids.ts';
import type { TokenReply, TokenRequest } from '../protocol/inference.ts';
import type { Trainer } from './trainer.ts';

export interface Canary {
  readonly prompt: TokenRequest['ids'];
  readonly stop: readonly number[];
  /** Largest |Δ log-prob| between sampler and trainer on one token. */
  readonly bound: number;
}

export type Sample = (request: TokenRequest, signal: AbortSignal) => Promise<TokenReply>;

/** Rejects with TrainerFault when they disagree by more than the bound, or another version answers. */
export async function verifyCanary(
  canary: Canary,
  trainer: Trainer,
  sample: Sample,
  version: PolicyVersion,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<void> {
  const request: TokenRequest = {
    id: `canary-${version}` as CallId,
    role: 'policy',
    version,
    ids: canary.prompt,
    n: 1,
    seed: version,
    stop: [...canary.stop],
    maxTokens: 16,
    temperature: 1,
    priority: 0,
    group: 'canary' as GroupId,
    deadlineMs,
  };
  const reply = await sample(request, signal);
  const said = reply.samples[0];
  if (reply.version !== version || said === undefined) throw new TrainerFault(`canary: version ${reply.version} answered for ${version}`);
  const ids = Int32Array.from([...canary.prompt, ...said.ids]);
  const sampled = Uint8Array.from(ids, (_, i) => (i < canary.prompt.length ? 0 : 1));
  const logprobs = new Float32Array(ids.length);
  const samples = [{ group: request.group, ids, sampled, logprobs, advantage: 0 }];
  const trained = await trainer.logprobs({ samples, denominator: sampledTokens(samples) });
  const gap = trained.reduce((most, logprob, i) => Math.max(most, Math.abs(logprob - (said.logprobs[i] as number))), 0);
  if (!(gap <= canary.bound))
    throw new TrainerFault(
      `canary: sampler and trainer disagree by ${gap} on a log-prob of version ${version}; the bound is ${canary.bound}`,
    );
}
