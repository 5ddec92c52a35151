/** What rows say to a filter beside what is recorded word for word: fates as the census names them, and everything that was said. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packStep } from '../src/learning/batch.ts';
import { rewardOf } from '../src/learning/reward.ts';
import type { Episode } from '../src/protocol/episode.ts';
import type { Fault } from '../src/protocol/fault.ts';
import type { RolloutGroup } from '../src/protocol/group.ts';
import type { Outcome, Reward } from '../src/protocol/outcome.ts';
import type { Turn } from '../src/protocol/turn.ts';
import { filterOf, folded } from '../src/record/filter.ts';
import { bandOf, fatesOf } from '../src/record/projections/fates.ts';
import { saidIn } from '../src/record/projections/said.ts';
import { rowsOf } from '../src/viewer/rows.ts';
import { sampleGroup } from './support/sample-run.ts';

const fault: Fault = { kind: 'SimulatorFault', message: 'no table', raw: '{"table"', causes: ['out of wood'] };
const scored = (reward: Reward): Outcome => ({ kind: 'scored', verdict: { reward, gates: [], criteria: [] } });
const outcomes: Outcome[] = [
  scored(-1),
  scored(0),
  scored(1),
  { kind: 'policyFault', reason: 'unreadable' },
  { kind: 'truncated', by: 'policy', reason: 'turns' },
  { kind: 'truncated', by: 'budget', reason: 'time' },
  { kind: 'simulatorFault', role: 'tool', fault },
  { kind: 'judgeFault', fault },
  { kind: 'infraFault', fault },
];

const sample = sampleGroup(1, 0);
const first = sample.episodes[0] as Episode;
const groupOf = (of: readonly { outcome: Outcome; empty: boolean }[], status: RolloutGroup['status']): RolloutGroup => ({
  ...sample,
  status,
  episodes: of.map(({ outcome, empty }, member) => ({
    ...first,
    id: `${sample.id}.e0${member}` as Episode['id'],
    member,
    outcome,
    reward: rewardOf(outcome),
    traces: empty ? [] : first.traces,
  })),
});

describe('fates', () => {
  test('are the census’s, member by member, whatever became of the group', () => {
    const members = fc.array(fc.record({ outcome: fc.constantFrom(...outcomes), empty: fc.boolean() }), { maxLength: 6 });
    const band = fc.option(fc.constantFrom({ low: 0, high: 0.4 }, { low: 0.2, high: 0.8 }));
    fc.assert(
      fc.property(members, fc.constantFrom<RolloutGroup['status']>('sealed', 'failed'), band, (of, status, solveRate) => {
        const group = groupOf(of, status);
        const { census } = packStep([group], { std: true, minimumScored: 2, ...(solveRate === null ? {} : { solveRate }) });
        const counts: Record<string, number> = {};
        for (const { fate } of rowsOf(group, bandOf({ simulation: { solveRate } }))) counts[fate] = (counts[fate] ?? 0) + 1;
        expect(counts).toEqual(census.fates);
      }),
      { numRuns: 300 },
    );
  });

  test('of a held-out group are that it was measured, or the fault', () => {
    const group = groupOf(
      [
        { outcome: scored(1), empty: false },
        { outcome: outcomes[6] as Outcome, empty: false },
      ],
      'sealed',
    );
    expect(fatesOf({ ...group, task: { ...group.task, split: 'heldOut' } }, null)).toEqual(['heldOut', 'simulatorFault.tool']);
  });
});

describe('what was said', () => {
  const turns: Turn[] = [
    { role: 'user', text: 'Where is "my" INVOICE?\nI wait' },
    {
      role: 'agent',
      thought: 'a hidden thought',
      text: 'I look',
      calls: [{ name: 'find_invoice', arguments: { who: 'Ann "the" Lee', filters: { open: true, years: [2023, null] } } }],
      malformed: { raw: '<call>', reason: 'no end' },
    },
    {
      role: 'tool',
      call: { name: 'find_invoice', arguments: {} },
      status: 'notFound',
      result: { error: { code: 'E7' }, tried: ['a', 'b'] },
      patch: [],
    },
  ];
  const finds = (part: string, outcome: Outcome = scored(1)): boolean => {
    const filter = filterOf(`text~${JSON.stringify(part)}`);
    if (filter.kind === 'mistake') throw new Error(filter.message);
    const row = rowsOf(sample)[0];
    return row !== undefined && filter.matchesSaid(row, folded(saidIn({ turns, outcome })));
  };

  test.each([
    'where is "my" invoice?\ni wait',
    'A HIDDEN thought',
    'find_invoice',
    'who: ann "the" lee',
    'open: true',
    '2023',
    '<call>',
    'no end',
    'find_invoice: notFound',
    'code: e7',
  ])('is found, however it was written: %s', (part) => {
    expect(finds(part)).toBe(true);
  });

  test('holds the judge’s evidence and a fault’s raw text, and not what nobody said', () => {
    const judged: Outcome = {
      kind: 'scored',
      verdict: {
        reward: -1,
        gates: [{ name: 'schema', passed: false, detail: 'amount is missing' }],
        criteria: [{ name: 'grounded', required: true, met: false, evidence: 'he never gave a year' }],
      },
    };
    expect([finds('amount is missing', judged), finds('never gave a year', judged), finds('out of wood', outcomes[6])]).toEqual([
      true,
      true,
      true,
    ]);
    expect([finds('{"table"', outcomes[6]), finds('no table', outcomes[7])]).toEqual([true, true]);
    expect([finds('amount is missing'), finds('\\n'), finds('undefined')]).toEqual([false, false, false]);
  });
});
