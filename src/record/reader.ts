/** Reads a journal from any position, to its end or for as long as it grows. Never writes; knows damage, not what a frame means. */
import { watch } from 'node:fs';
import { boundarySync, RecordFault } from '../errors.ts';
import { unpack } from '../protocol/codec.ts';
import { Frame } from '../protocol/frame.ts';
import { segmentsIn } from './inspection.ts';
import { isDamagedAt, type RawRecord, recordFrom, recordsOf, type Tail } from './segment.ts';

/** Of a record's first byte. `{segment: 1, offset: 0}` is the beginning. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface Recorded {
  readonly frame: Frame;
  readonly at: Position;
  /** Where reading would go on. */
  readonly next: Position;
}

export interface ReadOptions {
  readonly from?: Position;
  /** Keep waiting for more until this aborts; a torn tail is then a frame being written. */
  readonly follow?: AbortSignal;
}

const start: Position = { segment: 1, offset: 0 };

/** Frames in order. A torn tail ends it; damage before sound records throws RecordFault with the offset. */
export async function* readJournal(dir: string, { from = start, follow }: ReadOptions = {}): AsyncGenerator<Recorded, Position> {
  const growth = follow === undefined ? null : watchGrowth(dir, follow);
  let at = from;
  try {
    for (;;) {
      at = yield* framesFrom(dir, at);
      if (growth === null || follow?.aborted === true) return at;
      await growth.grown();
    }
  } finally {
    growth?.close();
  }
}

/** All frames that are there now, without giving way to others: for tools that do nothing else. */
export function* framesFrom(dir: string, from: Position = start): Generator<Recorded, Position> {
  let at = from;
  const segments = segmentsIn(dir);
  for (const [index, { number, file }] of segments.entries()) {
    if (number < at.segment) continue;
    const offset = number === at.segment ? at.offset : 0;
    let tail = yield* framesOf(file, number, offset);
    // One that was being written is whole by now: it is read on.
    while (tail.damage !== null && recordFrom(file, tail.offset) !== null) tail = yield* framesOf(file, number, tail.offset);
    const last = index === segments.length - 1;
    if (tail.damage !== null && (!last || isDamagedAt(file, tail.offset))) {
      throw new RecordFault(`${file} is damaged at byte ${tail.offset}: ${tail.damage}, and sound records follow`);
    }
    at = { segment: number, offset: tail.offset };
  }
  return at;
}

function* framesOf(file: string, segment: number, from: number): Generator<Recorded, Tail> {
  const records = recordsOf(file, from);
  try {
    for (;;) {
      const record = records.next();
      if (record.done === true) return record.value;
      if (record.value.offset === 0) continue; // the segment's header
      yield recordedOf(file, segment, record.value);
    }
  } finally {
    // Closes the file where the reader stops early.
    records.return({ offset: from, damage: null });
  }
}

function recordedOf(file: string, segment: number, { frame, offset, end }: RawRecord): Recorded {
  const read = boundarySync(RecordFault, `${file} at byte ${offset}`, () => Frame.safeParse(unpack(frame)));
  if (!read.success) {
    const issue = read.error.issues[0];
    throw new RecordFault(`${file} at byte ${offset}: not a frame this program knows (${issue?.path.join('.')}: ${issue?.message})`, {
      cause: read.error,
    });
  }
  return { frame: read.data, at: { segment, offset }, next: { segment, offset: end } };
}

/** `grown` resolves when the folder changed since it was last called, or on abort. Watching starts at once, so that nothing written between a read and a wait is missed. */
function watchGrowth(dir: string, signal: AbortSignal): { grown(): Promise<void>; close(): void } {
  let changed = false;
  let wake: (() => void) | null = null;
  const notice = (): void => {
    changed = true;
    wake?.();
  };
  const watcher = boundarySync(RecordFault, `cannot watch ${dir}`, () => watch(dir, notice));
  watcher.on('error', notice);
  signal.addEventListener('abort', notice);
  return {
    grown: async () => {
      if (!changed && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      wake = null;
      changed = false;
    },
    close: () => {
      watcher.close();
      signal.removeEventListener('abort', notice);
    },
  };
}
