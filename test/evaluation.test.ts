import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapGain, pairedGain, passAtK, passHatK, successRate } from '../src/learning/evaluation.ts';
import { stream } from '../src/random.ts';

describe('evaluation', () => {
  it("gives Wilson's interval", () => {
    // Reference values: R, binom::binom.confint(c, n, methods = 'wilson').
    expect(successRate(81, 263).low).toBeCloseTo(0.2553, 3);
    expect(successRate(81, 263).high).toBeCloseTo(0.3662, 3);
    expect(successRate(0, 20)).toMatchObject({ mean: 0, low: 0 });
    expect(successRate(0, 20).high).toBeCloseTo(0.1611, 3);
    expect(successRate(0, 0)).toMatchObject({ low: 0, high: 1 });
  });

  it('keeps the rate inside its interval and the interval inside 0..1', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 500 }), (c, n) => {
        const { mean, low, high } = successRate(Math.min(c, n), n);
        expect(low >= 0 && low <= mean + 1e-12 && mean <= high + 1e-12 && high <= 1).toBe(true);
      }),
    );
  });

  it('excludes 0 for a gain on the same tasks that unpaired intervals could not tell', () => {
    const before = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 1 : 0));
    const after = before.map((value, i) => (i % 20 === 1 ? 1 : value));
    const gain = pairedGain(before, after);
    expect(gain.mean).toBeCloseTo(0.05, 10);
    expect(gain.low).toBeGreaterThan(0);
    expect(bootstrapGain(before, after, 1).low).toBeGreaterThan(0);
  });

  it('covers a true gain of 0 about 95 times in 100', () => {
    const draws = stream(4);
    let covered = 0;
    for (let trial = 0; trial < 400; trial++) {
      const task = () => (draws.chance(0.5) ? 1 : 0);
      const { low, high } = pairedGain(Array.from({ length: 100 }, task), Array.from({ length: 100 }, task));
      if (low <= 0 && high >= 0) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.91);
    expect(covered / 400).toBeLessThan(0.985);
  });

  it('gives the same bootstrap interval for the same seed', () => {
    const [before, after] = [
      [0, 1, 0, 1, 0],
      [1, 1, 0, 1, 1],
    ];
    expect(bootstrapGain(before, after, 7)).toEqual(bootstrapGain(before, after, 7));
  });

  it('refuses results of different tasks', () => expect(() => pairedGain([1, 0, 1], [1, 0])).toThrow(RangeError));

  it('estimates pass@k and pass^k without bias', () => {
    // Over all ways to have c right of n, the mean of the estimator equals the true probability for independent samples of rate p.
    const [n, k, p] = [6, 3, 0.4];
    const binomial = (c: number): number => {
      let ways = 1;
      for (let i = 0; i < c; i++) ways *= (n - i) / (i + 1);
      return ways * p ** c * (1 - p) ** (n - c);
    };
    let [at, hat] = [0, 0];
    for (let c = 0; c <= n; c++) {
      at += binomial(c) * passAtK(n, c, k);
      hat += binomial(c) * passHatK(n, c, k);
    }
    expect(at).toBeCloseTo(1 - (1 - p) ** k, 10);
    expect(hat).toBeCloseTo(p ** k, 10);
  });

  it('refuses a k greater than the samples', () => expect(() => passAtK(4, 2, 5)).toThrow(RangeError));
});
