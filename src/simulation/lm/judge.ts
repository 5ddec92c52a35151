/** Being written. */
import type { JudgeSimulator } from '../contract.ts';
import type { JudgeDraft, JudgeQuestion, Script } from './dialect.ts';
import type { LmSettings } from './settings.ts';

export const lmJudge = (_script: Script<JudgeQuestion, JudgeDraft>, _settings: LmSettings): JudgeSimulator => ({
  role: 'judge',
  pose: () => {
    throw new TypeError('not written yet');
  },
  read: () => ({ ok: false, complaint: 'not written yet' }),
});
