/** Being written. */
import type { ToolView } from '../../contract.ts';
import type { Script, ToolDraft } from '../dialect.ts';

export const toolScript: Script<ToolView, ToolDraft> = {
  role: 'tool',
  version: 1,
  prompt: () => [],
  schema: () => undefined,
  read: () => ({ ok: false, complaint: 'not written yet' }),
  write: () => '',
};
