/**
 * The journal's one writer: frames appended to numbered segments. Knows order and durability; not what a frame means.
 *
 * `append` buffers; what was buffered is written at the end of the turn of the event loop, in one write, so a killed process loses at most one turn.
 * `flush({ sync: true })` is asked for at group seal and step commit only; concurrent askers share one fdatasync (group commit).
 * Frames that a full disk refused stay in memory: once there is space, the next flush goes on where it stopped.
 */
import { rmSync } from 'node:fs';
import { RecordFault } from '../errors.ts';
import { type Bytes, pack } from '../protocol/codec.ts';
import type { Frame } from '../protocol/frame.ts';
import type { RunId } from '../protocol/ids.ts';
import { Appender } from './appender.ts';
import { inspectJournal, journalFormat, type SegmentHeader, segmentFile } from './inspection.ts';
import { recordOf } from './segment.ts';

export interface JournalOptions {
  readonly run: RunId;
  /** A segment that has reached this size is not written on. */
  readonly segmentBytes?: number;
}

/** There is one a model call, on the thread that all calls pass: deflating most of them would cost 15 µs a call and save a tenth of the journal. */
const askedDeflateFrom = 16_384;

/** Bytes that may wait for a full disk before `append` refuses more. */
const waitingLimit = 64 * 1024 * 1024;

export class Journal {
  readonly #dir: string;
  readonly #run: RunId;
  readonly #segmentBytes: number;
  #appender: Appender;
  #segment: number;
  /** The segment holds its header only: it takes a frame however large its header is. */
  #fresh = false;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #scheduled = false;
  #closed = false;
  /** Bytes written and bytes known to be on the disk, by this process, over all segments. */
  #written = 0;
  #durable = 0;
  #syncing: Promise<void> | null = null;
  /** Set for good by a failed sync: what is on the disk is unknown then, and asking again would hide it. */
  #broken: RecordFault | null = null;
  #frames = 0;
  #syncs = 0;
  /** Bytes of a torn last record that opening cut off. */
  readonly repaired: number;

  private constructor(dir: string, { run, segmentBytes = 256 * 1024 * 1024 }: JournalOptions) {
    const { segments, tail, torn, unborn } = soundJournal(dir, run);
    if (unborn !== null) rmSync(unborn);
    this.#dir = dir;
    this.#run = run;
    this.#segmentBytes = segmentBytes;
    this.repaired = torn;
    const last = segments.at(-1);
    this.#segment = last?.number ?? 1;
    this.#appender = last === undefined ? this.#begin(1, null) : Appender.open(last.file, tail);
  }

  /**
   * Opens a journal for writing, a new one if the folder is empty. Cuts off a torn tail; throws RecordFault with the offset for damage anywhere else,
   * for another run's journal and for another format. The caller holds the run's lock.
   */
  static open(dir: string, options: JournalOptions): Journal {
    return new Journal(dir, options);
  }

  get tally(): { readonly frames: number; readonly bytes: number; readonly syncs: number } {
    return { frames: this.#frames, bytes: this.#written + this.#waitingBytes, syncs: this.#syncs };
  }

  /** Never blocks. Throws RecordFault once more than 64 MB wait for a full disk, and after `close`. */
  append(frame: Frame): void {
    this.appendPacked(pack(frame), frame.kind === 'call.asked' ? askedDeflateFrom : undefined);
  }

  /** The same for a frame that one of our threads has packed already; it is written unread. */
  appendPacked(frame: Bytes, deflateFrom?: number): void {
    if (this.#closed) throw new RecordFault(`the journal in ${this.#dir} is closed`);
    if (this.#waitingBytes > waitingLimit) this.#write();
    const record = recordOf(frame, deflateFrom);
    this.#waiting.push(record);
    this.#waitingBytes += record.length;
    this.#frames++;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#writeOrWait();
    });
  }

  /** Resolves when all that was appended is in the file and, with `sync`, on the disk. Rejects with RecordFault; may be tried again. */
  async flush({ sync = false }: { readonly sync?: boolean } = {}): Promise<void> {
    this.#write();
    if (sync) await this.#reachDisk(this.#written);
  }

  /** The same at once: for the last moment of a process. */
  flushSync(): void {
    if (this.#closed) return;
    this.#write();
    this.#appender.syncNow();
    this.#durable = this.#written;
  }

  /** Flushes, syncs and closes; the file is closed whether or not that succeeds. */
  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.flush({ sync: true });
    } finally {
      this.#closed = true;
      this.#appender.close();
    }
  }

  #writeOrWait(): void {
    try {
      if (!this.#closed) this.#write();
    } catch {
      // The frames wait; whoever flushes next tries again and is told.
    }
  }

  #write(): void {
    if (this.#broken !== null) throw this.#broken;
    while (this.#waiting.length > 0) {
      if (this.#appender.size >= this.#segmentBytes && !this.#fresh) this.#roll();
      let size = this.#appender.size;
      let count = 0;
      for (; count < this.#waiting.length && (count === 0 || size < this.#segmentBytes); count++)
        size += (this.#waiting[count] as Uint8Array).length;
      const before = this.#appender.size;
      const { records, failure } = this.#appender.write(this.#waiting.slice(0, count));
      this.#waiting = this.#waiting.slice(records);
      if (records > 0) this.#fresh = false;
      this.#waitingBytes -= this.#appender.size - before;
      this.#written += this.#appender.size - before;
      if (failure !== null) throw failure;
    }
  }

  #roll(): void {
    const full = this.#appender;
    this.#appender = this.#begin(this.#segment + 1, full.digest);
    this.#segment++;
    try {
      full.close();
    } catch (error) {
      this.#broken = error as RecordFault;
      throw error;
    }
  }

  /** A segment with its header, or none. */
  #begin(segment: number, previous: string | null): Appender {
    const header: SegmentHeader = { kind: 'segment', format: journalFormat, run: this.#run, segment, previous };
    const appender = Appender.create(segmentFile(this.#dir, segment));
    const { failure } = appender.write([recordOf(pack(header))]);
    if (failure === null) {
      this.#fresh = true;
      return appender;
    }
    appender.close();
    rmSync(appender.file, { force: true });
    throw failure;
  }

  /** A sync under way may have begun before these bytes were written: then one more is needed. */
  async #reachDisk(upTo: number): Promise<void> {
    while (this.#durable < upTo) await (this.#syncing ??= this.#sync());
  }

  async #sync(): Promise<void> {
    const upTo = this.#written;
    this.#syncs++;
    try {
      await this.#appender.sync();
      this.#durable = Math.max(this.#durable, upTo);
    } catch (error) {
      this.#broken = error as RecordFault;
      throw error;
    } finally {
      this.#syncing = null;
    }
  }
}

function soundJournal(dir: string, run: RunId): ReturnType<typeof inspectJournal> {
  const found = inspectJournal(dir);
  if (found.damage !== null) throw new RecordFault(found.damage.message);
  if (found.run !== null && found.run !== run) throw new RecordFault(`the journal in ${dir} is of run ${found.run}, not of ${run}`);
  return found;
}
