/** Being written. */
import type { UserAnswer, UserSimulator, UserView } from '../contract.ts';
import type { Script } from './dialect.ts';
import type { LmSettings } from './settings.ts';

export const lmUser = (_script: Script<UserView, UserAnswer>, _settings: LmSettings): UserSimulator => ({
  role: 'user',
  pose: () => {
    throw new TypeError('not written yet');
  },
  read: () => ({ ok: false, complaint: 'not written yet' }),
});
