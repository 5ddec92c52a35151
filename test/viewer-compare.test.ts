/** Two runs compared: which tasks they share, and what either made of them. */
import { describe, expect, test } from 'vitest';
import { pairedGain } from '../src/learning/evaluation.ts';
import { comparePage } from '../src/viewer/compare.ts';
import type { EpisodeRow } from '../src/viewer/contract.ts';
import { alignedSteps } from '../src/viewer/page/compare/overlay.ts';
import { configDifferences } from '../src/viewer/page/compare/differences.ts';

const rowOf = (group: string, rewards: readonly (number | null)[], changes: Partial<EpisodeRow> = {}): EpisodeRow[] =>
  rewards.map((reward, member) => ({
    episode: `${group}.e0${member}`,
    group,
    step: group.split('.')[0] ?? '',
    member,
    D: 10,
    branch: 'call',
    split: group.startsWith('e') ? 'heldOut' : 'train',
    outcome: 'scored',
    reason: '',
    reward,
    turns: 2,
    calls: 1,
    tools: [],
    malformed: 0,
    sampledTokens: 3,
    version: 1,
    fate: 'trained',
    query: `about ${group.replace(/^e\d+/, '')}`,
    ...changes,
  }));

const compare = (a: readonly EpisodeRow[][], b: readonly EpisodeRow[][], shown = { offset: 0, limit: 100 }) =>
  comparePage({ run: 'a', read: 1, rows: a.flat() }, { run: 'b', read: 1, rows: b.flat() }, shown, { gain: pairedGain });

describe('two runs', () => {
  test('share the tasks of one name that ask for the same at the same difficulty', () => {
    const { tasks } = compare(
      [rowOf('s00001.t000', [1, 1]), rowOf('s00001.t001', [1]), rowOf('s00001.t002', [1]), rowOf('s00002.t000', [1])],
      [
        rowOf('s00001.t000', [1, -1]),
        rowOf('s00001.t001', [1], { query: 'something else' }),
        rowOf('s00001.t002', [1], { D: 13 }),
        rowOf('s00003.t000', [1]),
      ],
    );
    expect(tasks.rows.map(({ a, b }) => [a.group, b.group])).toEqual([['s00001.t000', 's00001.t000']]);
    expect([tasks.total, tasks.others]).toEqual([1, 3]);
  });

  test('are listed by tasks on which they are farthest apart, a window at a time', () => {
    const a = [rowOf('s00001.t000', [1, 1]), rowOf('s00001.t001', [1, -1]), rowOf('s00001.t002', [1, 1])];
    const b = [rowOf('s00001.t000', [1, 1]), rowOf('s00001.t001', [1, 1]), rowOf('s00001.t002', [-1, -1])];
    const order = (offset: number, limit: number) => compare(a, b, { offset, limit }).tasks.rows.map((task) => task.a.group);
    expect(order(0, 10)).toEqual(['s00001.t002', 's00001.t001', 's00001.t000']);
    expect(order(1, 1)).toEqual(['s00001.t001']);
  });

  test('are paired on held-out tasks by sitting and level, whatever step the last one was held after', () => {
    const held = (step: string, rewards: readonly (number | null)[][]) =>
      rewards.map((of, i) => rowOf(`e${step}.after.greedy.heldOut.d010.t00${i}`, of));
    const { heldOut } = compare(held('00006', [[1], [-1], [-1], [null]]), held('00300', [[1], [1], [1], [1]]));
    expect(heldOut).toHaveLength(1);
    expect(heldOut[0]).toMatchObject({ sitting: 'after, greedy', D: 10, tasks: 3, a: 1 / 3, b: 1 });
    expect(heldOut[0]?.gain?.mean).toBeCloseTo(2 / 3);
    expect(heldOut[0]?.gain?.low).toBeLessThan(2 / 3);
  });

  test('are pooled over the levels of a sitting, and one task alone has no interval', () => {
    const at = (D: number, reward: number) => rowOf(`e00000.before.greedy.heldOut.d0${D}.t000`, [reward], { D });
    const { heldOut } = compare([at(25, -1), at(50, -1)], [at(25, 1), at(50, -1)]);
    expect(heldOut.map(({ D, tasks, gain }) => [D, tasks, gain === null])).toEqual([
      [25, 1, true],
      [50, 1, true],
      [null, 2, false],
    ]);
  });

  test('with a group that was sealed again are compared by its last form', () => {
    const { tasks } = compare([rowOf('s00001.t000', [1])], [rowOf('s00001.t000', [1])]);
    expect(tasks.rows[0]?.a.members).toEqual([{ episode: 's00001.t000.e00', member: 0, reward: 1 }]);
  });

  test('have curves over the steps of both, with a gap where one has none', () => {
    const row = (step: number, meanReward: number) => ({ step: `s0000${step}`, meanReward });
    const { numbers, column } = alignedSteps([row(1, 0.1), row(2, 0.2)], [row(2, 0.5), row(3, 0.6)]);
    expect(numbers).toEqual([1, 2, 3]);
    expect(column('meanReward')).toEqual([
      [0.1, 0.2, null],
      [null, 0.5, 0.6],
    ]);
  });
});

describe('two configs', () => {
  test('differ in what differs only, by the key one would set', () => {
    expect(
      configDifferences(
        { name: 'a', seed: 1, rollout: { tasks: 4, group: 8 }, eval: { levels: [5, 25] }, only: { here: true } },
        { name: 'b', seed: 1, rollout: { group: 16, tasks: 4 }, eval: { levels: [5, 50] } },
      ),
    ).toEqual([
      { key: 'eval.levels', a: '[5,25]', b: '[5,50]' },
      { key: 'name', a: 'a', b: 'b' },
      { key: 'only.here', a: 'true', b: null },
      { key: 'rollout.group', a: '8', b: '16' },
    ]);
    expect(configDifferences({ a: { b: [1] } }, { a: { b: [1] } })).toEqual([]);
    expect(configDifferences({ a: {} }, { a: { b: 1 } })).toEqual([{ key: 'a.b', a: null, b: '1' }]);
    expect(configDifferences({ a: 1 }, { a: { b: 1 } })).toEqual([
      { key: 'a', a: '1', b: null },
      { key: 'a.b', a: null, b: '1' },
    ]);
  });
});
