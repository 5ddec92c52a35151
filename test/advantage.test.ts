import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advantagesOf } from '../src/learning/advantage.ts';

const rule = { std: true, minimumScored: 2 };
const reward = fc.constantFrom(-1, 0, 1, null);

describe('advantage', () => {
  it('sums to 0 over the scored members, is null for the unscored, and has unit sample variance', () => {
    fc.assert(
      fc.property(fc.array(reward, { minLength: 2, maxLength: 16 }), (rewards) => {
        const result = advantagesOf(rewards, rule);
        if (result.kind === 'dropped') return;
        expect(result.advantages.map((a) => a === null)).toEqual(rewards.map((r) => r === null));
        const scored = result.advantages.filter((a) => a !== null);
        expect(scored.reduce((sum, a) => sum + a, 0)).toBeCloseTo(0, 10);
        expect(scored.reduce((sum, a) => sum + a * a, 0) / (scored.length - 1)).toBeCloseTo(1, 10);
      }),
    );
  });

  it('is dropped exactly when the scored rewards are equal or too few', () => {
    fc.assert(
      fc.property(fc.array(reward, { maxLength: 10 }), fc.integer({ min: 2, max: 5 }), (rewards, minimumScored) => {
        const scored = rewards.filter((r) => r !== null);
        const result = advantagesOf(rewards, { std: true, minimumScored });
        if (scored.length < minimumScored) expect(result).toEqual({ kind: 'dropped', reason: 'tooFewScored' });
        else if (new Set(scored).size === 1) expect(result).toEqual({ kind: 'dropped', reason: 'zeroVariance' });
        else expect(result.kind).toBe('trained');
      }),
    );
  });

  it('is as if unscored members had never been', () => {
    const without = advantagesOf([1, -1, 0], rule);
    const among = advantagesOf([null, 1, null, -1, 0, null], rule);
    expect(among.kind === 'trained' && among.advantages.filter((a) => a !== null)).toEqual(
      without.kind === 'trained' && without.advantages,
    );
  });

  it('leaves out the division when std is off', () => {
    expect(advantagesOf([1, 0, 0, 0], { std: false, minimumScored: 2 })).toEqual({
      kind: 'trained',
      advantages: [0.75, -0.25, -0.25, -0.25],
    });
  });

  it('drops equal rewards by equality: float residue never becomes an advantage', () => {
    const residue = 0.1 + 0.2;
    expect(advantagesOf([residue, residue, residue], rule)).toEqual({ kind: 'dropped', reason: 'zeroVariance' });
  });
});
