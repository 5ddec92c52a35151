import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRows, type PackedRows } from '../src/gpu/engines/embedded/packed-rows.ts';
import { packBatch } from '../src/gpu/trainers/embedded/pack.ts';
import type { TokenBatch } from '../src/learning/batch.ts';
import type { GroupId } from '../src/protocol/ids.ts';

const shape = {
  vocab: 8,
  hidden: 8,
  layers: 1,
  heads: 1,
  kvHeads: 1,
  headDim: 8,
  intermediate: 8,
  ropeTheta: 1e4,
  eps: 1e-6,
  tied: true,
  maxPositions: 64,
};

/** Few tokens and short samples, so that common prefixes, equal samples and prefixes of each other all occur. */
const batches = fc
  .array(
    fc.record({
      group: fc.constantFrom('a', 'b'),
      ids: fc.array(fc.nat(2), { minLength: 2, maxLength: 10 }),
      mask: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
      advantage: fc.integer({ min: -3, max: 3 }),
    }),
    { maxLength: 12 },
  )
  .map((rows): TokenBatch => ({
    samples: rows.map(({ group, ids, mask, advantage }, n) => {
      const sampled = Uint8Array.from(ids, (_, i) => (i > 0 && mask[i] === true ? 1 : 0));
      return {
        group: group as GroupId,
        ids: Int32Array.from(ids),
        sampled,
        logprobs: Float32Array.from(ids, (_, i) => (sampled[i] === 1 ? -(n * 100 + i) : 0)),
        advantage,
      };
    }),
    denominator: 5,
  }));

/** The ids a row can see, itself last, by walking its segment and prefix: what attention does. */
function context(rows: PackedRows, row: number): number[] {
  const segment = rows.segments.find(({ start, length }) => row >= start && row < start + length);
  if (segment === undefined) throw new Error(`row ${row} is in no segment`);
  const before =
    segment.prefix === undefined ? [] : [...rows.ids.subarray(segment.prefix.start, segment.prefix.start + segment.prefix.length)];
  const seen = [...before, ...rows.ids.subarray(segment.start, row + 1)];
  expect(rows.positions[row]).toBe(seen.length - 1);
  return seen;
}

describe('packing for the embedded trainer', () => {
  it('gives each sampled token one target, in order, that sees exactly what came before it', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 4, max: 40 }), (batch, maxRows) => {
        const packed = packBatch(batch, maxRows);
        const wanted = batch.samples.flatMap((sample) =>
          [...sample.ids.keys()]
            .filter((i) => sample.sampled[i] === 1)
            .map((i) => ({
              before: [...sample.ids.subarray(0, i)],
              id: sample.ids[i],
              behaviour: sample.logprobs[i],
              advantage: sample.advantage,
            })),
        );
        const found = packed.shards.flatMap((shard) =>
          [...shard.targets.rows].map((row, t) => ({ before: context(shard, row), id: shard.targets.ids[t] })),
        );
        expect(found.map((target, t) => ({ ...target, behaviour: packed.behaviour[t], advantage: packed.advantages[t] }))).toEqual(wanted);
        for (const shard of packed.shards) checkRows(shape, shard);
      }),
    );
  });

  it('cuts bounds at samples, and shards where no sample is cut', () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 4, max: 40 }), (batch, maxRows) => {
        const packed = packBatch(batch, maxRows);
        const lengths = packed.bounds.flatMap((bounds) =>
          [...bounds.keys()].slice(1).map((s) => (bounds[s] as number) - (bounds[s - 1] as number)),
        );
        const sampled = batch.samples.map((sample) => sample.sampled.reduce((n, one) => n + one, 0)).filter((n) => n > 0);
        expect(lengths).toEqual(sampled);
        packed.shards.forEach((shard, s) => expect(packed.bounds[s]?.at(-1)).toBe(shard.targets.ids.length));
      }),
    );
  });

  it('computes the prompt of a group once', () => {
    const prompt = Array.from({ length: 30 }, () => 1);
    const one = (reply: number[]) => ({
      group: 'g' as GroupId,
      ids: Int32Array.from([...prompt, ...reply]),
      sampled: Uint8Array.from([...prompt.map(() => 0), ...reply.map(() => 1)]),
      logprobs: new Float32Array(30 + reply.length),
      advantage: 1,
    });
    const packed = packBatch({ samples: [one([2, 3, 4]), one([5, 6, 4]), one([7, 3, 4])], denominator: 9 }, 1000);
    expect(packed.shards.reduce((rows, shard) => rows + shard.ids.length, 0)).toBe(30 + 3 * 2);
  });

  it('makes shards of near equal size, in fours, none above the bound where samples allow it', () => {
    const samples = Array.from({ length: 64 }, (_, n) => ({
      group: `g${n >> 3}` as GroupId,
      ids: Int32Array.from({ length: 41 }, (_, i) => (i < 20 ? n >> 3 : (n + i) % 8)),
      sampled: Uint8Array.from({ length: 41 }, (_, i) => (i < 20 ? 0 : 1)),
      logprobs: new Float32Array(41),
      advantage: 1,
    }));
    const rows = packBatch({ samples, denominator: 1 }, 500).shards.map((shard) => shard.ids.length);
    expect(rows.length % 4).toBe(0);
    expect(Math.max(...rows)).toBeLessThanOrEqual(500);
    expect(Math.max(...rows) / Math.min(...rows)).toBeLessThan(1.5);
  });
});
