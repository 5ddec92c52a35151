/**
 * One journal file as bytes: records of [u32 length | u32 crc32 | payload], little-endian. Knows framing and damage, not what a frame says.
 * A payload is a frame, or, from some size on, a frame deflated: events and groups are the same words over and over and shrink to an eighth.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { frameLimit, wireVersion } from '../protocol/codec.ts';
import { FileWindow } from './file-window.ts';

/** Bytes before each payload. */
const headBytes = 8;

export const notInflated = 'a payload that cannot be inflated';

/** First byte of a deflated payload, where a frame has the wire's version. */
const deflatedMark = 0xdf;
/** Smaller frames are not worth the time: a deflater costs 20 to 60 µs before its first byte, and model replies, which are most frames, are half incompressible floats. */
const usualDeflateFrom = 4096;

/** Where a record lies: its first byte in the file, and the byte after its last. */
interface Extent {
  readonly offset: number;
  readonly end: number;
}

/** As it lies in the file: for whoever passes over most frames, and need not inflate them for it. */
interface PackedRecord extends Extent {
  readonly payload: Uint8Array;
}

export interface RawRecord extends Extent {
  /** The frame: of the payload, or inflated from it. */
  readonly frame: Uint8Array;
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
export function frameOf(payload: Uint8Array): Uint8Array | null {
  if (payload[0] !== deflatedMark) return payload;
  try {
    return inflateRawSync(payload.subarray(1), { maxOutputLength: frameLimit });
  } catch {
    return null;
  }
}

/** Of a deflated payload, inflated for its frame's first bytes; and how many of those must come of it. Most of a short piece can be the block's code table. */
const peekedBytes = 256;
const headEnough = 128;

/** The frame's first bytes, at least as many as a few short texts have, mostly without inflating the others. null where it cannot be inflated. */
export function headOf(payload: Uint8Array): Uint8Array | null {
  if (payload[0] !== deflatedMark || payload.length <= peekedBytes) return frameOf(payload);
  try {
    // Told to flush and not to finish, it gives what these bytes hold and misses no others.
    const head = inflateRawSync(payload.subarray(1, peekedBytes), { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 1024 });
    if (head.length >= headEnough) return head;
  } catch {
    // All of it tells.
  }
  return frameOf(payload);
}

/** The records of a file from `from` on, in order; returns where and why it stopped. A payload is valid until the next is asked for. */
export function* packedRecordsOf(file: string, from = 0): Generator<PackedRecord, Tail> {
  const fd = openSync(file, 'r');
  try {
    const size = fstatSync(fd).size;
    const window = new FileWindow(fd, size);
    let offset = from;
    for (;;) {
      const found = recordAt(window, offset, size);
      if (typeof found === 'string') return { offset, damage: found };
      if (found === null) return { offset, damage: null };
      yield { payload: found.payload, offset, end: found.end };
      offset = found.end;
    }
  } finally {
    closeSync(fd);
  }
}

/** The same with their frames: one that cannot be inflated is damage. */
export function* recordsOf(file: string, from = 0): Generator<RawRecord, Tail> {
  const records = packedRecordsOf(file, from);
  try {
    for (;;) {
      const record = records.next();
      if (record.done === true) return record.value;
      const { payload, offset, end } = record.value;
      const frame = frameOf(payload);
      if (frame === null) return { offset, damage: notInflated };
      yield { frame, offset, end };
    }
  } finally {
    // Closes the file where the reader stops early.
    records.return({ offset: from, damage: null });
  }
}

/** The frame of the one record that begins at `offset`; null where none does. */
export function recordFrom(file: string, offset: number): Uint8Array | null {
  const fd = openSync(file, 'r');
  try {
    const size = fstatSync(fd).size;
    const found = recordAt(new FileWindow(fd, size, headBytes), offset, size);
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
    const window = new FileWindow(fd, size);
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
function recordAt(
  window: FileWindow,
  offset: number,
  size: number,
): { readonly payload: Uint8Array; readonly end: number } | string | null {
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
