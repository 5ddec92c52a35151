import { describe, expect, it } from 'vitest';

import { Arena } from '../src/gpu/engines/embedded/arena.ts';
import { compileKernels, instantiateKernels } from '../src/gpu/engines/embedded/kernels.ts';
import { stream } from '../src/random.ts';

const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true });

describe.each([true, false])('the kernels (deterministic: %s)', (deterministic) => {
  const build = compileKernels(deterministic);
  const kernels = instantiateKernels(build.module, memory);
  const arena = new Arena(memory.buffer, 65536, memory.buffer.byteLength);
  const chance = stream(7);
  const random = (length: number): Float32Array => Float32Array.from({ length }, () => chance.next() * 2 - 1);

  it('are the plain build exactly where determinism is asked for', () => {
    expect(build.variant).toBe(deterministic ? 'plain' : 'relaxed');
  });

  it('multiply matrices of any height and depth', () => {
    for (const [m, n, k] of [
      [1, 8, 1],
      [5, 16, 3],
      [6, 24, 17],
      [7, 8, 300],
      [73, 40, 64],
    ] as const) {
      arena.reset();
      const [a, b, c] = [random(m * k), random(k * n), random(m * n)];
      const [pa, pb, pc, panels] = [arena.floats(a), arena.floats(b), arena.floats(c), arena.take(k * n)];
      kernels.pack(k, n, pb, n, 1, panels);
      kernels.matmul(m, n, k, pa, k, panels, pc, n, true);
      const wanted = c.map((value, i) => value + product(a, b, Math.floor(i / n), i % n, n, k, (row, s) => row * k + s));
      expect(worst(arena.view(pc, m * n), wanted)).toBeLessThan(2e-5);
    }
  });

  it('multiply by a matrix packed across its rows as along them', () => {
    arena.reset();
    const [k, n] = [19, 16];
    const b = random(k * n);
    const across = Float32Array.from(b, (_, i) => b[(i % k) * n + Math.floor(i / k)] ?? NaN);
    const [one, two] = [arena.take(k * n), arena.take(k * n)];
    kernels.pack(k, n, arena.floats(b), n, 1, one);
    kernels.pack(k, n, arena.floats(across), 1, k, two);
    expect([...arena.view(two, k * n)]).toEqual([...arena.view(one, k * n)]);
  });

  it('accumulate outer products over more rows than one block', () => {
    for (const [m, n, k] of [
      [8, 8, 1],
      [16, 24, 255],
      [40, 8, 257],
      [8, 16, 600],
    ] as const) {
      arena.reset();
      const [a, b, c] = [random(k * m), random(k * n), random(m * n)];
      const [pa, pb, pc, scratch] = [arena.floats(a), arena.floats(b), arena.floats(c), arena.take(256 * (n + 8))];
      kernels.accumulateOuter(m, n, k, pa, m, pb, n, pc, n, scratch);
      const wanted = c.map((value, i) => value + product(a, b, Math.floor(i / n), i % n, n, k, (row, s) => s * m + row));
      expect(worst(arena.view(pc, m * n), wanted)).toBeLessThan(1e-4);
    }
  });

  it('give a row the same bits in every batch', () => {
    arena.reset();
    const [m, n, k] = [23, 16, 70];
    const a = random(m * k);
    const [pa, panels, all, one] = [arena.floats(a), arena.take(k * n), arena.take(m * n), arena.take(n)];
    kernels.pack(k, n, arena.floats(random(k * n)), n, 1, panels);
    kernels.matmul(m, n, k, pa, k, panels, all, n, false);
    for (let row = 0; row < m; row++) {
      kernels.matmul(1, n, k, pa + row * k * 4, k, panels, one, n, false);
      expect([...arena.view(one, n)]).toEqual([...arena.view(all + row * n * 4, n)]);
    }
  });

  it('score extreme logits without overflow', () => {
    arena.reset();
    const logits = arena.floats([0, 0, 0, 0, 0, 0, 0, 0, 1000, -1000, 0, 0, 0, 0, 0, 0]);
    const [logprobs, entropy] = [arena.take(2), arena.take(2)];
    kernels.score(2, 8, logits, arena.ints([3, 1]), logprobs, entropy);
    expect(arena.view(logprobs, 2)[0]).toBeCloseTo(-Math.log(8), 6);
    expect(arena.view(logprobs, 2)[1]).toBe(-2000);
    expect(arena.view(entropy, 2)[0]).toBeCloseTo(Math.log(8), 6);
    expect(arena.view(entropy, 2)[1]).toBeCloseTo(0, 6);
  });

  it('draw the token whose share of the unit interval holds the number', () => {
    const shares = [0.1, 0.2, 0.05, 0.25, 0.15, 0.05, 0.1, 0.1];
    const bounds = shares.map((_, i) => shares.slice(0, i + 1).reduce((a, b) => a + b, 0));
    for (const u of [0, 0.05, 0.11, 0.29, 0.31, 0.34, 0.36, 0.58, 0.62, 0.76, 0.81, 0.89, 0.95, 1 - 2 ** -53]) {
      arena.reset();
      const logprob = arena.take(1);
      const token = kernels.draw(8, arena.floats(shares.map(Math.log)), 1, u, logprob);
      // Beyond the last bound by rounding, the most probable token stands in.
      expect(u < 0.9999 ? token : [3, 7].includes(token)).toBe(u < 0.9999 ? bounds.findIndex((bound) => u < bound) : true);
      expect(arena.view(logprob, 1)[0]).toBeCloseTo(Math.log(shares[token] ?? NaN), 5);
    }
  });
});

function product(
  a: Float32Array,
  b: Float32Array,
  row: number,
  column: number,
  n: number,
  k: number,
  index: (row: number, s: number) => number,
): number {
  let sum = 0;
  for (let s = 0; s < k; s++) sum += (a[index(row, s)] ?? NaN) * (b[s * n + column] ?? NaN);
  return sum;
}

function worst(actual: Float32Array, wanted: Float32Array): number {
  return Math.max(...wanted.map((value, i) => Math.abs(value - (actual[i] ?? NaN))));
}
