/**
 * TensorBoard's event file: TFRecords (length, masked crc32c, payload, masked crc32c) of three protobuf messages, Event, Summary and Summary.Value, written by hand. Knows numbers by name and step; not where they come from.
 * Source: tensorflow/core/util/event.proto, framework/summary.proto, lib/io/record_writer.cc.
 */
import type { StepScalars } from './scalars.ts';

/** Of one step, and when it ended, in seconds since 1970. */
export interface TimedScalars extends StepScalars {
  readonly wallTime: number;
}

/** The file in pieces: the version that readers look for, then one event a step. */
export function* tfevents(startTime: number, steps: Iterable<TimedScalars>): Generator<Uint8Array> {
  yield recordOf(message([double(1, startTime), bytes(3, utf8('brain.Event:2'))]));
  for (const { step, wallTime, scalars } of steps) {
    const values = [...scalars].map(([tag, value]) => bytes(1, message([bytes(1, utf8(tag)), float(2, value)])));
    yield recordOf(message([double(1, wallTime), varint(2, step), bytes(5, message(values))]));
  }
}

function recordOf(payload: Uint8Array): Uint8Array {
  const record = new Uint8Array(16 + payload.length);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(payload.length), true);
  view.setUint32(8, masked(record.subarray(0, 8)), true);
  record.set(payload, 12);
  view.setUint32(12 + payload.length, masked(payload), true);
  return record;
}

/** TFRecord stores no plain crc: a crc of bytes that hold crcs is weak. */
function masked(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Castagnoli's polynomial, reflected; zlib's crc32 is another. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
  return crc;
});

function crc32c(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) crc = (table[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Wire types of protobuf. */
const wire = { varint: 0, double: 1, bytes: 2, float: 5 } as const;

const message = (fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);
const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const key = (field: number, type: number): number => (field << 3) | type;

function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([key(field, wire.varint), ...digits(value)]);
}

/** Base 128, least significant first. */
function digits(value: number): number[] {
  const found = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) found.push((rest % 128) | 128);
  return [...found, rest];
}

function double(field: number, value: number): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = key(field, wire.double);
  new DataView(out.buffer).setFloat64(1, value, true);
  return out;
}

function float(field: number, value: number): Uint8Array {
  const out = new Uint8Array(5);
  out[0] = key(field, wire.float);
  new DataView(out.buffer).setFloat32(1, value, true);
  return out;
}

const bytes = (field: number, value: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.from([key(field, wire.bytes), ...digits(value.length)]), value]);
