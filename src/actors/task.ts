/** The task writer's chart bound to its simulator: one view of the wanted difficulty in, one validated task out. Knows nothing of curricula. */
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
import type { HealthCount } from './health.ts';
import type { GroupPorts } from './ports.ts';
import { observed, recorder } from './recorder.ts';

export interface WriteJob {
  readonly view: TaskView;
  /** The run's seed. */
  readonly seed: Seed;
  readonly attempts: number;
  readonly deadlineMs: number;
  readonly version: PolicyVersion;
}

export interface WritePorts {
  readonly writer: TaskWriter;
  readonly chat?: GroupPorts['chat'];
  /** Counts how the writer answers, where a language model writes. */
  readonly health?: HealthCount;
  record(events: RecordedEvent[]): void;
  readonly clock: Clock;
}

interface Desk {
  readonly job: WriteJob;
  readonly ports: WritePorts;
  readonly signal: AbortSignal;
  readonly dueAt: number;
}
const desks = new WeakMap<object, Desk>();

const taskActor = observed(
  taskMachine.provide({
    actions: {
      pose: ({ context, self, system }) => {
        const { job, ports, signal, dueAt } = desks.get(system) as Desk;
        const { chat } = ports;
        const call = { scope: job.view.id, actor: 'task', turn: 0, sample: context.complaints.length, version: job.version };
        pose(
          {
            simulator: ports.writer,
            view: job.view,
            ask: context.ask,
            complaints: context.complaints,
            attempts: context.attempts,
            call,
            seed: seedOf(job.seed, call.scope, call.actor, call.turn, call.sample),
            group: groupId(job.view.id),
            priority: 0,
            deadlineMs: Math.max(1, dueAt - ports.clock.now()),
            clock: ports.clock,
            ...(ports.health === undefined ? {} : { counted: { health: ports.health, asking: { role: 'task', seat: job.view.id } } }),
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

/** Writes one task. Rejects with TaskFault, or the engine's fault, when no readable task came in time or in `attempts` prompts. */
export function writeTask(job: WriteJob, ports: WritePorts, signal: AbortSignal): Promise<Task> {
  return new Promise((resolve, reject) => {
    const wheel = deadlineWheel(ports.clock);
    const record = recorder((events) => {
      ports.record(events);
    }, wheel);
    const dueAt = ports.clock.now() + job.deadlineMs;
    const actor = createActor(taskActor, {
      input: { attempts: job.attempts },
    });
    desks.set(actor.system, { job, ports, signal, dueAt });
    const close = (): void => {
      record.flush();
      wheel.close();
    };
    actor.subscribe({
      complete: () => {
        const { task, fault } = actor.getSnapshot().output as TaskOutput;
        close();
        if (task !== null) return resolve(task);
        ports.health?.mask(job.view.id);
        reject(faultFrom(fault));
      },
      error: (error) => {
        close();
        reject(asFault(TaskFault, `task ${job.view.id}`, error));
      },
    });
    record.watch(actor, job.view.id, () => ({ ms: dueAt - ports.clock.now(), rank: 0 }));
    actor.start();
  });
}
