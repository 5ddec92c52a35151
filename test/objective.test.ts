import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Objective, type ObjectiveTokens, addSums, evaluateObjective, imitation, metricsOf } from '../src/learning/objective.ts';

const grpo: Objective = { kind: 'grpo', clipLow: 0.2, clipHigh: 0.2, kl: 0.001 };
const f32 = (...values: number[]): Float32Array => Float32Array.from(values);
const bounds = (...at: number[]): Int32Array => Int32Array.from(at);

const one = (logprob: number, behaviour: number, advantage: number): ObjectiveTokens => ({
  logprobs: f32(logprob),
  behaviour: f32(behaviour),
  advantages: f32(advantage),
  bounds: bounds(0, 1),
  denominator: 1,
});

/** Log-probs, and advantages of both signs, on a grid wide enough to meet every clip. */
const tokens = fc
  .array(
    fc.record({
      l: fc.double({ min: -3, max: -0.1, noNaN: true }),
      b: fc.double({ min: -3, max: -0.1, noNaN: true }),
      q: fc.double({ min: -3, max: -0.1, noNaN: true }),
      a: fc.double({ min: -2, max: 2, noNaN: true }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((rows): ObjectiveTokens & { reference: Float32Array } => ({
    logprobs: Float32Array.from(rows, (row) => row.l),
    behaviour: Float32Array.from(rows, (row) => row.b),
    advantages: Float32Array.from(rows, (row) => row.a),
    reference: Float32Array.from(rows, (row) => row.q),
    bounds: bounds(0, rows.length),
    denominator: rows.length,
  }));

describe('objective', () => {
  it("has the gradient its loss has by finite differences, for grpo with KL, dr-grpo's constant and imitation", () => {
    for (const objective of [grpo, { ...grpo, clipHigh: 0.28, kl: 0.1 }, { ...imitation, kl: 0.05 }]) {
      fc.assert(
        fc.property(tokens, (batch) => {
          const { gradient } = evaluateObjective(objective, batch);
          const h = 2 ** -9;
          for (let t = 0; t < batch.logprobs.length; t++) {
            const ratio = Math.exp((batch.logprobs[t] as number) - (batch.behaviour[t] as number));
            // At the kink of the clip no derivative exists.
            if (Math.min(Math.abs(ratio - 0.8), Math.abs(ratio - 1.2), Math.abs(ratio - 1.28)) < 0.01) continue;
            const lossAt = (delta: number): number =>
              evaluateObjective(objective, { ...batch, logprobs: batch.logprobs.map((l, i) => (i === t ? l + delta : l)) }).sums.loss;
            const slope = (lossAt(h) - lossAt(-h)) / (2 * h);
            expect(Math.abs(slope - (gradient[t] as number))).toBeLessThan(2e-3 * Math.max(1, Math.abs(slope)));
          }
        }),
        { numRuns: 60 },
      );
    }
  });

  it('takes the gradient from a token the clip binds, on the side where it binds only', () => {
    const gradientOf = (logprob: number, advantage: number): number =>
      evaluateObjective({ ...grpo, kl: 0 }, one(logprob, -1, advantage)).gradient[0] as number;
    expect(gradientOf(-0.5, 1)).toBe(0); // ρ = 1.65, already raised enough
    expect(gradientOf(-1.5, -1)).toBe(0); // ρ = 0.61, already lowered enough
    expect(gradientOf(-1.5, 1)).toBeCloseTo(-Math.exp(-0.5), 5);
    expect(gradientOf(-0.5, -1)).toBeCloseTo(Math.exp(0.5), 5);
  });

  it('clips higher with clipHigh alone raised', () => {
    const wide = evaluateObjective({ ...grpo, kl: 0, clipHigh: 0.8 }, one(-0.5, -1, 1));
    expect(wide.gradient[0]).not.toBe(0);
  });

  it('is −A∇logπ/N on policy: ratio 1, nothing clipped', () => {
    const { gradient, sums } = evaluateObjective(
      { ...grpo, kl: 0 },
      { logprobs: f32(-1, -2), behaviour: f32(-1, -2), advantages: f32(0.5, -1), bounds: bounds(0, 2), denominator: 4 },
    );
    expect([...gradient]).toEqual([-0.125, 0.25]);
    expect(metricsOf(sums)).toMatchObject({ ratioMean: 1, ess: 1, gap: 0, clipFraction: 0 });
  });

  it('keeps a gradient under CISPO where the clip of grpo takes it, with the weight cut', () => {
    const cispo = evaluateObjective({ ...grpo, kind: 'cispo', kl: 0 }, one(-0.5, -1, 1));
    expect(cispo.gradient[0]).toBeCloseTo(-1.2, 5);
  });

  it('truncates the importance weight of a token at the cap of 2', () => {
    const objective: Objective = { ...grpo, kl: 0, importance: 'token' };
    expect(evaluateObjective(objective, one(-0.1, -3, 1)).gradient[0]).toBeCloseTo(-2, 5);
    expect(evaluateObjective(objective, one(-1, -1.1, 1)).gradient[0]).toBeCloseTo(-Math.exp(0.1), 5);
  });

  it('clips against the start of the step when importance weights are on', () => {
    const batch = { ...one(-0.5, -1, 1), proximal: f32(-0.5) };
    expect(evaluateObjective({ ...grpo, kl: 0, importance: 'token' }, batch).gradient[0]).toBeCloseTo(-Math.exp(0.5), 5);
    expect(evaluateObjective({ ...grpo, kl: 0, importance: 'token' }, { ...batch, proximal: f32(-1) }).gradient[0]).toBeCloseTo(0, 10);
  });

  it('silences a rollout whose mean ratio is out of bounds, and no other', () => {
    const batch: ObjectiveTokens = {
      logprobs: f32(-1, -1, -1, -1),
      behaviour: f32(-1, -1, -4, -4),
      advantages: f32(1, 1, 1, 1),
      bounds: bounds(0, 2, 4),
      denominator: 4,
    };
    const { gradient, sums } = evaluateObjective({ ...grpo, kl: 0, clipHigh: 100, sequence: { low: 0.5, high: 2 } }, batch);
    expect([...gradient]).toEqual([-0.25, -0.25, 0, 0]);
    expect(metricsOf(sums)['maskedFraction']).toBe(0.5);
  });

  it('has a k3 KL that is never negative and 0 only at the base', () => {
    fc.assert(
      fc.property(tokens, (batch) => {
        expect(metricsOf(evaluateObjective(grpo, batch).sums)['kl']).toBeGreaterThanOrEqual(-1e-15);
      }),
    );
    expect(metricsOf(evaluateObjective(grpo, { ...one(-1, -1, 1), reference: f32(-1) }).sums)['kl']).toBe(0);
  });

  it('reports raw ratios and their effective share, before any clip', () => {
    const { sums } = evaluateObjective(
      { ...grpo, kl: 0 },
      { logprobs: f32(0, -1), behaviour: f32(-2, -1), advantages: f32(1, 1), bounds: bounds(0, 2), denominator: 2 },
    );
    const metrics = metricsOf(sums);
    expect(metrics['ratioMax']).toBeCloseTo(Math.exp(2), 4);
    expect(metrics['ess']).toBeCloseTo((Math.exp(2) + 1) ** 2 / (2 * (Math.exp(4) + 1)), 4);
    expect(metrics['gap']).toBeCloseTo(1, 6);
    expect(metrics['clipFraction']).toBe(0.5);
  });

  it('gives the same loss and metrics in micro-batches as at once', () => {
    const whole: ObjectiveTokens = {
      logprobs: f32(-1, -0.3, -2),
      behaviour: f32(-1.2, -1, -1),
      advantages: f32(1, -1, 0.5),
      bounds: bounds(0, 1, 3),
      denominator: 3,
      reference: f32(-1, -1, -1),
    };
    const part = (from: number, to: number): ObjectiveTokens => ({
      logprobs: whole.logprobs.slice(from, to),
      behaviour: whole.behaviour.slice(from, to),
      advantages: whole.advantages.slice(from, to),
      reference: f32(...Array<number>(to - from).fill(-1)),
      bounds: bounds(0, to - from),
      denominator: 3,
    });
    const apart = addSums(evaluateObjective(grpo, part(0, 1)).sums, evaluateObjective(grpo, part(1, 3)).sums);
    const at = evaluateObjective(grpo, whole).sums;
    for (const key of Object.keys(at) as (keyof typeof at)[]) expect(apart[key]).toBeCloseTo(at[key], 10);
  });

  it('refuses arrays that slipped against each other, and a KL without its base', () => {
    expect(() => evaluateObjective({ ...grpo, kl: 0 }, { ...one(-1, -1, 1), advantages: f32(1, 1) })).toThrow(RangeError);
    expect(() => evaluateObjective({ ...grpo, kl: 0 }, { ...one(-1, -1, 1), bounds: bounds(0, 2) })).toThrow(RangeError);
    expect(() => evaluateObjective(grpo, one(-1, -1, 1))).toThrow(/base/);
  });
});
