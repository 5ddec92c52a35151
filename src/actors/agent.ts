/** The agent's chart bound to the renderer and the engine: prompt in ids, reply in ids and as a turn. What was sampled is never rendered again (rule L1). */
import { asFault, boundary, EngineFault } from '../errors.ts';
import { agentMachine } from '../machines/agent.ts';
import type { AgentContext } from '../machines/agent.ts';
import type { TokenReply, TokenRequest } from '../protocol/inference.ts';
import type { MessageOf } from '../protocol/messages.ts';
import { traceIds } from '../protocol/trace.ts';
import { seedOf } from '../random.ts';
import { callKey } from './keys.ts';
import type { CallOf } from './keys.ts';
import { saidAgain } from './past.ts';
import { callOf, deliver, seedOfCall, stageOf, turnMs } from './stage.ts';
import type { Stage } from './stage.ts';
import { observed } from './recorder.ts';

export const agentActor = observed(
  agentMachine.provide({
    actions: {
      sample: ({ context, self, system }) => {
        const stage = stageOf(system);
        const again = saidAgain(stage.group.job, context.call);
        if (again !== undefined) return deliver(stage, self, again);
        void boundary(EngineFault, 'policy turn', () => sample(stage, context)).then(
          (message) => deliver(stage, self, message),
          (error: unknown) => {
            deliver(stage, self, {
              type: 'agent.fault',
              call: context.call,
              fault: asFault(EngineFault, 'policy turn', error).toData(),
            });
          },
        );
      },
    },
  }),
);

const nothing = new Int32Array(0);

async function sample(stage: Stage, context: AgentContext): Promise<MessageOf<'agent.sampled' | 'agent.overflow'>> {
  const { job, ports } = stage.group;
  const { prompt, restarts } = promptOf(stage, context);
  const ids = concat(restarts ? nothing : traceIds(context.traces.at(-1) ?? nothing), prompt);
  const room = job.sampling.contextLength - ids.length;
  if (room < 1) return { type: 'agent.overflow', call: context.call, length: ids.length };
  const call = policyCall(stage, context.call);
  const reply = await ports.generate(requestOf(stage, call, ids, room), stage.abort.signal);
  const said = read(reply, job.version);
  return {
    type: 'agent.sampled',
    call: context.call,
    prompt,
    ...(restarts ? { restart: true } : {}),
    ids: said.ids,
    logprobs: said.logprobs,
    stopped: said.finish === 'stop',
    version: reply.version,
    turn: ports.renderer.parse(said.ids, job.task),
  };
}

/**
 * Where language models play, a refilled member's policy keeps its draws; only the simulators have fresh ones. A question is the more likely to be lost the more of them an episode
 * asks, and the judge is asked about those that got far: drawn anew, the good ones would be replaced by usual ones, and the mean would fall (bench/repair.mjs). What code plays
 * would fail in the same place again.
 */
function policyCall(stage: Stage, turn: number): CallOf {
  const call = callOf(stage, 'agent', turn);
  return stage.group.job.simulation === undefined ? call : { ...call, sample: 0 };
}

/** The first prompt is the group's, equal for all members; a later one is what happened since, or, where the template does not append, the whole again. */
function promptOf({ group }: Stage, context: AgentContext): { readonly prompt: Int32Array; readonly restarts: boolean } {
  const { job, ports } = group;
  if (context.traces.length === 0) return { prompt: (group.opening ??= ports.renderer.open(job.task)), restarts: false };
  const since = ports.renderer.extend(context.unread, context.stopped);
  if (since !== null) return { prompt: since, restarts: false };
  // The first turn heard is the task's query, which every opening begins with.
  const [, ...turns] = [...context.history, ...context.unread];
  return { prompt: ports.renderer.reopen(job.task, turns), restarts: true };
}

function requestOf(stage: Stage, call: CallOf, ids: TokenRequest['ids'], room: number): TokenRequest {
  const { job, ports, running } = stage.group;
  return {
    id: callKey(call, ids),
    role: 'policy',
    version: job.version,
    ids,
    n: 1,
    // Members that ask the same first question have seeds that follow each other, so that the broker can ask once with n.
    seed:
      call.turn === 1
        ? Math.floor(seedOf(job.seed, job.group, call.actor, call.turn, call.sample) / 2) + stage.member
        : seedOfCall(stage, call),
    stop: [...ports.renderer.stop],
    maxTokens: Math.min(job.sampling.maxTokens, room),
    temperature: job.sampling.temperature,
    priority: running,
    group: job.group,
    deadlineMs: turnMs(stage),
  };
}

function read(reply: TokenReply, version: number): TokenReply['samples'][number] {
  if (reply.version !== version) throw new EngineFault(`version ${reply.version} answered where ${version} was asked`);
  const [sampled] = reply.samples;
  if (sampled === undefined) throw new EngineFault('a reply without a sample');
  if (sampled.ids.length !== sampled.logprobs.length)
    throw new EngineFault(`${sampled.ids.length} ids with ${sampled.logprobs.length} log-probs`);
  return sampled;
}

function concat(head: Int32Array, tail: Int32Array): TokenRequest['ids'] {
  const ids = new Int32Array(head.length + tail.length);
  ids.set(head);
  ids.set(tail, head.length);
  return ids;
}
