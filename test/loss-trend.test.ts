/** Losses that follow length are seen, losses that do not are left alone, also where whole groups are lost together. */
import { describe, expect, test } from 'vitest';
import { type Census, censusOf } from '../src/learning/census.ts';
import { lossAlarm, lossTrend, uneven } from '../src/learning/loss-trend.ts';
import { type Stream, stream } from '../src/random.ts';

interface Member {
  /** Turns it would have had, 1..8. */
  readonly turns: number;
}

/** 16 groups of 8: members of a group have lengths alike. `lost` says for how many turns a member lived, or that it was not lost. */
function stepOf(draws: Stream, lost: (member: Member, group: number) => number | null): Census {
  return censusOf(
    Array.from({ length: 16 }, (_, group) => {
      const typical = 1 + draws.int(6);
      return Array.from({ length: 8 }, () => {
        const member = { turns: typical + draws.int(3) };
        const lived = lost(member, group);
        return { fate: lived === null ? 'trained' : 'simulatorFault.tool', length: 50 * (lived ?? member.turns) + draws.int(40) };
      });
    }).flat(),
  );
}

/** Alarms of a run of so many steps, looked at after every one, over windows of 20. */
function alarmsOf(steps: number, step: () => Census): number {
  let window: Census[] = [];
  let alarms = 0;
  for (let s = 0; s < steps; s++) {
    const next = [...window, step()].slice(-20);
    if (lossAlarm(next, window) !== null) alarms++;
    window = next;
  }
  return alarms;
}

describe('an alarm is raised', () => {
  test('where the long episodes are lost', () => {
    const draws = stream(1);
    expect(alarmsOf(20, () => stepOf(draws, ({ turns }) => (turns >= 6 && draws.next() < 0.15 ? turns : null)))).toBe(1);
  });

  test('where every turn may be the last, which takes the long ones and leaves them short', () => {
    const draws = stream(2);
    const struck = ({ turns }: Member): number | null => {
      for (let turn = 1; turn <= turns; turn++) if (draws.next() < 0.02) return turn;
      return null;
    };
    expect(alarmsOf(20, () => stepOf(draws, struck))).toBe(1);
  });

  test('once for a stretch, in words that say where the lost lie', () => {
    const draws = stream(3);
    const steps = Array.from({ length: 24 }, () => stepOf(draws, ({ turns }) => (turns >= 6 && draws.next() < 0.3 ? turns : null)));
    expect(lossAlarm(steps.slice(0, 20), steps.slice(0, 4))).toMatch(
      /losses are uneven over lengths: \d+ episodes lost in 20 steps lie among the longest/,
    );
    expect(lossAlarm(steps.slice(4), steps.slice(0, 20))).toBeNull();
  });
});

describe('no alarm is raised', () => {
  test('where losses are blind to length, but in one of 40 runs of 100 steps at most', () => {
    const draws = stream(4);
    let alarmed = 0;
    for (let run = 0; run < 40; run++)
      if (alarmsOf(100, () => stepOf(draws, ({ turns }) => (draws.next() < 0.03 ? turns : null))) > 0) alarmed++;
    expect(alarmed).toBeLessThanOrEqual(1);
  });

  test('where whole groups are lost to one answer, whatever their length, but in two of 40 runs at most', () => {
    const draws = stream(5);
    let alarmed = 0;
    for (let run = 0; run < 40; run++) {
      const step = (): Census => {
        const gone = new Set(Array.from({ length: 16 }, (_, group) => group).filter(() => draws.next() < 0.05));
        return stepOf(draws, ({ turns }, group) => (gone.has(group) ? turns : null));
      };
      if (alarmsOf(100, step) > 0) alarmed++;
    }
    expect(alarmed).toBeLessThanOrEqual(2);
  });

  test('before eight steps have lost anybody', () => {
    const draws = stream(6);
    const long = (): Census => stepOf(draws, ({ turns }) => (turns >= 6 ? turns : null));
    expect(lossTrend(Array.from({ length: 7 }, long))).toBeNull();
    expect(lossTrend(Array.from({ length: 8 }, long))?.p).toBeLessThan(uneven);
  });
});

test('p is that of Student’s t', () => {
  // One loss a step in a decile chosen so that x has a known mean and spread: x = ±1.5 around 0.5.
  const step = (decile: number): Census => ({
    members: 100,
    fates: {},
    deciles: Array.from({ length: 10 }, (_, d) => ({ members: 10, lost: d === decile ? 1 : 0, upTo: d })),
  });
  const trend = lossTrend(Array.from({ length: 10 }, (_, n) => step(n % 2 === 0 ? 6 : 4)));
  // x alternates between 1.5 and −0.5: mean 0.5, sd √(10/9), t = 0.5 / √(10/9/10) = 1.5; two-sided p with 9 degrees of freedom from tables.
  expect(trend?.t).toBeCloseTo(1.5);
  expect(trend?.p).toBeCloseTo(0.1679, 4);
});
