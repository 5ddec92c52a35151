/** A run's record, as its coordinator holds it: lock, journal and the files made from it, opened together and closed together. Knows order, not content. */
import { RecordFault } from '../errors.ts';
import type { Bytes } from '../protocol/codec.ts';
import type { Frame, Parent } from '../protocol/frame.ts';
import type { RunId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { StepCommitted } from '../protocol/policy.ts';
import { appendTiming, Exports } from './exports.ts';
import type { RunFolder } from './folder.ts';
import { Journal } from './journal.ts';
import { lockRun, type RunLock } from './lock.ts';
import { framesFrom } from './reader.ts';
import { recover, type Recovered } from './resume.ts';

export interface RecordOptions {
  readonly run: RunId;
  readonly segmentBytes: number;
  readonly transcripts: boolean;
}

export interface RunRecord {
  readonly folder: RunFolder;
  /** Bytes of a torn last record that opening cut off. */
  readonly repaired: number;
  /** Into the journal, and into the files made from it. Throws RecordFault. */
  append(frame: Frame): void;
  /** An `events` frame that one of our threads has packed; it goes into the journal unread. */
  appendPacked(frame: Bytes): void;
  /** As Journal.flush: `sync` at group seal and step commit only. */
  flush(options?: { readonly sync?: boolean }): Promise<void>;
  /** For the last moment of a process. */
  flushSync(): void;
  /** Wall times of a step or a phase. */
  timing(row: JsonObject): void;
  /** Flushes, syncs, gives the lock back. */
  close(): Promise<void>;
}

/** A new record in an empty run folder. Throws RecordFault. */
export async function startRecord(
  folder: RunFolder,
  options: RecordOptions,
  about: { readonly version: string; readonly config: JsonObject; readonly parent?: Parent },
): Promise<RunRecord> {
  const lock = lockRun(folder.dir);
  try {
    const journal = Journal.open(folder.journal, options);
    const record = recordOf(folder, lock, journal, new Exports(folder, options));
    record.append({ kind: 'run.started', run: options.run, ...about });
    await record.flush({ sync: true });
    return record;
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * The record of an interrupted run, ready to go on: tail repaired, exports made anew from the journal, everything after the last whole commit taken back.
 * `options` come from the run's own config. Throws RecordFault for damage, for a living writer and for a folder without a run.
 */
export async function resumeRecord(
  folder: RunFolder,
  options: (config: JsonObject) => Omit<RecordOptions, 'run'>,
  isWhole: (committed: StepCommitted) => boolean,
): Promise<{ readonly record: RunRecord; readonly recovered: Recovered }> {
  const lock = lockRun(folder.dir);
  try {
    const recovered = recover(folder.journal, isWhole);
    const chosen = options(recovered.config);
    const journal = Journal.open(folder.journal, { run: recovered.run, segmentBytes: chosen.segmentBytes });
    const exports = new Exports(folder, chosen);
    for (const { frame } of framesFrom(folder.journal)) exports.feed(frame);
    const record = recordOf(folder, lock, journal, exports);
    record.append({ kind: 'run.resumed', run: recovered.run, after: recovered.last?.step ?? null });
    // Groups that are trained on again without being sealed again.
    for (const { envelope, bytes } of recovered.groups) exports.feed({ kind: 'group.sealed', envelope, bytes });
    await record.flush({ sync: true });
    return { record, recovered };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function recordOf(folder: RunFolder, lock: RunLock, journal: Journal, exports: Exports): RunRecord {
  let closed = false;
  return {
    folder,
    repaired: journal.repaired,
    append: (frame) => {
      if (closed) throw new RecordFault(`the record of ${folder.name} is closed`);
      journal.append(frame);
      exports.feed(frame);
    },
    appendPacked: (frame) => journal.appendPacked(frame),
    flush: (how) => journal.flush(how),
    flushSync: () => journal.flushSync(),
    timing: (row) => appendTiming(folder, row),
    close: async () => {
      if (closed) return;
      closed = true;
      try {
        await journal.close();
      } finally {
        lock.release();
      }
    },
  };
}
