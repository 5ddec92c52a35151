/** Being written. */
import type { TaskWriter } from '../contract.ts';
import type { Script, TaskBrief, TaskDraft } from './dialect.ts';
import type { LmSettings } from './settings.ts';

export const lmTaskWriter = (_script: Script<TaskBrief, TaskDraft>, _settings: LmSettings): TaskWriter => ({
  role: 'task',
  pose: () => {
    throw new TypeError('not written yet');
  },
  read: () => ({ ok: false, complaint: 'not written yet' }),
});
