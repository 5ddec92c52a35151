import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { levelOf } from '../src/viewer/page/run/level.ts';
import { nextSort, pagesOf, revealed, windowOf } from '../src/viewer/page/kit/rows.ts';
import { isStill, reachOf, tickNames } from '../src/viewer/page/run/axis.ts';
import { combined, inWords, orZero, phasesOf, smoothed, stacked, stepsOf, successByDifficulty } from '../src/viewer/page/run/series.ts';
import { defectRate, fatesOf, healthOf, lossByLength, refusals } from '../src/viewer/page/run/simulators.ts';

describe('columns of a run', () => {
  const metrics = [
    { step: 's00002', meanReward: 0.5, success: 0.5, scored: 10, difficulty: 4, simulators: { audit: { refused: 2 } } },
    { step: 's00001', meanReward: null, success: 1, scored: 30, difficulty: 1 },
    { step: 's00010', meanReward: 'much', success: 0, scored: 10, difficulty: 4 },
  ];
  const timings = [
    { step: 's00001', drawMs: 5, rollMs: 10 },
    { step: 's00010', drawMs: 1, rollMs: 2, updateMs: 3 },
  ];

  test('rows come in the order of their steps, and what is no figure is none', () => {
    const steps = stepsOf(metrics, timings);
    expect(steps.numbers).toEqual([1, 2, 10]);
    expect(steps.metric('meanReward')).toEqual([null, 0.5, null]);
    expect(steps.metric('simulators.audit.refused')).toEqual([null, 2, null]);
    expect(steps.timing('rollMs')).toEqual([10, null, 2]);
  });

  test('a step that was written twice counts once, as written last', () => {
    const steps = stepsOf([...metrics, { step: 's00002', meanReward: -1 }], []);
    expect(steps.numbers).toEqual([1, 2, 10]);
    expect(steps.metric('meanReward')).toEqual([null, -1, null]);
  });

  test('a stack adds up from the ground, and is nothing where nothing was measured', () => {
    expect(phasesOf(timings)).toEqual(['draw', 'roll', 'update']);
    expect(
      stacked([
        [1, null, 2],
        [10, null, null],
        [null, null, 5],
      ]),
    ).toEqual([
      [1, null, 2],
      [11, null, 2],
      [11, null, 7],
    ]);
    expect(stacked([])).toEqual([]);
  });

  test('a quotient is no figure where it would not be finite', () => {
    expect(combined([10, 10, null], [2, 0, 1], (a, b) => a / b)).toEqual([5, null, null]);
  });

  test('a running mean lies within the figures it is of, and skips gaps', () => {
    expect(smoothed([1, null, 3, 5], 2)).toEqual([1, 1, 3, 4]);
    const column = fc.array(fc.option(fc.double({ min: -1, max: 1, noNaN: true }), { nil: null }), { minLength: 1 });
    fc.assert(
      fc.property(column, fc.integer({ min: 1, max: 20 }), (values, width) => {
        for (const mean of smoothed(values, width)) expect(mean === null || Math.abs(mean) <= 1 + 1e-9).toBe(true);
      }),
    );
  });

  test('training success at a D is weighed by who was scored there', () => {
    expect(successByDifficulty(stepsOf(metrics, []))).toEqual([
      { D: 1, success: 1, scored: 30 },
      { D: 4, success: 0.25, scored: 20 },
    ]);
  });

  test('ticks are told apart by their names', () => {
    expect(tickNames([0, 0.25, 0.5])).toEqual(['0.00', '0.25', '0.50']);
    expect(tickNames([0, 500, 1000])).toEqual(['0', '500', '1,000']);
    const spaced = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -6, max: 6 }), fc.constantFrom(1, 2, 2.5, 5));
    fc.assert(
      fc.property(spaced, ([first, magnitude, by]) => {
        const gap = by * 10 ** magnitude;
        const ticks = [0, 1, 2].map((i) => (first + i) * gap);
        expect(new Set(tickNames(ticks)).size).toBe(3);
      }),
    );
  });

  test('ticks that are nearly equal are told by what is added to the first', () => {
    expect(tickNames([6.1235, 6.12351, 6.12352])).toEqual(['6.1235', '+1e-5', '+2e-5']);
    expect(tickNames([1, 1 + 2e-8, 1 + 4e-8])).toEqual(['1', '+2e-8', '+4e-8']);
    expect(tickNames([0, 5e-12, 1e-11])).toEqual(['0', '5.0e-12', '1.0e-11']);
    const near = fc.tuple(fc.double({ min: 0.5, max: 1e5, noNaN: true }), fc.integer({ min: -8, max: -2 }), fc.integer({ min: 2, max: 6 }));
    fc.assert(
      fc.property(near, ([base, magnitude, count]) => {
        const ticks = Array.from({ length: count }, (_, i) => base * (1 + i * 10 ** magnitude));
        const names = tickNames(ticks);
        expect(new Set(names).size).toBe(count);
        expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(11);
      }),
    );
  });

  test('an axis reaches beyond its figures on both sides, and never so little that its ends are one', () => {
    const figures = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });
    fc.assert(
      fc.property(figures, figures, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const [from, until] = reachOf(low, high);
        expect(from).toBeLessThanOrEqual(low);
        expect(until).toBeGreaterThanOrEqual(high);
        expect(until - from).toBeGreaterThan(Math.max(Math.abs(low), Math.abs(high)) * 1e-10);
      }),
    );
  });

  test('a curve that never moves is known as one, and a single figure is not', () => {
    expect(isStill([[0, 0, null, 0]])).toBe(true);
    expect(
      isStill([
        [0, 0],
        [1, 2],
      ]),
    ).toBe(false);
    expect(isStill([[5]])).toBe(false);
  });

  test('a count that nobody counted up is zero where the step is known', () => {
    expect(orZero([null, 2, null], [10, 10, null])).toEqual([0, 2, null]);
  });

  test('a curve is told in words', () => {
    expect(inWords('reward', [null, 0.5, -1, 0.25], String)).toBe('reward: from 0.5 to 0.25 over 3 steps, between -1 and 0.5');
    expect(inWords('reward', [null], String)).toBe('reward: no figures');
  });
});

describe('simulators', () => {
  const tally = { asks: 10, calls: 8, spared: 2, defects: { malformed: 1 }, repaired: 1, masked: 0, promptTokens: 100, replyTokens: 10 };
  const rows = [
    { step: 's00001', simulators: { roles: { user: tally }, tools: { refund: tally }, audit: { episodes: 4, fidelity: 3, refused: 1 } } },
    { step: 's00002', simulators: { roles: { user: { ...tally, defects: { leak: 2, malformed: 1 } }, judge: tally }, tools: {} } },
  ];

  test('tallies add up by role over steps, and rates are of prompts', () => {
    const health = healthOf(rows);
    const user = health?.roles.find(({ name }) => name === 'user');
    expect(user).toMatchObject({ asks: 20, calls: 16, spared: 4, repaired: 2, promptTokens: 200 });
    expect(user && refusals(user)).toBe(4);
    expect(user && defectRate(user, 'malformed')).toBe(2 / 16);
    expect(user && defectRate(user, 'inconsistent')).toBe(0);
    expect(health?.roles.map(({ name }) => name)).toEqual(['user', 'judge']);
    expect(health?.audit).toEqual({ episodes: 4, fidelity: 3, refused: 1 });
    expect(health?.votes).toBeNull();
  });

  test('a run played by code has no simulators, and a row of nonsense counts as none', () => {
    expect(healthOf([{ step: 's00001' }])).toBeNull();
    expect(healthOf([{ simulators: 'none' }])).toMatchObject({ roles: [], tools: [] });
  });

  test('fates add up over steps and their shares to one', () => {
    const fates = fatesOf([{ fates: { trained: 3, zeroVariance: 4 } }, { fates: { trained: 2, 'simulatorFault.tool': 1 } }]);
    expect(fates.map(({ fate, count }) => [fate, count])).toEqual([
      ['trained', 5],
      ['zeroVariance', 4],
      ['simulatorFault.tool', 1],
    ]);
    expect(fates.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    expect(lossByLength([{ deciles: [{ members: 4, lost: 1 }] }, { deciles: [{ members: 4, lost: 0 }] }])[0]).toEqual({
      members: 8,
      lost: 1,
    });
  });
});

describe('the window of a long table', () => {
  test('it holds the rows in view, within the list, whatever the scroll', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), fc.integer({ min: 0, max: 3000 }), fc.nat(100_000), (top, height, total) => {
        const { from, until } = windowOf(top, height, 28, total);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(until).toBeLessThanOrEqual(total);
        expect(until - from).toBeLessThanOrEqual(Math.ceil(height / 28) + 26);
        const first = Math.floor(top / 28);
        if (first < total && height > 0) expect(from <= first && first < until).toBe(true);
      }),
    );
  });

  test('it touches two pages beside the first at most', () => {
    fc.assert(
      fc.property(fc.nat(1_400_000), fc.integer({ min: 1, max: 4000 }), (top, height) => {
        const pages = pagesOf(windowOf(top, height, 28, 50_000), 200);
        expect(pages[0]).toBe(0);
        expect(pages.length).toBeLessThanOrEqual(3);
      }),
    );
  });

  test('a picked row is brought into view and no further', () => {
    expect(revealed(3, 0, 280, 28)).toBe(0);
    expect(revealed(3, 200, 280, 28)).toBe(84);
    expect(revealed(30, 0, 280, 28)).toBe(31 * 28 - 280);
  });

  test('a heading sorts up, then down, then not', () => {
    expect(nextSort('', 'reward')).toBe('reward');
    expect(nextSort('reward', 'reward')).toBe('-reward');
    expect(nextSort('-reward', 'reward')).toBe('');
    expect(nextSort('-D', 'reward')).toBe('reward');
  });
});

test('a level of an evaluation is read as it was recorded, greedy before sampled', () => {
  expect(levelOf({ D: 25, n: 200, greedy: 0.5, sampled: 0.4, ci: [0.43, 0.57] })).toEqual({
    D: 25,
    n: 200,
    success: 0.5,
    low: 0.43,
    high: 0.57,
  });
  expect(levelOf({ D: 25, n: 0, greedy: null, sampled: null, ci: [0, 1] })?.success).toBeNull();
  expect(levelOf({ level: 3 })).toBeNull();
});
