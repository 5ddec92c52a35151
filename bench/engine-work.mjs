// The work the engine bench times: two model shapes, the batches they train on and the prompts they sample from, all drawn from fixed seeds.
import { packSequences } from '../dist/gpu/engines/embedded/packed-rows.js';
import { parametersOf } from '../dist/gpu/engines/embedded/shape.js';
import { seedOf, stream } from '../dist/random.js';

const common = { ropeTheta: 1e6, eps: 1e-6, tied: true, maxPositions: 512 };
const upTo = (length, make) => Array.from({ length }, (_, i) => make(i));

/** `shards`: what one optimiser step trains on, 32 × 160 tokens in the reference. `requests`: 64 × 96 tokens to sample there. */
export const workloads = {
  reference: {
    shape: { ...common, vocab: 512, hidden: 192, layers: 4, heads: 6, kvHeads: 6, headDim: 32, intermediate: 512 },
    shards: (shape) => upTo(8, (s) => packSequences(upTo(4, (i) => tokens(shape, 160, s * 4 + i)))),
    requests: (shape) => upTo(64, (i) => ({ ids: tokens(shape, 16, i), n: 1, maxTokens: 96 })),
  },
  /** models/tiny-base, and what its rollouts look like: 16 groups of 8 over one prompt. */
  policy: {
    shape: { ...common, vocab: 384, hidden: 128, layers: 4, heads: 4, kvHeads: 2, headDim: 64, intermediate: 256 },
    shards: (shape) => upTo(16, (s) => group(shape, 120, [20, 60, 30, 90, 50, 40, 80, 70], s)),
    requests: (shape) => upTo(16, (i) => ({ ids: tokens(shape, 120, i), n: 8, maxTokens: 55 })),
  },
};

function tokens(shape, length, seed) {
  const chance = stream(seedOf('bench', seed));
  return Int32Array.from({ length }, () => chance.int(shape.vocab));
}

/** One shared prefix, every row of every member predicting its successor. */
function group(shape, prefix, members, seed) {
  const segments = [{ start: 0, length: prefix }];
  for (const length of members) segments.push({ start: segments.at(-1).start + segments.at(-1).length, length, prefix: segments[0] });
  const total = segments.at(-1).start + segments.at(-1).length;
  const positions = new Int32Array(total);
  for (const { start, length, prefix: shared } of segments)
    for (let i = 0; i < length; i++) positions[start + i] = (shared?.length ?? 0) + i;
  const rows = Int32Array.from({ length: total - prefix }, (_, i) => prefix + i);
  return { ids: tokens(shape, total, seed), positions, segments, targets: { rows, ids: tokens(shape, rows.length, seed + 1000) } };
}

export function weights(shape) {
  const chance = stream(1);
  const value = (p) => (p.kind === 'norm' ? 1 : ((chance.next() - 0.5) * 3.4) / Math.sqrt(p.cols));
  return new Map(parametersOf(shape).list.map((p) => [p.name, Float32Array.from({ length: p.rows * p.cols }, () => value(p))]));
}

/** Floating-point operations of one trained token: multiply-adds of matrices, head and the visible part of attention, twice, in three passes. */
export function flopsPerToken(shape, meanKeys) {
  const { hidden, layers, heads, kvHeads, headDim, intermediate, vocab } = shape;
  const matrices = hidden * (2 * heads + 2 * kvHeads) * headDim + 3 * hidden * intermediate;
  return 6 * (layers * (matrices + 2 * heads * headDim * meanKeys) + hidden * vocab);
}
