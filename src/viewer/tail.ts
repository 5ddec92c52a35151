/** Follows a journal while it grows: each whole record once, past torn tails and damaged places. Knows where records lie and what kind they are, not what they mean; never writes. */
import { existsSync, statSync } from 'node:fs';
import { RecordFault } from '../errors.ts';
import { type Segment, segmentFile, segmentsIn } from '../record/inspection.ts';
import type { Position } from '../record/reader.ts';
import { frameOf, headOf, notInflated, packedRecordsOf, recordAfter, recordFrom, type Tail } from '../record/segment.ts';
import { kindOf } from './peek.ts';

export interface TailRecord {
  /** '' where it cannot be told. */
  readonly kind: string;
  /** The frame's first bytes. */
  readonly head: Uint8Array;
  /** All of it, during the visit only. Throws RecordFault where it cannot be inflated. */
  frame(): Uint8Array;
  readonly at: Position;
  /** Where the one after it begins. */
  readonly next: Position;
}

/** A place that cannot be read, for people: where, and what to do. */
interface Trouble {
  readonly segment: number;
  readonly offset: number;
  readonly text: string;
}

const start: Position = { segment: 1, offset: 0 };

export class JournalTail {
  readonly #dir: string;
  #at: Position = start;
  #damages: Trouble[] = [];
  /** Bytes at the end that are no whole record yet, and the file's size when that was found. */
  #torn: (Trouble & { readonly size: number }) | null = null;
  /** Of the first segment's file: another one means another journal. */
  #identity: string | null = null;

  constructor(dir: string) {
    this.#dir = dir;
  }

  get position(): Position {
    return this.#at;
  }

  /** null = every byte is a record's. A torn tail is trouble only where nobody is writing it. */
  trouble(isWritten: boolean): string | null {
    const torn = isWritten || this.#torn === null ? [] : [this.#torn];
    const all = [...this.#damages, ...torn];
    if (all.length === 0) return null;
    return all.length === 1 ? (all[0] as Trouble).text : `${(all[0] as Trouble).text} (and ${all.length - 1} more such places)`;
  }

  /** Whether there may be more to read: cheap enough to ask several times a second. */
  get grew(): boolean {
    const file = segmentFile(this.#dir, this.#at.segment);
    if (!existsSync(file)) return existsSync(this.#dir);
    const { size } = statSync(file);
    return (
      size !== this.#at.offset + (this.#torn === null ? 0 : this.#torn.size - this.#torn.offset) ||
      existsSync(segmentFile(this.#dir, this.#at.segment + 1))
    );
  }

  /** Bytes read, and bytes there are. */
  get progress(): { readonly read: number; readonly of: number } {
    let [read, of] = [0, 0];
    for (const { number, file } of segmentsIn(this.#dir)) {
      const { size } = statSync(file);
      of += size;
      read += number < this.#at.segment ? size : number === this.#at.segment ? Math.min(size, this.#at.offset) : 0;
    }
    return { read, of };
  }

  /**
   * Visits records from where it stopped, for as long as `goOn` says, which is asked after each. Resolves the state it is left in: `end` of what there is, `more` to come,
   * or `anew`: the journal is another one than before, or was cut, and reading begins again from its start with the next call. Throws RecordFault where there is no journal.
   */
  read(visit: (record: TailRecord) => void, goOn: () => boolean): 'end' | 'more' | 'anew' {
    const segments = segmentsIn(this.#dir);
    if (this.#isAnother(segments)) {
      [this.#at, this.#damages, this.#torn] = [start, [], null];
      return 'anew';
    }
    for (const [index, { number, file }] of segments.entries()) {
      if (number < this.#at.segment) continue;
      if (number > this.#at.segment) {
        if (number > this.#at.segment + 1)
          this.#note(
            number,
            0,
            `${this.#dir}: segment ${this.#at.segment + 1} is missing; put back a copy of the file, or give up what follows with: repair <run>`,
          );
        this.#at = { segment: number, offset: 0 };
      }
      if (!this.#readSegment({ number, file }, index === segments.length - 1, visit, goOn)) return 'more';
    }
    return 'end';
  }

  /** false where it was told to stop before the segment's end. */
  #readSegment({ number, file }: Segment, isLast: boolean, visit: (record: TailRecord) => void, goOn: () => boolean): boolean {
    for (;;) {
      if (this.#torn !== null && this.#torn.segment === number && this.#torn.size === statSync(file).size && isLast) return true;
      const tail = this.#visitRecords({ number, file }, visit, goOn);
      if (tail === null) return false;
      this.#at = { segment: number, offset: tail.offset };
      this.#torn = null;
      if (tail.damage === null) return true;
      const next = recordAfter(file, tail.offset);
      // A record that was half written when it was looked at may be whole by now, with others after it.
      if (next !== null && recordFrom(file, tail.offset) !== null) continue;
      const { size } = statSync(file);
      if (next === null && isLast) {
        const bytes = size - tail.offset;
        const text = `${file}: its last ${bytes} bytes (from byte ${tail.offset}) are no whole record: the writer was stopped in the middle of one; resume <run> cuts them off`;
        this.#torn = { segment: number, offset: tail.offset, size, text };
        return true;
      }
      this.#note(
        number,
        tail.offset,
        `${file} is damaged at byte ${tail.offset}: ${tail.damage}; ${next === null ? 'the rest of this file cannot be read' : `sound records follow from byte ${next} and are shown`}. Put back a copy of the file, or give up what follows with: repair <run>`,
      );
      this.#at = { segment: number, offset: next ?? size };
      if (next === null) return true;
    }
  }

  /** Where and why the segment's records ended; null where `goOn` ended it. */
  #visitRecords({ number, file }: Segment, visit: (record: TailRecord) => void, goOn: () => boolean): Tail | null {
    const records = packedRecordsOf(file, this.#at.offset);
    try {
      for (;;) {
        const record = records.next();
        if (record.done === true) return record.value;
        const { payload, offset, end } = record.value;
        const head = headOf(payload);
        if (head === null) return { offset, damage: notInflated };
        const at: Position = { segment: number, offset };
        const next: Position = { segment: number, offset: end };
        if (offset > 0) visit({ kind: kindOf(head), head, frame: () => wholeOf(payload), at, next });
        this.#at = next;
        if (!goOn()) return null;
      }
    } finally {
      // Closes the file where the visit stops early.
      records.return({ offset: 0, damage: null });
    }
  }

  #isAnother(segments: readonly Segment[]): boolean {
    const first = segments[0];
    const { ino, birthtimeMs } = first === undefined ? { ino: 0, birthtimeMs: 0 } : statSync(first.file);
    const identity = `${ino} ${birthtimeMs}`;
    const present = segments.find(({ number }) => number === this.#at.segment);
    const isCut = this.#at.offset > 0 && (present === undefined || statSync(present.file).size < this.#at.offset);
    const isOther = (this.#identity !== null && this.#identity !== identity) || isCut;
    this.#identity = identity;
    return isOther;
  }

  #note(segment: number, offset: number, text: string): void {
    if (this.#damages.length < damageLimit) this.#damages.push({ segment, offset, text });
  }
}

function wholeOf(payload: Uint8Array): Uint8Array {
  const frame = frameOf(payload);
  if (frame === null) throw new RecordFault(notInflated);
  return frame;
}

/** Places remembered of one journal. */
const damageLimit = 100;
