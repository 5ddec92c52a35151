/** Being written. */
import type { ToolSimulator, ToolView } from '../contract.ts';
import type { Script, ToolDraft } from './dialect.ts';
import type { LmSettings } from './settings.ts';

export const lmTool = (_script: Script<ToolView, ToolDraft>, _settings: LmSettings): ToolSimulator => ({
  role: 'tool',
  pose: () => {
    throw new TypeError('not written yet');
  },
  read: () => ({ ok: false, complaint: 'not written yet' }),
});
