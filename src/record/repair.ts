/** Gives up what follows a damaged place in a journal, and keeps the bytes beside it. Knows offsets, not frames. */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { boundarySync, RecordFault } from '../errors.ts';
import { inspectJournal } from './inspection.ts';

export interface Cut {
  /** Where the bytes that were cut off lie now, newest segment first. */
  readonly kept: readonly string[];
  readonly bytes: number;
}

/** null where nothing is damaged. The caller holds the run's lock. Throws RecordFault. */
export function cutJournal(dir: string): Cut | null {
  const { damage, segments } = inspectJournal(dir);
  if (damage === null) return null;
  const kept: string[] = [];
  let bytes = 0;
  // From the end, so that a crash in between leaves a journal that can be cut again.
  for (const { number, file } of segments.filter((segment) => segment.number >= damage.segment).toReversed()) {
    const offset = number === damage.segment ? damage.offset : 0;
    const copy = `${file}.from-${offset}.cut`;
    bytes += boundarySync(RecordFault, `cannot cut ${file}`, () => cut(file, offset, copy));
    kept.push(copy);
  }
  return { kept, bytes };
}

function cut(file: string, offset: number, copy: string): number {
  const rest = readFileSync(file).subarray(offset);
  const fd = openSync(copy, 'w');
  writeSync(fd, rest);
  fsyncSync(fd);
  closeSync(fd);
  if (offset === 0) rmSync(file);
  else truncateSync(file, offset);
  return rest.length;
}
