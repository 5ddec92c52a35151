/** One line of doctor: what was looked at, what was found, and the fix where it is wrong. Looks at nothing itself. */
import { faultOf } from './exit.ts';

export interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly fix: string;
  /** Nothing fails without it. */
  readonly optional?: true;
}

/** `look` says what it found, or throws what is wrong. */
export async function attempt(what: string, fix: string, look: () => string | Promise<string>): Promise<Check> {
  try {
    return { what, ok: true, found: await look(), fix };
  } catch (error) {
    return { what, ok: false, found: faultOf(error).message.replace('unexpected: ', ''), fix };
  }
}
