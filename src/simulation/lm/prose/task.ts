/** Being written. */
import type { Script, TaskBrief, TaskDraft } from '../dialect.ts';

export const taskScript: Script<TaskBrief, TaskDraft> = {
  role: 'task',
  version: 1,
  prompt: () => [],
  schema: () => undefined,
  read: () => ({ ok: false, complaint: 'not written yet' }),
  write: () => '',
};
