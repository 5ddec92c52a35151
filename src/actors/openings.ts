/** What a run has opened, closed in the reverse order, each whatever the closing of another did. Knows nothing of what it closes. */
import { asFault, RecordFault } from '../errors.ts';

export interface Openings {
  /** Remembers how to close `thing`, and hands it on. */
  add<T>(thing: T, close: (thing: T) => void | Promise<void>): T;
  /** Closes all. Rejects with the first failure, after the last closing. */
  close(): Promise<void>;
}

export function openings(): Openings {
  const closings: (() => void | Promise<void>)[] = [];
  return {
    add: (thing, close) => {
      closings.unshift(() => close(thing));
      return thing;
    },
    close: async () => {
      let failure: unknown;
      for (const close of closings.splice(0)) {
        try {
          await close();
        } catch (error) {
          failure ??= error;
        }
      }
      if (failure !== undefined) throw asFault(RecordFault, 'closing', failure);
    },
  };
}
