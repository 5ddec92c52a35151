/**
 * The first weights of a tiny policy: heads that copy are written down instead of waited for. Knows the architecture, no vocabulary and no task.
 *
 * From ordinary random weights a model of this size does not find induction within an hour of training; from these it copies at once, and what is
 * learnt is tool use. Layer 0: two heads that look one and two tokens back. Layer 1: four heads that match and copy. Residual layout, n = hidden / 4:
 * coordinate 0 = a constant; code = the token's own code; previous = the code of the token before; earlier = of the one before that.
 *
 * The trick that makes position-only attention exact: a q (k) row that reads only the constant becomes, after q-norm (k-norm), the same vector
 * whatever the token and whatever RMSNorm did. Those rows stay frozen; their values and outputs train.
 */
import { ConfigFault } from '../../../errors.ts';
import { type Seed, seedOf, stream } from '../../../random.ts';
import type { FrozenRows } from '../../weights.ts';
import { gaussian, gaussianMatrix, type Matrix, multiply, orthonormalRows, scaled, transpose } from './gaussian.ts';
import { positionWeights, rotaryAngles } from './position-kernel.ts';
import { type ModelShape, parametersOf } from './shape.ts';

/** The shape these numbers were found for: 0.85 million parameters at 448 words. */
export const tinyShape = (words: number): ModelShape => ({
  vocab: Math.ceil(words / 64) * 64,
  hidden: 128,
  layers: 4,
  heads: 4,
  kvHeads: 2,
  headDim: 64,
  intermediate: 256,
  ropeTheta: 1e6,
  eps: 1e-6,
  tied: true,
  maxPositions: 1024,
});

/** q-norm and k-norm weights of layer 0: at 2, 0.999 of the attention is on the right token of 400. */
const POSITION_GAIN = 2;
/** q-norm and k-norm weights of layer 1: a match scores 13.5 against noise of deviation 2.4. */
const MATCH_GAIN = 1.3;
/** Makes hand-written q and k rows stiff to the optimiser; q-norm and k-norm divide it out. */
const STIFFNESS = 4;
/** Scale of a carried code, so that it weighs as much in the residual as the token's own. */
const CARRY = 0.12 * 0.7;
/** What match heads beside the plain copier write, relative to it. */
const ROTATED = 0.4;
/** Slow pairs carry content: fewer than a radian in 100 tokens. */
const SLOW = 1 / 100;
const NOISE = 0.02;

export interface InitialWeights {
  /** Hugging Face name → values, [out, in] for matrices. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  readonly frozen: readonly FrozenRows[];
}

/** Deterministic in `seed`. Throws ConfigFault for a shape that has no room for the heads. */
export function initialise(shape: ModelShape, seed: Seed): InitialWeights {
  checkRoom(shape);
  const { hidden, headDim } = shape;
  const half = headDim / 2;
  const n = hidden / 4;
  const code = { from: 1, count: hidden - 2 * n - 1 };
  const previous = { from: hidden - 2 * n, count: n };
  const earlier = { from: hidden - n, count: n };
  const constant = 2 / Math.sqrt(code.count);
  const draw = gaussian(stream(seedOf('initialise', seed)));
  const tensors = ordinary(shape, draw);
  const block = (name: string): Block => ({ data: tensors.get(name) as Float32Array, cols: parameterCols(shape, name) });
  const attention = (layer: number, part: string): Block => block(`model.layers.${layer}.self_attn.${part}.weight`);
  const isometry = (): Matrix => transpose(orthonormalRows(code.count, headDim, draw));

  const embedding = block('model.embed_tokens.weight');
  embedding.data.fill(0);
  put(embedding, 0, code.from, gaussianMatrix(shape.vocab, code.count, code.count ** -0.5, draw));
  put(embedding, 0, previous.from, gaussianMatrix(shape.vocab, 2 * n, NOISE, draw));
  for (let word = 0; word < shape.vocab; word++) put(embedding, word, 0, [[constant]]);

  // Layer 0. Key-value head 0 holds one fixed key and the token's code; query heads 0 and 1 turn the key back by one and two positions.
  const angles = rotaryAngles(headDim, shape.ropeTheta);
  const amplitudes = positionWeights(headDim, shape.ropeTheta, POSITION_GAIN).map((w) => STIFFNESS * Math.sqrt(w));
  for (const norm of ['q_norm', 'k_norm']) attention(0, norm).data.fill(POSITION_GAIN);
  clear(attention(0, 'k_proj'), 0, headDim);
  put(
    attention(0, 'k_proj'),
    0,
    0,
    amplitudes.map((a) => [a]),
  );
  const read = isometry();
  clear(attention(0, 'v_proj'), 0, headDim);
  put(attention(0, 'v_proj'), 0, code.from, read);
  const carry = scaled(orthonormalRows(n, headDim, draw), CARRY * Math.sqrt(headDim / n));
  for (const [head, target] of [previous, earlier].entries()) {
    const offset = head + 1;
    clear(attention(0, 'q_proj'), head * headDim, headDim);
    put(
      attention(0, 'q_proj'),
      head * headDim,
      0,
      amplitudes.map((a, i) => [a * Math.cos(offset * (angles[i] as number))]),
    );
    put(
      attention(0, 'q_proj'),
      head * headDim + half,
      0,
      amplitudes.map((a, i) => [-a * Math.sin(offset * (angles[i] as number))]),
    );
    put(attention(0, 'o_proj'), 0, head * headDim, zeros(hidden, headDim));
    put(attention(0, 'o_proj'), target.from, head * headDim, carry);
  }

  // Layer 1. A key says what stood before (head 0) or two before (head 1); a query asks for the present token's code or the one before it.
  const slow = angles.flatMap((angle, i) => (angle < SLOW ? [i, i + half] : []));
  const projection = gaussianMatrix(slow.length, n, n ** -0.5, draw);
  const match: Matrix = Array.from({ length: headDim }, (_, row) => projection[slow.indexOf(row)] ?? Array.from({ length: n }, () => 0));
  const matchCode = multiply(match, multiply(carry, read));
  for (const norm of ['q_norm', 'k_norm']) attention(1, norm).data.fill(MATCH_GAIN);
  for (const [kvHead, source] of [previous, earlier].entries()) {
    clear(attention(1, 'k_proj'), kvHead * headDim, headDim);
    put(attention(1, 'k_proj'), kvHead * headDim, source.from, scaled(match, STIFFNESS));
    const value = isometry();
    clear(attention(1, 'v_proj'), kvHead * headDim, headDim);
    put(attention(1, 'v_proj'), kvHead * headDim, code.from, value);
    for (const head of [2 * kvHead, 2 * kvHead + 1]) {
      const asksForPresent = head % 2 === 0;
      clear(attention(1, 'q_proj'), head * headDim, headDim);
      put(
        attention(1, 'q_proj'),
        head * headDim,
        asksForPresent ? code.from : previous.from,
        scaled(asksForPresent ? matchCode : match, STIFFNESS),
      );
      // Head 0 writes the copied code as it is, so that the tied head reads it as that token's logit; the others write it rotated, for later layers.
      const back = transpose(value);
      const written = head === 0 ? back : scaled(multiply(orthonormalRows(code.count, code.count, draw), back), ROTATED);
      put(attention(1, 'o_proj'), 0, head * headDim, zeros(hidden, headDim));
      put(attention(1, 'o_proj'), code.from, head * headDim, scaled(written, constant));
    }
  }
  const at = 'model.layers.0.self_attn';
  const frozen = [
    { name: `${at}.q_proj.weight`, rows: 2 * headDim },
    { name: `${at}.k_proj.weight`, rows: headDim },
    { name: `${at}.q_norm.weight`, rows: headDim },
    { name: `${at}.k_norm.weight`, rows: headDim },
  ];
  return { tensors, frozen };
}

/** Ordinary weights everywhere: N(0, 1/fan-in), a tenth of that where a block writes into the residual, norms 1. */
function ordinary(shape: ModelShape, draw: () => number): Map<string, Float32Array> {
  const tensors = new Map<string, Float32Array>();
  for (const { name, kind, rows, cols } of parametersOf(shape).list) {
    const data = new Float32Array(rows * cols);
    const quiet = name.endsWith('o_proj.weight') || name.endsWith('down_proj.weight') ? 0.1 : 1;
    for (let i = 0; i < data.length; i++) data[i] = kind === 'norm' ? 1 : draw() * cols ** -0.5 * quiet;
    tensors.set(name, data);
  }
  return tensors;
}

function checkRoom(shape: ModelShape): void {
  const { hidden, layers, heads, kvHeads, headDim } = shape;
  if (layers < 2 || kvHeads < 2 || heads !== 2 * kvHeads)
    throw new ConfigFault('the initialisation needs two layers, two key-value heads and twice as many query heads');
  if (hidden % 4 !== 0 || hidden / 2 - 1 > headDim)
    throw new ConfigFault(`a head of ${headDim} dimensions cannot carry a code of ${hidden / 2 - 1}`);
}

/** A tensor as rows of `cols`. */
interface Block {
  readonly data: Float32Array;
  readonly cols: number;
}

const parameterCols = (shape: ModelShape, name: string): number =>
  parametersOf(shape).list.find((parameter) => parameter.name === name)?.cols as number;

const zeros = (rows: number, cols: number): Matrix => Array.from({ length: rows }, () => Array.from({ length: cols }, () => 0));

const clear = ({ data, cols }: Block, row: number, count: number): void => void data.fill(0, row * cols, (row + count) * cols);

function put({ data, cols }: Block, row: number, column: number, values: Matrix): void {
  for (const [i, line] of values.entries()) data.set(line, (row + i) * cols + column);
}
