/** The task writer's chart bound to its simulator and, where its tasks are rehearsed, to the tools: one view of the wanted difficulty in, one validated task out. Knows nothing of curricula. */
import { createActor } from 'xstate';
import { asFault, faultFrom, TaskFault } from '../errors.ts';
import { taskMachine } from '../machines/task.ts';
import type { TaskOutput } from '../machines/task.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import { groupId } from '../protocol/ids.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';
import { seedOf } from '../random.ts';
import type { Seed } from '../random.ts';
import type { TaskView, TaskWriter } from '../simulation/contract.ts';
import { pose } from './ask.ts';
import type { Clock } from './clock.ts';
import { deadlineWheel } from './deadlines.ts';
import type { Asking, HealthCount } from './health.ts';
import type { GroupPorts } from './ports.ts';
import { observed, recorder } from './recorder.ts';
import { stageRehearsal, weigh, type RehearsalPlan } from './rehearsal.ts';
import { type Stage, turnMs } from './stage.ts';
import { toolActor } from './tool.ts';

export interface WriteJob {
  readonly view: TaskView;
  /** The run's seed. */
  readonly seed: Seed;
  /** Prompts it may cost, those after a failed rehearsal included. */
  readonly attempts: number;
  /** Milliseconds until a readable task, each time the writer is asked. */
  readonly deadlineMs: number;
  readonly version: PolicyVersion;
  /** How often this task was given up and drawn anew before: a fresh prompt has a key and a seed of its own. */
  readonly redraw?: number;
}

export interface WritePorts {
  readonly writer: TaskWriter;
  readonly chat?: GroupPorts['chat'];
  /** Counts how the writer answers, where a language model writes. */
  readonly health?: HealthCount;
  /** Absent: the task is not rehearsed. */
  readonly rehearsal?: RehearsalPlan;
  record(events: RecordedEvent[]): void;
  readonly clock: Clock;
}

interface Desk {
  readonly job: WriteJob;
  readonly ports: WritePorts;
  readonly signal: AbortSignal;
  /** When the writer must have answered. */
  dueAt: number;
  /** Of the present rehearsal. */
  stage: Stage | null;
}
const desks = new WeakMap<object, Desk>();

const askingOf = ({ view }: WriteJob): Asking => ({ role: 'task', seat: view.id });

const taskActor = observed(
  taskMachine.provide({
    actors: { tool: toolActor },
    actions: {
      stage: ({ context, system }) => {
        const desk = desks.get(system) as Desk;
        const { ports, signal } = desk;
        desk.stage = stageRehearsal(system, context.task as Task, ports.rehearsal as RehearsalPlan, ports, signal);
      },
      weigh: ({ context, self, system }) => {
        const { job, ports } = desks.get(system) as Desk;
        const message = weigh(context.task as Task, context.answers);
        if (message.type === 'task.refuted') ports.health?.retracted(askingOf(job), message.defect, context.complaints.length > 0);
        self.send(message);
      },
      countUnanswered: ({ context, event, system }) => {
        const { job, ports, stage } = desks.get(system) as Desk;
        if (event.type !== 'episode.faulted' || event.fault.kind !== 'SimulatorFault') return;
        if (stage !== null) ports.health?.mask(stage.episode, 'tool');
        ports.health?.retracted(askingOf(job), 'unsolvable', context.complaints.length > 0);
      },
      pose: ({ context, self, system }) => {
        const desk = desks.get(system) as Desk;
        const { job, ports, signal } = desk;
        const { chat } = ports;
        // Whoever writes again after a rehearsal has the whole time again.
        if (desk.stage !== null) desk.dueAt = ports.clock.now() + job.deadlineMs;
        desk.stage = null;
        const { dueAt } = desk;
        const call = {
          scope: job.view.id,
          actor: 'task',
          turn: job.redraw ?? 0,
          sample: context.complaints.length,
          version: job.version,
        };
        pose(
          {
            simulator: ports.writer,
            view: job.view,
            ask: context.ask,
            complaints: context.complaints,
            attempts: context.attempts,
            call,
            asker: { actor: `${job.view.id}/task` },
            seed: seedOf(job.seed, call.scope, call.actor, call.turn, call.sample),
            group: groupId(job.view.id),
            priority: 0,
            deadlineMs: Math.max(1, dueAt - ports.clock.now()),
            clock: ports.clock,
            ...(ports.health === undefined ? {} : { counted: { health: ports.health, asking: askingOf(job) } }),
            chat: chat === undefined ? undefined : (request) => chat(request, signal),
          },
          (message) => {
            if (self.getSnapshot().status === 'active') self.send(message);
          },
        );
      },
    },
  }),
);

/** Writes one task. Rejects with TaskFault, or the engine's fault, when no readable task that can be solved came in time or in `attempts` prompts. */
export async function writeTask(job: WriteJob, ports: WritePorts, signal: AbortSignal): Promise<Task> {
  const { task, fault } = await tryTask(job, ports, signal);
  if (task === null) throw faultFrom(fault);
  return task;
}

/** The same for callers who know what to do without one. Rejects only where the actor itself is broken. */
export function tryTask(job: WriteJob, ports: WritePorts, signal: AbortSignal): Promise<TaskOutput> {
  return new Promise((resolve, reject) => {
    const { clock, rehearsal, health } = ports;
    const wheel = deadlineWheel(clock);
    const record = recorder((events) => {
      ports.record(events);
    }, wheel);
    const actor = createActor(taskActor, { input: { attempts: job.attempts, rehearse: rehearsal !== undefined } });
    const over = new AbortController();
    const desk: Desk = {
      job,
      ports,
      signal: AbortSignal.any([signal, over.signal]),
      dueAt: clock.now() + job.deadlineMs,
      stage: null,
    };
    desks.set(actor.system, desk);
    const close = (): void => {
      if (desk.stage !== null) desk.stage.ended = true;
      over.abort();
      record.flush();
      wheel.close();
    };
    actor.subscribe({
      complete: () => {
        const output = actor.getSnapshot().output as TaskOutput;
        if (output.task === null) health?.mask(job.view.id, 'task');
        // Its tools are stopped after it, and that too is recorded.
        queueMicrotask(() => {
          close();
          resolve(output);
        });
      },
      error: (error) => {
        close();
        reject(asFault(TaskFault, `task ${job.view.id}`, error));
      },
    });
    record.watch(actor, job.view.id, (deadline) => {
      if (deadline === 'rehearsal') return { ms: rehearsal?.deadlineMs ?? 0, rank: 0 };
      // While a task is rehearsed, whoever waits for a turn is its tool.
      return { ms: desk.stage === null ? desk.dueAt - clock.now() : turnMs(desk.stage), rank: 1 };
    });
    actor.start();
  });
}
