/** What a journal folder holds and whether it is whole: segments, torn tail, damage by offset. Reads only; knows no frame's meaning. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RecordFault } from '../errors.ts';
import { unpack } from '../protocol/codec.ts';
import { RunId } from '../protocol/ids.ts';
import { isDamagedAt, recordAfter, recordsOf } from './segment.ts';

/** Raised when old readers would misread new journals. */
export const journalFormat = 1;

/** The first record of every segment. */
export const SegmentHeader = z.strictObject({
  kind: z.literal('segment'),
  format: z.int(),
  run: RunId,
  segment: z.int().min(1),
  /** sha256 of the previous segment's bytes, hex; null in the first. */
  previous: z.string().nullable(),
});
export type SegmentHeader = z.infer<typeof SegmentHeader>;

export interface Segment {
  readonly number: number;
  readonly file: string;
}

/** Where the journal stops being readable although more follows. */
interface Damage {
  readonly segment: number;
  readonly offset: number;
  /** For people, with the way on. */
  readonly message: string;
}

export interface Inspection {
  readonly run: RunId | null;
  readonly segments: readonly Segment[];
  /** Frames in whole records, segment headers not counted. */
  readonly frames: number;
  /** Offset in the last segment after its last whole record. */
  readonly tail: number;
  /** Bytes after it: a record that was being written when the process died. */
  readonly torn: number;
  /** A last segment whose header was never written: no segment, and its name must be freed before the next one. */
  readonly unborn: string | null;
  readonly damage: Damage | null;
}

export const segmentFile = (dir: string, number: number): string => join(dir, `${String(number).padStart(6, '0')}.journal`);

/** In order. Throws RecordFault where the folder cannot be read. */
export function segmentsIn(dir: string): Segment[] {
  if (!existsSync(dir)) throw new RecordFault(`there is no journal in ${dir}`);
  return readdirSync(dir)
    .flatMap((name) => (/^\d{6}\.journal$/.test(name) ? [{ number: Number(name.slice(0, 6)), file: join(dir, name) }] : []))
    .toSorted((a, b) => a.number - b.number);
}

/** Reads every byte: checksums of all records, chain of all segments. */
export function inspectJournal(dir: string): Inspection {
  const segments = segmentsIn(dir);
  let run: RunId | null = null;
  let frames = 0;
  let previous: string | null = null;
  for (const [index, { number, file }] of segments.entries()) {
    const last = index === segments.length - 1;
    const damaged = (offset: number, reason: string): Inspection => ({
      run,
      segments,
      frames,
      tail: offset,
      torn: 0,
      unborn: null,
      damage: damageAt(file, number, offset, reason),
    });
    if (number !== index + 1) return damaged(0, `segment ${index + 1} is missing`);
    const records = recordsOf(file);
    const first = records.next();
    if (first.done === true) {
      // The process died between making the file and writing its header.
      const before = segments[index - 1];
      if (last && recordAfter(file, -1) === null)
        return {
          run,
          segments: segments.slice(0, -1),
          frames,
          tail: before === undefined ? 0 : statSync(before.file).size,
          torn: 0,
          unborn: file,
          damage: null,
        };
      return damaged(0, 'its header cannot be read');
    }
    const header = SegmentHeader.safeParse(unpack(first.value.frame));
    if (!header.success) return damaged(0, 'its header cannot be read');
    if (header.data.format !== journalFormat)
      throw new RecordFault(`${file} has format ${header.data.format}; this program reads format ${journalFormat}`);
    if (header.data.segment !== number || header.data.previous !== previous)
      return damaged(0, 'it does not continue the segment before it');
    if (run !== null && header.data.run !== run) return damaged(0, `it belongs to run ${header.data.run}`);
    run = header.data.run;
    let next = records.next();
    for (; next.done !== true; next = records.next()) frames++;
    const { offset, damage } = next.value;
    const bytes = readFileSync(file);
    if (damage !== null) {
      if (!last || isDamagedAt(file, offset)) return damaged(offset, damage);
    }
    if (last) return { run, segments, frames, tail: offset, torn: bytes.length - offset, unborn: null, damage: null };
    previous = createHash('sha256').update(bytes).digest('hex');
  }
  return { run, segments, frames, tail: 0, torn: 0, unborn: null, damage: null };
}

function damageAt(file: string, segment: number, offset: number, reason: string): Damage {
  return {
    segment,
    offset,
    message: `${file} is damaged at byte ${offset}: ${reason}, and sound records follow. Nothing is skipped: put back a copy of the file, or give up what follows with: repair <run>`,
  };
}
