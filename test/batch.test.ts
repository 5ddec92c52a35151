import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packStep, sampledTokens } from '../src/learning/batch.ts';
import { type Census, censusOf, lostMembers, pauseReason } from '../src/learning/census.ts';
import type { Outcome } from '../src/protocol/outcome.ts';
import { cut, infraFault, judgeFault, outcomes, rolloutGroup, simulatorFault, verdict } from './support/rollouts.ts';

const rule = { std: true, minimumScored: 2 };

describe('packing a step', () => {
  it('accounts for every member exactly once, whatever became of it', () => {
    const outcome = fc.constantFrom<Outcome[]>(verdict(1), verdict(0), verdict(-1), simulatorFault, judgeFault, infraFault, cut, {
      kind: 'policyFault',
      reason: 'unreadable',
    });
    fc.assert(
      fc.property(fc.array(fc.array(outcome, { minLength: 1, maxLength: 8 }), { maxLength: 6 }), (groups) => {
        const packed = packStep(
          groups.map((members, task) => rolloutGroup(outcomes(...members), { task })),
          rule,
        );
        const members = groups.flat().length;
        expect(packed.census.members).toBe(members);
        expect(Object.values(packed.census.fates).reduce((a, b) => a + b, 0)).toBe(members);
        expect(packed.census.fates['trained'] ?? 0).toBe(packed.rollouts);
        expect(packed.batch.denominator).toBe(sampledTokens(packed.batch.samples));
      }),
    );
  });

  it('names the reason of each loss, and of missing members', () => {
    const missing = [{ member: 4, fault: { kind: 'ThreadFault' as const, message: 'killed' } }];
    const { census } = packStep(
      [
        rolloutGroup(outcomes(verdict(1), verdict(-1), simulatorFault, cut), { missing }),
        rolloutGroup(outcomes(verdict(1), judgeFault), { task: 1 }),
      ],
      rule,
    );
    expect(census.fates).toEqual({
      trained: 2,
      'simulatorFault.tool': 1,
      'truncated.budget': 1,
      'missing.ThreadFault': 1,
      tooFewScored: 1,
      judgeFault: 1,
    });
  });

  it('trains nothing of a group that was sealed as failed', () => {
    const packed = packStep([rolloutGroup(outcomes(verdict(1), verdict(-1)), { status: 'failed' })], rule);
    expect(packed.batch.samples).toEqual([]);
    expect(packed.rewards).toEqual([1, -1]);
  });

  it('takes the constant of Dr. GRPO as denominator where it is asked for', () => {
    const groups = [rolloutGroup(outcomes(verdict(1), verdict(-1)))];
    expect(packStep(groups, rule).batch.denominator).toBe(4);
    expect(packStep(groups, { ...rule, constantLength: 100 }).batch.denominator).toBe(200);
  });

  it('trains only groups solved as often as the band says; the others are no loss, and their rewards still count', () => {
    const solved = (share: number) => outcomes(...Array.from({ length: 8 }, (_, member) => verdict(member < share ? 1 : -1)));
    const groups = [1, 2, 6, 7].map((share, task) => rolloutGroup(solved(share), { task }));
    const { batch, census, rewards } = packStep(groups, { ...rule, solveRate: { low: 0.25, high: 0.75 } });
    expect([...new Set(batch.samples.map(({ group }) => group))]).toEqual([groups[1]?.id, groups[2]?.id]);
    expect(census.fates).toEqual({ trained: 16, outOfBand: 16 });
    expect(lostMembers(census)).toBe(0);
    expect(rewards).toHaveLength(32);
    expect(packStep(groups, rule).census.fates).toEqual({ trained: 32 });
  });

  it('takes the share of the scored members, and says of a group without variance that it has none', () => {
    const band = { ...rule, solveRate: { low: 0.5, high: 0.5 } };
    const half = rolloutGroup(outcomes(verdict(1), verdict(0), judgeFault, simulatorFault));
    const all = rolloutGroup(outcomes(verdict(1), verdict(1)), { task: 1 });
    expect(packStep([half, all], band).census.fates).toEqual({ trained: 2, judgeFault: 1, 'simulatorFault.tool': 1, zeroVariance: 2 });
  });

  it('refuses a trace that begins with a sampled token', () => {
    const members = outcomes(verdict(1), verdict(-1)).map((member) => ({ ...member, traces: [[{ said: [1, 2] }]] }));
    expect(() => packStep([rolloutGroup(members)], rule)).toThrow(RangeError);
  });
});

describe('the census', () => {
  const step = (fates: readonly (readonly [string, number])[]): Census => censusOf(fates.map(([fate, length]) => ({ fate, length })));
  const steady = (lost: number): Census =>
    step(Array.from({ length: 20 }, (_, n) => [n < lost ? 'judgeFault' : 'trained', 10 + n] as const));
  const bound = { step: 0.5, window: 0.1, steps: 4 };

  it('shows a loss that grows with length', () => {
    const { deciles } = step(Array.from({ length: 100 }, (_, n) => [n >= 80 ? 'truncated.budget' : 'trained', n] as const));
    expect(deciles.map((decile) => decile.lost)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 10, 10]);
    expect(deciles.reduce((sum, decile) => sum + decile.members, 0)).toBe(100);
  });

  it('pauses the run at an outage, with the reason in words', () => {
    expect(pauseReason([steady(11)], bound)).toMatch(/55.0 % .* 50.0 %: judgeFault 11/);
    expect(pauseReason([steady(10)], bound)).toBeNull();
  });

  it('pauses the run at a steady small loss, once it has been seen long enough', () => {
    expect(pauseReason([steady(3), steady(3), steady(3)], bound)).toBeNull();
    expect(pauseReason([steady(3), steady(3), steady(3), steady(3)], bound)).toMatch(/15.0 % .* last 4 steps/);
  });

  it('counts no zero-variance group as a loss', () => {
    expect(
      pauseReason(
        [
          step([
            ['zeroVariance', 1],
            ['zeroVariance', 2],
          ]),
        ],
        bound,
      ),
    ).toBeNull();
  });
});
