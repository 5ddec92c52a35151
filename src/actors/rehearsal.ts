/** Rehearses a written task: its expected calls are made on its own world by the tools that will play it, and code weighs every answer. Knows what each answer must show; not how tasks are written. */
import { CancelledFault, EngineFault } from '../errors.ts';
import { episodeId } from '../protocol/ids.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { TaskMessage } from '../protocol/messages.ts';
import type { Task } from '../protocol/task.ts';
import type { ToolTurn } from '../protocol/turn.ts';
import type { Simulators } from '../simulation/contract.ts';
import { flawOfAnswer, rehearsedTask } from '../simulation/lm/rehearsal.ts';
import type { Clock } from './clock.ts';
import type { HealthCount } from './health.ts';
import type { GroupJob, GroupPorts } from './ports.ts';
import { groupStage, setStage, type Stage } from './stage.ts';

export interface RehearsalPlan {
  readonly simulators: Simulators;
  /** The task as its group will play it. */
  job(task: Task): GroupJob;
  /** Milliseconds all its calls may take. */
  readonly deadlineMs: number;
}

export interface RehearsalPorts {
  readonly chat?: GroupPorts['chat'];
  readonly health?: HealthCount;
  readonly clock: Clock;
  record(events: RecordedEvent[]): void;
}

/** Times a busy tool is asked again. */
const patience = 3;

/** Sets the stage on which the actors of `system` find the tools of this task; nobody plays the policy. `signal` ends what is being asked. */
export function stageRehearsal(system: object, task: Task, plan: RehearsalPlan, ports: RehearsalPorts, signal: AbortSignal): Stage {
  const { simulators, deadlineMs } = plan;
  const { chat, health, clock } = ports;
  const job = plan.job(task);
  const absent = new EngineFault('a rehearsal has no policy', { trouble: 'refused' });
  const stagePorts: GroupPorts = {
    simulators,
    clock,
    record: (events) => ports.record(events),
    ...(chat === undefined ? {} : { chat }),
    generate: () => Promise.reject(absent),
    get renderer(): never {
      throw absent;
    },
  };
  const group = { ...groupStage(job, stagePorts), health, running: 1 };
  signal.addEventListener('abort', () => group.abort.abort(new CancelledFault('the task is not wanted any more')), { once: true });
  const stage: Stage = {
    group,
    episode: episodeId(job.group, 0),
    actors: job.group,
    member: 0,
    refill: 0,
    dueAt: clock.now() + deadlineMs,
    askDueAt: new Map(),
    abort: group.abort,
    ended: false,
  };
  setStage(system, stage);
  return stage;
}

/** What follows from the answers so far, busy ones included: the next call, the same again, proof, or words for the writer. */
export function weigh(
  task: Task,
  answers: readonly ToolTurn[],
): Exclude<TaskMessage, { type: `ask.${string}` | `episode.${string}` | 'deadline.expired' }> {
  const settled = answers.filter(({ status }) => status !== 'transient');
  if (answers.at(-1)?.status === 'transient') {
    const busy = answers.length - 1 - answers.findLastIndex(({ status }) => status !== 'transient');
    if (busy <= patience) return { type: 'task.goOn' };
    return { type: 'task.refuted', defect: 'unsolvable', complaint: `call ${settled.length + 1} is answered busy ${busy} times` };
  }
  const flaw = flawOfAnswer(task, settled);
  if (flaw !== undefined) return { type: 'task.refuted', ...flaw };
  if (settled.length < task.expectedCalls.length) return { type: 'task.goOn' };
  const proof = rehearsedTask(task, settled, answers.length - settled.length);
  return proof.ok
    ? { type: 'task.proven', task: proof.answer }
    : { type: 'task.refuted', complaint: proof.complaint, defect: proof.defect ?? 'unsolvable' };
}
