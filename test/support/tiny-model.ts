/** Small models with random weights and small packed batches for the tests of the compute core. */
import type { PackedRows } from '../../src/gpu/engines/embedded/packed-rows.ts';
import type { ModelShape } from '../../src/gpu/engines/embedded/shape.ts';
import { parametersOf } from '../../src/gpu/engines/embedded/shape.ts';
import { stream } from '../../src/random.ts';

/** Grouped queries, decoupled head size, sizes that are no multiple of a tile. */
export const tinyShape: ModelShape = {
  vocab: 40,
  hidden: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediate: 56,
  ropeTheta: 10000,
  eps: 1e-6,
  tied: true,
  maxPositions: 128,
};

/** Norms near 1, everything else normal with variance 1 / inputs. */
export function randomTensors(shape: ModelShape, seed: number): Map<string, Float32Array> {
  const chance = stream(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - chance.next())) * Math.cos(2 * Math.PI * chance.next());
  return new Map(
    parametersOf(shape).list.map((p) => [
      p.name,
      Float32Array.from({ length: p.rows * p.cols }, () => (p.kind === 'norm' ? 1 + 0.2 * normal() : normal() * p.cols ** -0.5)),
    ]),
  );
}

export function randomIds(shape: ModelShape, length: number, seed: number): Int32Array {
  const chance = stream(seed);
  return Int32Array.from({ length }, () => chance.int(shape.vocab));
}

/** A group: one prefix, members of the given lengths, every row of a member and the prefix's last row (once per member) predicting. */
export function group(shape: ModelShape, prefix: number, members: readonly number[], seed: number): PackedRows {
  const chance = stream(seed);
  const ids: number[] = [];
  const positions: number[] = [];
  const rows: number[] = [];
  const targets: number[] = [];
  const append = (length: number, from: number): { start: number; length: number } => {
    const start = ids.length;
    for (let i = 0; i < length; i++) {
      ids.push(chance.int(shape.vocab));
      positions.push(from + i);
    }
    return { start, length };
  };
  const shared = append(prefix, 0);
  const segments = [
    shared,
    ...members.map((length) => {
      const own = append(length, prefix);
      rows.push(prefix - 1);
      targets.push(ids[own.start] ?? 0);
      for (let i = 0; i < length; i++) {
        rows.push(own.start + i);
        targets.push(chance.int(shape.vocab));
      }
      return { ...own, prefix: shared };
    }),
  ];
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    segments,
    targets: { rows: Int32Array.from(rows), ids: Int32Array.from(targets) },
  };
}
