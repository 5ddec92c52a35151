/** Tasks that are never issued again: they killed their host, or no host could run them. Kept in the record with the way to reproduce them, so a resumed run knows them too. */
import type { Fault } from '../protocol/fault.ts';
import type { FrameOf } from '../protocol/frame.ts';
import type { TaskId } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';

export interface Quarantine {
  has(task: TaskId): boolean;
  /** Adds the task; the frame is for the journal. */
  condemn(task: Task, faults: readonly Fault[], command: string): FrameOf<'task.quarantined'>;
  readonly tasks: ReadonlySet<TaskId>;
}

/** `known`: what earlier processes of this run condemned. */
export function createQuarantine(known: Iterable<TaskId> = []): Quarantine {
  const tasks = new Set(known);
  return {
    has: (task) => tasks.has(task),
    condemn: (task, faults, command) => {
      tasks.add(task.id);
      return { kind: 'task.quarantined', task, faults: [...faults], command };
    },
    tasks,
  };
}
