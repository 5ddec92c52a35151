/** Hosts one episode: opens its actors on a stage, and turns their end into an Episode, or into the reason why there is none. Knows nothing of other members. */
import { createActor } from 'xstate';
import type { ActorRefFrom } from 'xstate';
import { asFault, CancelledFault, ThreadFault } from '../errors.ts';
import { rewardOf } from '../learning/reward.ts';
import { episodeMachine } from '../machines/episode.ts';
import type { EpisodeOutput } from '../machines/episode.ts';
import { wellFormed } from '../protocol/codec.ts';
import type { Episode } from '../protocol/episode.ts';
import type { Fault } from '../protocol/fault.ts';
import { episodeId } from '../protocol/ids.ts';
import type { MemberEnd } from '../protocol/messages.ts';
import type { Outcome } from '../protocol/outcome.ts';
import type { Turn } from '../protocol/turn.ts';
import { seedOf } from '../random.ts';
import { auditCounts, auditOf, type EpisodeAudit, worstRole } from '../simulation/lm/audit.ts';
import { agentActor } from './agent.ts';
import { judgeActor } from './judge.ts';
import { observed } from './recorder.ts';
import type { Recorder } from './recorder.ts';
import { setStage, turnMs } from './stage.ts';
import type { GroupStage, Stage } from './stage.ts';
import { toolActor } from './tool.ts';
import { userActor } from './user.ts';

const episodeActor = observed(
  episodeMachine.provide({ actors: { agent: agentActor, user: userActor, tool: toolActor, judge: judgeActor } }),
);

const over = new CancelledFault('the episode is over');

export interface EpisodePlan {
  readonly member: number;
  readonly attempt: number;
  readonly refill: number;
  /** When the group is cut, by the clock of the ports. */
  readonly groupDueAt: number;
}

/** An episode, or the reason why there is none. */
export type EpisodeEnd =
  | { readonly end: MemberEnd; readonly episode: Episode; readonly fault: null }
  | { readonly end: 'crashed' | 'cut'; readonly episode: null; readonly fault: Fault };

export interface OpenEpisode {
  /** Ends it at once, as truncated by budget. */
  cancel(reason: string): void;
}

/** Starts the episode; `onEnd` is called exactly once, possibly before this returns. */
export function openEpisode(group: GroupStage, plan: EpisodePlan, recorder: Recorder, onEnd: (end: EpisodeEnd) => void): OpenEpisode {
  const { job, ports } = group;
  const id = episodeId(job.group, plan.member);
  const stage: Stage = {
    group,
    episode: id,
    member: plan.member,
    refill: plan.refill,
    dueAt: Math.min(ports.clock.now() + job.deadlines.episodeMs, plan.groupDueAt),
    askDueAt: new Map(),
    abort: new AbortController(),
    ended: false,
  };
  const actor = createActor(episodeActor, {
    input: {
      id,
      member: plan.member,
      attempt: plan.attempt,
      query: job.task.query,
      maxTurns: job.task.maxTurns,
      world: job.task.world,
      askAttempts: job.askAttempts,
    },
  });
  recorder.watch(actor, id, (deadline) =>
    deadline === 'turn' ? { ms: turnMs(stage), rank: 2 } : { ms: stage.dueAt - ports.clock.now(), rank: 1 },
  );
  setStage(actor.system, stage);
  const close = (end: EpisodeEnd): void => {
    if (stage.ended) return;
    stage.ended = true;
    // Whatever is still being computed for this episode is not wanted any more. One reason for all: making a fresh DOMException per episode is slow.
    stage.abort.abort(over);
    onEnd(end);
  };
  actor.subscribe({
    complete: () => {
      const episode = episodeOf(actor, stage, plan);
      close({ end: endOf(episode), episode, fault: null });
    },
    error: (error) => {
      close({ end: 'crashed', episode: null, fault: asFault(ThreadFault, `episode ${id}`, error).toData() });
    },
  });
  actor.start();
  return {
    cancel: (reason) => {
      if (!stage.ended) actor.send({ type: 'episode.cancel', reason });
    },
  };
}

function episodeOf(actor: ActorRefFrom<typeof episodeActor>, stage: Stage, plan: EpisodePlan): Episode {
  const { job } = stage.group;
  const snapshot = actor.getSnapshot();
  const { outcome: played, turns } = snapshot.output as EpisodeOutput;
  const outcome = audited(stage, played, turns);
  const agent = snapshot.children.agent?.getSnapshot().context;
  return {
    id: stage.episode,
    group: job.group,
    task: job.task.id,
    member: stage.member,
    attempt: plan.attempt,
    turns: [...turns],
    traces: [...(agent?.traces ?? [])] as Episode['traces'],
    outcome,
    reward: rewardOf(outcome),
    policy: agent?.versions ?? null,
    seed: seedOf(job.seed, stage.episode, stage.refill),
  };
}

/**
 * Where language models play, an episode has a reward only if its simulation was faithful, one that ran out of turns too; every answer had passed its own check, so this is about what
 * they add up to.
 */
function audited({ group: { job, health } }: Stage, outcome: Outcome, turns: readonly Turn[]): Outcome {
  const isCut = outcome.kind === 'truncated' && outcome.by === 'policy';
  if (job.simulation === undefined || (outcome.kind !== 'scored' && !isCut)) return outcome;
  const audit = auditOf({ task: job.task, turns }, isCut ? 'bounds' : 'user');
  const isRefused = audit.fidelity < job.simulation.fidelity || paysForTheUser(outcome, audit);
  health?.audited(auditCounts(audit, isRefused));
  if (!isRefused) return outcome;
  const message = wellFormed(`unfaithful: ${audit.findings.map(({ detail }) => detail).join('; ')}`.slice(0, 2000));
  return { kind: 'simulatorFault', role: worstRole(audit.findings), fault: { kind: 'SimulatorFault', message } };
}

/** A user that stays costs turns, and turns may cost the reward. */
const paysForTheUser = (outcome: Outcome, { findings }: EpisodeAudit): boolean =>
  outcome.kind === 'scored' &&
  findings.some(({ kind }) => kind === 'overstay') &&
  outcome.verdict.criteria.some(({ name, required, met }) => name === 'efficient' && required && !met);

/** Only numbers are scored; the rest by what may be done about it. */
function endOf({ outcome, reward }: Episode): MemberEnd {
  if (reward !== null) return 'scored';
  switch (outcome.kind) {
    case 'infraFault':
      return 'infrastructure';
    case 'simulatorFault':
    case 'judgeFault':
      return 'simulator';
    case 'truncated':
    case 'scored':
    case 'policyFault':
      return 'cut';
    default:
      return outcome satisfies never;
  }
}
