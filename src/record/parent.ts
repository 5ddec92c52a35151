/** What a run was played anew from, as its journal begins: forks have a parent, other runs have none. Reads one frame. */
import { RecordFault } from '../errors.ts';
import type { Parent } from '../protocol/frame.ts';
import { framesFrom } from './reader.ts';

/** Null for a run of its own, and for one whose beginning cannot be read: that is for its readers to say. */
export function parentIn(journal: string): Parent | null {
  try {
    const [first] = framesFrom(journal);
    return first?.frame.kind === 'run.started' ? (first.frame.parent ?? null) : null;
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}
