/**
 * One journal file as bytes: records of [u32 length | u32 crc32 | payload], little-endian. Knows framing and damage, not what a frame says.
 * A payload is a frame, or, from some size on, a frame deflated: events and groups are the same words over and over and shrink to an eighth.
 */
import { fstatSync, openSync, closeSync, readSync } from 'node:fs';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { frameLimit, wireVersion } from '../protocol/codec.ts';

/** Bytes before each payload. */
const headBytes = 8;
const chunkBytes = 1 << 20;

/** First byte of a deflated payload, where a frame has the wire's version. */
const deflatedMark = 0xdf;
/** Smaller frames are not worth the time: a deflater costs 20 to 60 µs before its first byte, and model replies, which are most frames, are half incompressible floats. */
const usualDeflateFrom = 4096;

export interface RawRecord {
  /** The frame: of the payload, or inflated from it. */
  readonly frame: Uint8Array;
  /** Of its first byte in the file, and of the byte after its last. */
  readonly offset: number;
  readonly end: number;
}

/** Where reading stopped: at the file's end (`damage` null), or at the first byte that is no whole record. */
export interface Tail {
  readonly offset: number;
  readonly damage: string | null;
}

/** `deflateFrom`: bytes of a frame that is worth deflating. */
export function recordOf(frame: Uint8Array, deflateFrom = usualDeflateFrom): Uint8Array<ArrayBuffer> {
  const payload = frame.length < deflateFrom ? frame : deflated(frame);
  const record = new Uint8Array(headBytes + payload.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, crc32(payload), true);
  record.set(payload, headBytes);
  return record;
}

/** The fastest level: the better ones save a tenth more for twice the time. */
function deflated(frame: Uint8Array): Uint8Array {
  const body = deflateRawSync(frame, { level: 1 });
  if (body.length + 1 >= frame.length) return frame;
  const payload = new Uint8Array(1 + body.length);
  payload[0] = deflatedMark;
  payload.set(body, 1);
  return payload;
}

/** null where a payload with a right checksum cannot be inflated. */
function frameOf(payload: Uint8Array): Uint8Array | null {
  if (payload[0] !== deflatedMark) return payload;
  try {
    return inflateRawSync(payload.subarray(1), { maxOutputLength: frameLimit });
  } catch {
    return null;
  }
}

/** The records of a file from `from` on, in order; returns where and why it stopped. A frame is valid until the next is asked for. */
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
      const frame = frameOf(found.payload);
      if (frame === null) return { offset, damage: 'a payload that cannot be inflated' };
      yield { frame, offset, end: found.end };
      offset = found.end;
    }
  } finally {
    closeSync(fd);
  }
}

/** The frame of the one record that begins at `offset`; null where none does. */
export function recordFrom(file: string, offset: number): Uint8Array | null {
  const fd = openSync(file, 'r');
  try {
    const size = fstatSync(fd).size;
    const found = recordAt(new Window(fd, size, headBytes), offset, size);
    return found === null || typeof found === 'string' ? null : frameOf(found.payload);
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

/** Whether what could not be read at `offset` is damage and no torn tail: sound records follow it. A record that was half written when it was looked at is neither, once it is whole. */
export const isDamagedAt = (file: string, offset: number): boolean =>
  recordAfter(file, offset) !== null && recordFrom(file, offset) === null;

/** null at the end; a text says what is wrong. The cheap tests come first: `recordAfter` asks at every byte. */
function recordAt(window: Window, offset: number, size: number): { readonly payload: Uint8Array; readonly end: number } | string | null {
  const left = size - offset;
  if (left === 0) return null;
  if (left < headBytes) return `${left} bytes where a record's head has ${headBytes}`;
  const head = window.at(offset, headBytes);
  const length = uint32(head, 0);
  const crc = uint32(head, 4);
  if (length === 0 || length > frameLimit) return `a record of ${length} bytes`;
  if (length > left - headBytes) return `a record of ${length} bytes with ${left - headBytes} left in the file`;
  const first = window.at(offset + headBytes, 1)[0];
  if (first !== wireVersion && first !== deflatedMark) return `a record of another version`;
  const payload = window.at(offset + headBytes, length);
  if (crc32(payload) !== crc) return 'a wrong checksum';
  return { payload, end: offset + headBytes + length };
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;

/** The part of a file that is in memory; grows to the largest record and slides forward. */
class Window {
  readonly #fd: number;
  readonly #size: number;
  /** Read at once at least. */
  readonly #chunk: number;
  #bytes = new Uint8Array(0);
  #start = 0;

  constructor(fd: number, size: number, chunk = chunkBytes) {
    this.#fd = fd;
    this.#size = size;
    this.#chunk = chunk;
  }

  /** A view, valid until the next call. The file is known to be long enough. */
  at(offset: number, length: number): Uint8Array {
    if (offset < this.#start || offset + length > this.#start + this.#bytes.length) this.#slide(offset, length);
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length);
  }

  #slide(offset: number, length: number): void {
    const wanted = Math.min(Math.max(length, this.#chunk), this.#size - offset);
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
