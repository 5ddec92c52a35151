/** One journal file as bytes: records of [u32 length | u32 crc32 | payload], little-endian. Knows framing and damage, not what a payload says. */
import { fstatSync, openSync, closeSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { frameLimit, wireVersion } from '../protocol/codec.ts';

/** Bytes before each payload. */
const headBytes = 8;
const chunkBytes = 1 << 20;

export interface RawRecord {
  readonly payload: Uint8Array;
  /** Of its first byte in the file, and of the byte after its last. */
  readonly offset: number;
  readonly end: number;
}

/** Where reading stopped: at the file's end (`damage` null), or at the first byte that is no whole record. */
export interface Tail {
  readonly offset: number;
  readonly damage: string | null;
}

export function recordOf(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(headBytes + payload.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, crc32(payload), true);
  record.set(payload, headBytes);
  return record;
}

/** The records of a file from `from` on, in order; returns where and why it stopped. A payload is valid until the next is asked for. */
export function* recordsOf(file: string, from = 0): Generator<RawRecord, Tail> {
  const fd = openSync(file, 'r');
  try {
    const size = fstatSync(fd).size;
    const window = new Window(fd, size);
    let offset = from;
    for (;;) {
      const found = recordAt(window, offset, size);
      if (typeof found === 'string') return { offset, damage: found };
      if (found === null) return { offset, damage: null };
      yield found;
      offset = found.end;
    }
  } finally {
    closeSync(fd);
  }
}

/** Whether a whole record begins anywhere after `offset`: then damage at `offset` is in the middle, and not a torn tail. Returns its offset. */
export function recordAfter(file: string, offset: number): number | null {
  const fd = openSync(file, 'r');
  try {
    const size = fstatSync(fd).size;
    const window = new Window(fd, size);
    for (let at = offset + 1; at + headBytes < size; at++) {
      const found = recordAt(window, at, size);
      if (found !== null && typeof found !== 'string') return at;
    }
    return null;
  } finally {
    closeSync(fd);
  }
}

/** null at the end; a text says what is wrong. The cheap tests come first: `recordAfter` asks at every byte. */
function recordAt(window: Window, offset: number, size: number): RawRecord | string | null {
  const left = size - offset;
  if (left === 0) return null;
  if (left < headBytes) return `${left} bytes where a record's head has ${headBytes}`;
  const head = window.at(offset, headBytes);
  const length = uint32(head, 0);
  const crc = uint32(head, 4);
  if (length === 0 || length > frameLimit) return `a record of ${length} bytes`;
  if (length > left - headBytes) return `a record of ${length} bytes with ${left - headBytes} left in the file`;
  if (window.at(offset + headBytes, 1)[0] !== wireVersion) return `a record of another version`;
  const payload = window.at(offset + headBytes, length);
  if (crc32(payload) !== crc) return 'a wrong checksum';
  return { payload, offset, end: offset + headBytes + length };
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;

/** The part of a file that is in memory; grows to the largest record and slides forward. */
class Window {
  readonly #fd: number;
  readonly #size: number;
  #bytes = new Uint8Array(0);
  #start = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /** A view, valid until the next call. The file is known to be long enough. */
  at(offset: number, length: number): Uint8Array {
    if (offset < this.#start || offset + length > this.#start + this.#bytes.length) this.#slide(offset, length);
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length);
  }

  #slide(offset: number, length: number): void {
    const wanted = Math.min(Math.max(length, chunkBytes), this.#size - offset);
    const bytes = new Uint8Array(wanted);
    let got = 0;
    while (got < wanted) {
      const read = readSync(this.#fd, bytes, got, wanted - got, offset + got);
      if (read === 0) throw new Error('the file became shorter while it was read');
      got += read;
    }
    this.#bytes = bytes;
    this.#start = offset;
  }
}
