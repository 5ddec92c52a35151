/** The end of one journal file: whole records go in, or are cut off again. Knows bytes and durability, not frames. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fdatasync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { boundarySync, RecordFault } from '../errors.ts';

export class Appender {
  readonly file: string;
  readonly #fd: number;
  /** Of the file's bytes: the next segment's header carries it. */
  readonly #hash: Hash = createHash('sha256');
  #size = 0;
  #syncs = 0;
  #closing = false;

  private constructor(file: string, fd: number) {
    this.file = file;
    this.#fd = fd;
  }

  /** A new file, its name on the disk when this returns. Throws RecordFault. */
  static create(file: string): Appender {
    return boundarySync(RecordFault, `cannot make ${file}`, () => {
      const appender = new Appender(file, openSync(file, 'wx+'));
      const folder = openSync(dirname(file), 'r');
      fsyncSync(folder);
      closeSync(folder);
      return appender;
    });
  }

  /** Goes on at byte `size` and cuts off what lies behind it. Throws RecordFault. */
  static open(file: string, size: number): Appender {
    return boundarySync(RecordFault, `cannot write ${file}`, () => {
      const appender = new Appender(file, openSync(file, 'r+'));
      ftruncateSync(appender.#fd, size);
      appender.#hash.update(readFileSync(file));
      appender.#size = size;
      return appender;
    });
  }

  get size(): number {
    return this.#size;
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Writes records from the first on; a disk that fills up leaves as many as went in whole. Returns how many did, and why not all. */
  write(records: readonly Uint8Array[]): { readonly records: number; readonly failure: RecordFault | null } {
    const bytes = records.length === 1 ? (records[0] as Uint8Array) : Buffer.concat(records);
    const { done, failure } = this.#push(bytes);
    let whole = records.length;
    let size = bytes.length;
    while (size > done) size -= (records[--whole] as Uint8Array).length;
    if (failure !== null) ftruncateSync(this.#fd, this.#size + size);
    this.#hash.update(bytes.subarray(0, size));
    this.#size += size;
    return { records: whole, failure: failure === null ? null : this.#fault(failure) };
  }

  #push(bytes: Uint8Array): { done: number; failure: unknown } {
    let done = 0;
    try {
      while (done < bytes.length) {
        const wrote = writeSync(this.#fd, bytes, done, bytes.length - done, this.#size + done);
        if (wrote === 0) return { done, failure: new Error('nothing could be written') };
        done += wrote;
      }
      return { done, failure: null };
    } catch (error) {
      return { done, failure: error };
    }
  }

  #fault(cause: unknown): RecordFault {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new RecordFault(
      `cannot write ${this.file}: ${reason}. The record is whole up to byte ${this.#size}; free some space, then resume the run`,
      { cause },
    );
  }

  /** Resolves when all written before the call is on the disk. Rejects with RecordFault. */
  sync(): Promise<void> {
    this.#syncs++;
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => {
        this.#syncs--;
        if (this.#closing && this.#syncs === 0) closeSync(this.#fd);
        if (error === null) resolve();
        else reject(new RecordFault(`cannot sync ${this.file}: ${error.message}`, { cause: error }));
      });
    });
  }

  /** Syncs at once and closes; the file's number stays taken while an asynchronous sync still holds it. Throws RecordFault. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    try {
      boundarySync(RecordFault, `cannot sync ${this.file}`, () => {
        fdatasyncSync(this.#fd);
      });
    } finally {
      if (this.#syncs === 0) closeSync(this.#fd);
    }
  }

  syncNow(): void {
    boundarySync(RecordFault, `cannot sync ${this.file}`, () => {
      fdatasyncSync(this.#fd);
    });
  }
}
