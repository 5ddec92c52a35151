/** TensorBoard's file, read by a reader that shares nothing with the writer: its own checksum, bit by bit, and a protobuf reader that knows no message. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scalarsOf } from '../src/record/exports/scalars.ts';
import { tfevents, type TimedScalars } from '../src/record/exports/tfevents.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import type { RunFolder } from '../src/record/folder.ts';
import { troupe } from './support/command-line.ts';
import { sampleRun } from './support/sample-run.ts';

/** Castagnoli's, one bit at a time, most significant first over reversed bits: slow, and another algorithm than the writer's. */
function slowCrc32c(data: Uint8Array): number {
  const reversed = (value: number, bits: number): number =>
    Number.parseInt((value >>> 0).toString(2).padStart(bits, '0').split('').toReversed().join(''), 2);
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= reversed(byte, 8) << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 || crc >= 0x80000000 ? (crc << 1) ^ 0x1edc6f41 : crc << 1;
  }
  return reversed((crc ^ 0xffffffff) >>> 0, 32);
}

const unmasked = (value: number): number => {
  const rotated = (value - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
};

function recordsIn(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    expect(unmasked(file.readUInt32LE(at + 8))).toBe(slowCrc32c(file.subarray(at, at + 8)));
    const payload = file.subarray(at + 12, at + 12 + length);
    expect(unmasked(file.readUInt32LE(at + 12 + length))).toBe(slowCrc32c(payload));
    records.push(payload);
    at += 16 + length;
  }
  return records;
}

/** Fields of any message, in order: number and value. */
function fieldsIn(message: Buffer): { readonly field: number; readonly value: number | Buffer }[] {
  const fields: { field: number; value: number | Buffer }[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let place = 1; ; place *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * place;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const field = key >> 3;
    const type = key & 7;
    if (type === 0) fields.push({ field, value: varint() });
    else if (type === 1) fields.push({ field, value: message.readDoubleLE((at += 8) - 8) });
    else if (type === 5) fields.push({ field, value: message.readFloatLE((at += 4) - 4) });
    else if (type === 2) {
      const length = varint();
      fields.push({ field, value: message.subarray(at, (at += length)) });
    } else throw new Error(`wire type ${type}`);
  }
  return fields;
}

interface Read {
  readonly step: number;
  readonly wallTime: number;
  readonly scalars: Map<string, number>;
}

/** Event: 1 wall_time, 2 step, 3 file_version, 5 summary. Summary: 1 value. Value: 1 tag, 2 simple_value. */
function eventsIn(file: Buffer): { readonly version: string; readonly events: Read[] } {
  const [first, ...rest] = recordsIn(file).map(fieldsIn);
  const of = (fields: ReturnType<typeof fieldsIn>, wanted: number): number | Buffer | undefined =>
    fields.find(({ field }) => field === wanted)?.value;
  return {
    version: String(of(first ?? [], 3)),
    events: rest.map((event) => ({
      step: Number(of(event, 2)),
      wallTime: Number(of(event, 1)),
      scalars: new Map(
        fieldsIn(of(event, 5) as Buffer).map(({ value }) => {
          const fields = fieldsIn(value as Buffer);
          return [String(of(fields, 1)), Number(of(fields, 2))];
        }),
      ),
    })),
  };
}

describe('the checksum of the reader', () => {
  test('is Castagnoli’s', () => {
    // RFC 3720, B.4.
    expect(slowCrc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(slowCrc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  });
});

describe('tensorboard', () => {
  const root = mkdtempSync(join(tmpdir(), 'troupe-tfevents-'));
  let folder: RunFolder;
  beforeAll(async () => {
    folder = await sampleRun(root);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('reads back what was written, as float32, whatever names and numbers', () => {
    const steps = fc.array(
      fc.record({
        step: fc.integer({ min: 0, max: 2 ** 40 }),
        wallTime: fc.double({ noNaN: true }),
        scalars: fc
          .array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.float({ noNaN: true })), { maxLength: 8 })
          .map((entries) => new Map(entries)),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(steps, (drawn: TimedScalars[]) => {
        const { version, events } = eventsIn(Buffer.concat([...tfevents(1, drawn)]));
        expect(version).toBe('brain.Event:2');
        expect(events).toEqual(drawn);
      }),
      { numRuns: 60 },
    );
  });
  test('holds every figure of every step of a run, and the steps in the order of time', () => {
    const out = join(root, 'board');
    const said = troupe(['export', 'tensorboard', folder.dir, '--out', out, '--json'], { cwd: root });
    expect(said.code).toBe(0);
    const { file, steps, scalars } = JSON.parse(said.out) as { file: string; steps: number; scalars: number };
    const { events } = eventsIn(readFileSync(file));
    const rows = readFileSync(folder.metrics, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => scalarsOf(JSON.parse(line) as JsonObject));
    expect(events.map(({ step }) => step)).toEqual([1, 2]);
    expect({ steps, scalars }).toEqual({ steps: 2, scalars: rows.reduce((sum, row) => sum + row.scalars.size, 0) });
    for (const [at, row] of rows.entries())
      expect(events[at]?.scalars).toEqual(new Map([...row.scalars].map(([tag, value]) => [tag, Math.fround(value)])));
    expect(events[1]?.wallTime).toBeGreaterThanOrEqual(events[0]?.wallTime ?? Infinity);
  });
});
