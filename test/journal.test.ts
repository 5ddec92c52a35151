/** The journal: what was acknowledged is there after any crash, a torn tail is repaired, damage in the middle is refused by offset. */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { RecordFault } from '../src/errors.ts';
import type { Frame } from '../src/protocol/frame.ts';
import type { CallId, GroupId, RunId } from '../src/protocol/ids.ts';
import { inspectJournal, segmentFile } from '../src/record/inspection.ts';
import { Journal } from '../src/record/journal.ts';
import { framesFrom, readJournal, type Recorded } from '../src/record/reader.ts';
import { cutJournal } from '../src/record/repair.ts';
import { arbitraryOf } from './support/schema-values.ts';
import { Frame as FrameSchema } from '../src/protocol/frame.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-journal-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = 'r' as RunId;
let folders = 0;
const freshDir = (): string => {
  const dir = join(root, String(folders++));
  mkdirSync(dir);
  return dir;
};
const reply = (n: number, size = 20): Frame => ({
  kind: 'call.reply',
  id: `call${n}` as CallId,
  group: 'g' as GroupId,
  bytes: new Uint8Array(size).fill(n),
});
const framesIn = (dir: string): Frame[] => [...framesFrom(dir)].map(({ frame }) => frame);
const idsIn = (dir: string): string[] => framesIn(dir).map((frame) => (frame as { id: string }).id);

async function journalOf(count: number, { segmentBytes = 1 << 20, size = 20 } = {}): Promise<string> {
  const dir = freshDir();
  const journal = Journal.open(dir, { run, segmentBytes });
  for (let n = 0; n < count; n++) journal.append(reply(n, size));
  await journal.close();
  return dir;
}

const copyOf = (dir: string): string => {
  const copy = freshDir();
  for (const name of readdirSync(dir)) copyFileSync(join(dir, name), join(copy, name));
  return copy;
};

describe('a journal that was closed', () => {
  test('gives back every frame in order, whatever the frames and the segment size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryOf(FrameSchema), { maxLength: 8 }),
        fc.integer({ min: 100, max: 5000 }),
        async (frames, segmentBytes) => {
          const dir = freshDir();
          const journal = Journal.open(dir, { run, segmentBytes });
          for (const frame of frames) journal.append(frame as Frame);
          await journal.close();
          expect(framesIn(dir)).toEqual(frames);
          expect(inspectJournal(dir)).toMatchObject({ frames: frames.length, torn: 0, damage: null });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is continued by the next writer in the same segment', async () => {
    const dir = await journalOf(3);
    const journal = Journal.open(dir, { run });
    journal.append(reply(3));
    await journal.close();
    expect(idsIn(dir)).toEqual(['call0', 'call1', 'call2', 'call3']);
    expect(readdirSync(dir)).toEqual(['000001.journal']);
  });

  test('is read on from any position', async () => {
    const dir = await journalOf(6, { segmentBytes: 150 });
    const all = [...framesFrom(dir)];
    for (const [index, { at }] of all.entries()) expect([...framesFrom(dir, at)]).toEqual(all.slice(index));
    const { next } = all[2] as Recorded;
    expect([...framesFrom(dir, next)]).toEqual(all.slice(3));
  });

  test('refuses another run', async () => {
    const dir = await journalOf(1);
    expect(() => Journal.open(dir, { run: 'other' as RunId })).toThrow(/of run r, not of other/);
  });
});

describe('an open journal', () => {
  test('has its frames in the file at the end of the event loop’s turn, unasked', async () => {
    const dir = freshDir();
    const journal = Journal.open(dir, { run });
    journal.append(reply(1));
    expect(idsIn(dir)).toEqual([]);
    await new Promise(setImmediate);
    expect(idsIn(dir)).toEqual(['call1']);
    await journal.close();
  });

  test('shares one sync among all who ask in the same turn', async () => {
    const journal = Journal.open(freshDir(), { run });
    const asked = Array.from({ length: 50 }, (_, n) => {
      journal.append(reply(n));
      return journal.flush({ sync: true });
    });
    await Promise.all(asked);
    expect(journal.tally.syncs).toBeLessThanOrEqual(2);
    await journal.close();
  });

  test('refuses frames once closed', async () => {
    const journal = Journal.open(freshDir(), { run });
    await journal.close();
    expect(() => journal.append(reply(1))).toThrow(/closed/);
  });

  test('is followed live, across segments, until the reader stops', async () => {
    const dir = freshDir();
    const journal = Journal.open(dir, { run, segmentBytes: 120 });
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { frame } of readJournal(dir, { follow: stop.signal })) {
        seen.push((frame as { id: string }).id);
        if (seen.length === 6) stop.abort();
      }
    })();
    for (let n = 0; n < 6; n++) {
      journal.append(reply(n));
      await journal.flush();
      await new Promise(setImmediate);
    }
    await following;
    expect(seen).toEqual(['call0', 'call1', 'call2', 'call3', 'call4', 'call5']);
    await journal.close();
  });
});

describe('a record that is being written', () => {
  test('is read when it is whole, and is no damage where others follow it by then', async () => {
    const dir = await journalOf(4);
    const file = segmentFile(dir, 1);
    const whole = readFileSync(file);
    const [first, second] = [...framesFrom(dir)];
    const half = (second?.at.offset ?? 0) + 11;
    truncateSync(file, half);
    const read: string[] = [];
    for (const { frame } of framesFrom(dir)) {
      read.push((frame as { id: string }).id);
      // The rest comes after the reader has taken the file's length.
      if (read.length === 1) appendFileSync(file, whole.subarray(half));
    }
    expect(first?.frame).toMatchObject({ id: 'call0' });
    expect(read).toEqual(['call0', 'call1', 'call2', 'call3']);
  });
});

describe('a crash', () => {
  test('at any byte of the last three records leaves every record before it, and the next writer goes on', async () => {
    const whole = await journalOf(6);
    const file = segmentFile(whole, 1);
    const records = [...framesFrom(whole)];
    const size = statSync(file).size;
    for (let cut = (records[3] as Recorded).at.offset; cut < size; cut++) {
      const dir = copyOf(whole);
      truncateSync(segmentFile(dir, 1), cut);
      const kept = records.filter(({ next }) => next.offset <= cut).length;
      expect(framesIn(dir)).toHaveLength(kept);
      const journal = Journal.open(dir, { run });
      expect(journal.repaired).toBe(cut - (kept === 0 ? 0 : (records[kept - 1] as Recorded).next.offset));
      journal.append(reply(99));
      await journal.close();
      expect(idsIn(dir)).toEqual([...records.slice(0, kept).map(({ frame }) => (frame as { id: string }).id), 'call99']);
    }
  });

  test('while a segment is begun leaves the segments before it', async () => {
    const whole = await journalOf(6, { segmentBytes: 150 });
    const last = segmentFile(whole, inspectJournal(whole).segments.length);
    const before = framesIn(whole).length;
    const header = readFileSync(last).length;
    for (const size of [0, 5, 30]) {
      const dir = copyOf(whole);
      const lost = framesIn(whole).length - [...framesFrom(whole)].filter(({ at }) => segmentFile(whole, at.segment) !== last).length;
      truncateSync(last.replace(whole, dir), Math.min(size, header));
      const journal = Journal.open(dir, { run, segmentBytes: 150 });
      journal.append(reply(99));
      await journal.close();
      expect(idsIn(dir)).toHaveLength(before - lost + 1);
      expect(inspectJournal(dir).damage).toBeNull();
    }
  });

  test('before the first header leaves a journal that begins anew', async () => {
    const dir = freshDir();
    writeFileSync(segmentFile(dir, 1), '');
    const journal = Journal.open(dir, { run });
    journal.append(reply(1));
    await journal.close();
    expect(idsIn(dir)).toEqual(['call1']);
  });

  test('that left garbage after the last record costs the garbage only', async () => {
    const whole = await journalOf(4);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (garbage) => {
        const dir = copyOf(whole);
        writeFileSync(segmentFile(dir, 1), garbage, { flag: 'a' });
        expect(framesIn(dir)).toEqual(framesIn(whole));
        await Journal.open(dir, { run }).close();
        expect(readFileSync(segmentFile(dir, 1))).toEqual(readFileSync(segmentFile(whole, 1)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('damage in the middle', () => {
  test('in any bit of a record is refused with its offset, by reader and writer, and nothing is skipped', async () => {
    const whole = await journalOf(5);
    const record = [...framesFrom(whole)][2] as Recorded;
    const dir = copyOf(whole);
    const file = segmentFile(dir, 1);
    const sound = readFileSync(file);
    for (let bit = record.at.offset * 8; bit < record.next.offset * 8; bit++) {
      const bytes = Buffer.from(sound);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      writeFileSync(file, bytes);
      expect(() => framesIn(dir)).toThrow(`damaged at byte ${record.at.offset}`);
      expect(inspectJournal(dir).damage).toMatchObject({ segment: 1, offset: record.at.offset });
    }
    expect(() => Journal.open(dir, { run })).toThrow(RecordFault);
    expect(() => Journal.open(dir, { run })).toThrow(/repair/);
    expect(readFileSync(file).length).toBe(sound.length);
  });

  test('in an earlier segment is refused even where it is cut short', async () => {
    const dir = await journalOf(6, { segmentBytes: 150 });
    truncateSync(segmentFile(dir, 1), statSync(segmentFile(dir, 1)).size - 3);
    expect(() => framesIn(dir)).toThrow(/000001\.journal is damaged at byte/);
    expect(() => Journal.open(dir, { run })).toThrow(/000001\.journal is damaged at byte/);
  });

  test('a missing or exchanged segment is refused', async () => {
    const missing = await journalOf(6, { segmentBytes: 150 });
    rmSync(segmentFile(missing, 2));
    expect(() => Journal.open(missing, { run })).toThrow(/segment 2 is missing/);
    const exchanged = await journalOf(6, { segmentBytes: 150 });
    const other = await journalOf(6, { segmentBytes: 150, size: 21 });
    copyFileSync(segmentFile(other, 1), segmentFile(exchanged, 1));
    expect(() => Journal.open(exchanged, { run })).toThrow(/does not continue/);
  });

  test('is given up only when asked, and what was cut is kept', async () => {
    const dir = await journalOf(6, { segmentBytes: 150 });
    const { at } = [...framesFrom(dir)][1] as Recorded;
    const file = segmentFile(dir, at.segment);
    const bytes = readFileSync(file);
    bytes[at.offset + 12] = (bytes[at.offset + 12] as number) ^ 1;
    writeFileSync(file, bytes);
    const before = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    const cut = cutJournal(dir);
    expect(cut?.kept.length).toBeGreaterThan(1);
    expect(readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)).toBe(before);
    await Journal.open(dir, { run }).close();
    expect(idsIn(dir)).toEqual(['call0']);
    expect(cutJournal(dir)).toBeNull();
  });
});
