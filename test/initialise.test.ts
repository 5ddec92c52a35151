import { describe, expect, test } from 'vitest';
import { ConfigFault } from '../src/errors.ts';
import { createCore } from '../src/gpu/engines/embedded/core.ts';
import { gaussian, multiply, orthonormalRows, transpose } from '../src/gpu/engines/embedded/gaussian.ts';
import { initialise, tinyShape } from '../src/gpu/engines/embedded/initialise.ts';
import { packSequences } from '../src/gpu/engines/embedded/packed-rows.ts';
import { positionMass, positionWeights } from '../src/gpu/engines/embedded/position-kernel.ts';
import { parametersOf } from '../src/gpu/engines/embedded/shape.ts';
import { stream } from '../src/random.ts';

const shape = tinyShape(417);
const { tensors, frozen } = initialise(shape, 7);
const tensor = (name: string): Float32Array => tensors.get(name) as Float32Array;

/** Random words said twice. */
function repeated(length: number, seed: number): number[] {
  const chance = stream(seed);
  const once = Array.from({ length }, () => 8 + chance.int(400));
  return [...once, ...once];
}

/** Attention of one head of layer 0 over a sequence, straight from the definition of Qwen3: one row per position, entry D = mass on the token D back. */
function attention(ids: readonly number[], head: number): number[][] {
  const { hidden, headDim, ropeTheta } = shape;
  const at = 'model.layers.0.';
  const norm = (x: readonly number[], weight: Float32Array): number[] => {
    const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + shape.eps);
    return x.map((v, i) => v * scale * (weight[i] as number));
  };
  const project = (x: readonly number[], matrix: Float32Array, from: number): number[] =>
    Array.from({ length: headDim }, (_, row) => x.reduce((sum, v, i) => sum + v * (matrix[(from + row) * hidden + i] as number), 0));
  const rotate = (x: readonly number[], position: number): number[] =>
    x.map((v, i) => {
      const half = headDim / 2;
      const angle = position * ropeTheta ** (-(i % half) / half);
      return v * Math.cos(angle) + (i < half ? -(x[i + half] as number) : (x[i - half] as number)) * Math.sin(angle);
    });
  const rows = ids.map((id) =>
    norm(Array.from(tensor('model.embed_tokens.weight').subarray(id * hidden, (id + 1) * hidden)), tensor(`${at}input_layernorm.weight`)),
  );
  const read = (part: string, from: number): number[][] =>
    rows.map((x, t) =>
      rotate(norm(project(x, tensor(`${at}self_attn.${part}_proj.weight`), from), tensor(`${at}self_attn.${part}_norm.weight`)), t),
    );
  const queries = read('q', head * headDim);
  const keys = read('k', 0);
  return queries.map((query, t) => {
    const scores = keys.slice(0, t + 1).map((key) => query.reduce((sum, v, i) => sum + v * (key[i] as number), 0) / Math.sqrt(headDim));
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    return scores.map((score) => Math.exp(score) / total).reverse();
  });
}

describe('the initial weights', () => {
  test('are those of the architecture, and the same for the same seed', () => {
    expect([...tensors].map(([name, data]) => [name, data.length])).toEqual(
      parametersOf(shape).list.map(({ name, rows, cols }) => [name, rows * cols]),
    );
    const same = (seed: number): boolean[] =>
      [...initialise(shape, seed).tensors].map(([name, data]) => Buffer.from(data.buffer).equals(Buffer.from(tensor(name).buffer)));
    expect(same(7)).not.toContain(false);
    expect(same(8)).toContain(false);
  });

  test.each([0, 1])('make head %i of layer 0 look exactly that many tokens and one more back, whatever the tokens', (head) => {
    const rows = attention(repeated(60, 3), head);
    for (const mass of rows.slice(head + 1)) expect(mass[head + 1]).toBeGreaterThan(0.99);
  });

  test('copy: the second half of random text is continued right far above chance', () => {
    const core = createCore({ shape, threads: 1, deterministic: true, arenaMB: 64, cacheMB: 64 });
    try {
      core.load(tensors);
      const length = 30;
      const prompts = [1, 2, 3, 4].flatMap((seed) =>
        Array.from({ length: length - 2 }, (_, i) => repeated(length, seed).slice(0, length + 2 + i)),
      );
      const asked = prompts.map((ids) => ({
        ids: Int32Array.from(ids),
        n: 1,
        seeds: [0],
        stop: [],
        maxTokens: 1,
        temperature: 1,
        greedy: true,
      }));
      const right = core
        .sample(asked)
        .filter(([reply], i) => reply?.ids[0] === (prompts[i] as number[])[(prompts[i] as number[]).length - length]).length;
      // One of 448 words would be right by chance.
      expect(right / prompts.length).toBeGreaterThan(0.4);
      const [scores] = core.forward([packSequences([repeated(length, 5)])]);
      const mean = (from: number, to: number): number =>
        (scores as { logprobs: Float32Array }).logprobs.slice(from, to).reduce((sum, x) => sum + x, 0) / (to - from);
      expect(mean(length + 1, 2 * length - 1) - mean(0, length - 1)).toBeGreaterThan(2);
    } finally {
      core.close();
    }
  });

  test('freeze exactly the rows that attend by position', () => {
    expect(frozen.map(({ name, rows }) => [name.replace('model.layers.0.self_attn.', ''), rows])).toEqual([
      ['q_proj.weight', 128],
      ['k_proj.weight', 64],
      ['q_norm.weight', 64],
      ['k_norm.weight', 64],
    ]);
    for (const { name, rows } of frozen.slice(0, 2)) {
      const written = tensor(name).subarray(0, rows * shape.hidden);
      // They read the constant, coordinate 0, and nothing else.
      expect(written.every((value, i) => i % shape.hidden === 0 || value === 0)).toBe(true);
    }
  });

  test.each([{ layers: 1 }, { kvHeads: 4 }, { kvHeads: 1, heads: 2 }, { headDim: 32 }])(
    'need room for the heads: %o is refused',
    (over) => {
      expect(() => initialise({ ...shape, ...over }, 0)).toThrow(ConfigFault);
    },
  );
});

describe('position weights', () => {
  test('put more than 0.999 of 400 positions’ attention one and two tokens back', () => {
    const weights = positionWeights(64, 1e6, 2);
    for (const offset of [1, 2]) expect(positionMass(weights, 64, 1e6, 2, offset)).toBeGreaterThan(0.999);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(64, 1);
  });

  test('would not do at a gain of 1, which is why q-norm and k-norm are 2', () => {
    expect(positionMass(positionWeights(64, 1e6, 1), 64, 1e6, 1, 1)).toBeLessThan(0.6);
  });
});

describe('draws', () => {
  test('are standard normal', () => {
    const draw = gaussian(stream(1));
    const values = Array.from({ length: 20_000 }, draw);
    const moment = (power: number): number => values.reduce((sum, x) => sum + x ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.03);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.3);
  });

  test('make rows that are orthonormal to rounding', () => {
    const rows = orthonormalRows(63, 64, gaussian(stream(2)));
    const gram = multiply(rows, transpose(rows));
    for (const [i, line] of gram.entries())
      for (const [j, value] of line.entries()) expect(Math.abs(value - (i === j ? 1 : 0))).toBeLessThan(1e-12);
  });
});
