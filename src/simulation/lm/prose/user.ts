/** Being written. */
import type { UserView, UserAnswer } from '../../contract.ts';
import type { Script } from '../dialect.ts';

export const userScript: Script<UserView, UserAnswer> = {
  role: 'user',
  version: 1,
  prompt: () => [],
  schema: () => undefined,
  read: () => ({ ok: false, complaint: 'not written yet' }),
  write: () => '',
};
