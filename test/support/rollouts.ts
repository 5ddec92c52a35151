/** Rollout groups for tests of learning: made of outcomes and tokens, without an environment. */
import type { Episode } from '../../src/protocol/episode.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import { episodeId, groupId, type PolicyVersion, stepId, taskId } from '../../src/protocol/ids.ts';
import type { Outcome, Reward } from '../../src/protocol/outcome.ts';
import type { Task } from '../../src/protocol/task.ts';
import { appendPrompt, appendSampled, type TokenTrace } from '../../src/protocol/trace.ts';
import { rewardOf } from '../../src/learning/reward.ts';

export const verdict = (reward: Reward): Outcome => ({ kind: 'scored', verdict: { reward, gates: [], criteria: [] } });
export const simulatorFault: Outcome = { kind: 'simulatorFault', role: 'tool', fault: { kind: 'SimulatorFault', message: 'unreadable' } };
export const judgeFault: Outcome = { kind: 'judgeFault', fault: { kind: 'JudgeFault', message: 'unreadable' } };
export const infraFault: Outcome = { kind: 'infraFault', fault: { kind: 'EngineFault', message: 'gone' } };
export const cut: Outcome = { kind: 'truncated', by: 'budget', reason: 'deadline' };

/** One stretch of a trace: ids read, or ids sampled with their log-probs. */
export type Stretch =
  | { readonly read: readonly number[] }
  | { readonly said: readonly number[]; readonly logprobs?: readonly number[]; readonly stopped?: boolean };

function traceOf(stretches: readonly Stretch[], version = 0): TokenTrace {
  let trace: TokenTrace = new Int32Array(0);
  for (const stretch of stretches) {
    if ('read' in stretch) trace = appendPrompt(trace, Int32Array.from(stretch.read), version);
    else
      trace = appendSampled(
        trace,
        Int32Array.from(stretch.said),
        Float32Array.from(stretch.logprobs ?? stretch.said.map(() => -1)),
        stretch.stopped ?? true,
        version,
      );
  }
  return trace;
}

export interface Member {
  readonly outcome: Outcome;
  readonly traces?: readonly (readonly Stretch[])[];
}

export interface GroupScript {
  readonly step?: number;
  readonly task?: number;
  readonly version?: number;
  readonly missing?: RolloutGroup['missing'];
  readonly status?: RolloutGroup['status'];
}

/** By default each member read [1, 2, 3] and said [4 + member, 9]. */
export function rolloutGroup(
  members: readonly Member[],
  { step = 1, task = 0, version = 0, missing = [], status = 'sealed' }: GroupScript = {},
): RolloutGroup {
  const id = taskId(stepId(step), task);
  const group = groupId(id);
  const episodes = members.map(({ outcome, traces }, member): Episode => ({
    id: episodeId(group, member),
    group,
    task: id,
    member,
    attempt: 1,
    turns: [],
    traces: (traces ?? [[{ read: [1, 2, 3] }, { said: [4 + member, 9] }]]).map(
      (stretches) => traceOf(stretches, version) as Int32Array<ArrayBuffer>,
    ),
    outcome,
    reward: rewardOf(outcome),
    policy: { start: version as PolicyVersion, end: version as PolicyVersion },
    seed: member,
  }));
  return { id: group, step: stepId(step), task: { id } as Task, episodes, missing, status, sealedBy: 'complete' };
}

export const outcomes = (...list: readonly Outcome[]): Member[] => list.map((outcome) => ({ outcome }));
