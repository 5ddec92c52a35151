/** What a run was played anew from, as its journal begins, and how a fork ended, which leaves no summary: forks have a parent, other runs have none. */
import { RecordFault } from '../errors.ts';
import type { FrameOf, Parent } from '../protocol/frame.ts';
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

/** Null while it goes on, where its process died, and where its journal cannot be read. */
export function forkEndIn(journal: string): FrameOf<'run.halted'>['reason'] | null {
  let reason: FrameOf<'run.halted'>['reason'] | null = null;
  try {
    for (const { frame } of framesFrom(journal)) if (frame.kind === 'run.halted') reason = frame.reason;
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error;
  }
  return reason;
}
