/** What the actors of one episode share of the world outside their charts: the job, the ports, the time that is left. Charts are bound once per process and find their stage by their system. */
import type { AnyActorRef, EventObject } from 'xstate';
import type { EpisodeId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest } from '../protocol/inference.ts';
import type { AskMessage, MessageOf } from '../protocol/messages.ts';
import type { SimulatorRole } from '../protocol/outcome.ts';
import { seedOf } from '../random.ts';
import type { Seed } from '../random.ts';
import type { Simulator, ToolAnswer, UserAnswer } from '../simulation/contract.ts';
import type { AskContext } from '../machines/ask.ts';
import type { Question } from './ask.ts';
import { HealthCount } from './health.ts';
import type { CallOf } from './keys.ts';
import type { GroupJob, GroupPorts } from './ports.ts';

/** What the members of a group share. */
export interface GroupStage {
  readonly job: GroupJob;
  readonly ports: GroupPorts;
  /** The first prompt, equal for all members; rendered once. */
  opening: Int32Array | null;
  /** Equal calls on equal state answer equally: (call, state) → the first right answer of a language model. Code answers equally by itself. */
  readonly answers: Map<string, ToolAnswer>;
  /** The same of users: conversation → what it says next. */
  readonly replies: Map<string, UserAnswer>;
  /** Prompts in flight, so that two members who ask the same share one reply. */
  readonly asking: Map<string, Promise<ChatReply>>;
  /** How the roles of this group answer; absent where code plays them all. */
  readonly health: HealthCount | undefined;
  /** Aborted when the group ends. */
  readonly abort: AbortController;
  /** Members still at work: the fewer, the sooner their calls should be answered. */
  running: number;
}

/** A group whose play begins. */
export const groupStage = (job: GroupJob, ports: GroupPorts): GroupStage => ({
  job,
  ports,
  opening: null,
  answers: new Map(),
  replies: new Map(),
  asking: new Map(),
  health: job.simulation === undefined ? undefined : new HealthCount(job.simulation.roles),
  abort: new AbortController(),
  running: 0,
});

export interface Stage {
  readonly group: GroupStage;
  readonly episode: EpisodeId;
  readonly member: number;
  /** What the record calls its actors by, where that is not the episode. */
  readonly actors?: string;
  /** 0, or 1 where a simulator's failure gave this member a fresh seed. */
  readonly refill: number;
  /** By the clock of the ports; never after the group's. */
  readonly dueAt: number;
  /** Role → when its present question must be answered. */
  readonly askDueAt: Map<SimulatorRole, number>;
  readonly abort: AbortController;
  ended: boolean;
}

const stages = new WeakMap<object, Stage>();

export function setStage(system: object, stage: Stage): void {
  stages.set(system, stage);
}

export function stageOf(system: object): Stage {
  const stage = stages.get(system);
  if (stage === undefined) throw new Error('this actor has no stage');
  return stage;
}

/** Milliseconds one turn may take from now: its own deadline, cut by the episode's. Never 0, since a request must have a deadline. */
export function turnMs({ group, dueAt }: Stage): number {
  return Math.max(1, Math.min(group.job.deadlines.turnMs, dueAt - group.ports.clock.now()));
}

/** A reply to whoever waits for it; when the episode is over it is counted and dropped. */
export function deliver(
  stage: Stage,
  to: AnyActorRef,
  event: EventObject & (AskMessage<unknown> | MessageOf<'agent.sampled' | 'agent.fault' | 'agent.overflow'>),
): void {
  if (stage.ended) stage.group.ports.late?.();
  else to.send(event);
}

/** The `sample` of a call: fresh after each unreadable attempt and in a refilled member. */
export const sampleOf = ({ group, refill }: Stage, attempt: number): number => refill * group.job.askAttempts + attempt;

export const callOf = (stage: Stage, actor: string, turn: number, attempt = 0): CallOf => ({
  scope: stage.episode,
  actor,
  turn,
  sample: sampleOf(stage, attempt),
  version: stage.group.job.version,
});

export const seedOfCall = (stage: Stage, call: CallOf): Seed =>
  seedOf(stage.group.job.seed, call.scope, call.actor, call.turn, call.sample);

/** The model behind simulators, cancelled with `abort`; absent where the engine has none. */
export function chatOf({ group, abort }: Pick<Stage, 'group' | 'abort'>): ((request: ChatRequest) => Promise<ChatReply>) | undefined {
  const { ports } = group;
  return ports.chat === undefined ? undefined : (request) => (ports.chat as NonNullable<GroupPorts['chat']>)(request, abort.signal);
}

/** What every question of this episode has in common: which attempt it is, what time is left to it and its repairs, who counts the answers. `tool`: which, for the role of that name. */
export function askingOf(
  stage: Stage,
  role: SimulatorRole,
  { ask, complaints, attempts }: AskContext,
  tool?: string,
): Pick<
  Question<unknown, unknown>,
  'ask' | 'complaints' | 'attempts' | 'asker' | 'group' | 'priority' | 'deadlineMs' | 'clock' | 'counted'
> {
  const { job, ports, running, health } = stage.group;
  const now = ports.clock.now();
  if (complaints.length === 0) stage.askDueAt.set(role, now + turnMs(stage));
  const asking = { role, seat: stage.episode, ...(tool === undefined ? {} : { tool }) };
  return {
    ask,
    complaints,
    attempts,
    asker: { actor: `${stage.actors ?? stage.episode}/${role}` },
    group: job.group,
    priority: running,
    deadlineMs: Math.max(1, (stage.askDueAt.get(role) ?? now) - now),
    clock: ports.clock,
    ...(health === undefined ? {} : { counted: { health, asking } }),
  };
}

/** What the episode's own actors ask, in their own name: the user, the judge. The tools ask in the group's name. */
export function questionOf<View, Answer>(
  stage: Stage,
  simulator: Simulator<View, Answer>,
  view: View,
  context: AskContext,
): Question<View, Answer> {
  const call = callOf(stage, simulator.role, context.ask, context.complaints.length);
  return {
    simulator,
    view,
    ...askingOf(stage, simulator.role, context),
    call,
    seed: seedOfCall(stage, call),
    chat: chatOf(stage),
  };
}
