/** Being written. */
import type { JudgeDraft, JudgeQuestion, Script } from '../dialect.ts';

export const judgeScript: Script<JudgeQuestion, JudgeDraft> = {
  role: 'judge',
  version: 1,
  prompt: () => [],
  schema: () => undefined,
  read: () => ({ ok: false, complaint: 'not written yet' }),
  write: () => '',
};
