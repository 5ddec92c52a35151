/** Steps rolled ahead: what overlaps, what never does, and what is kept when they are given up. Rolls and updates are scripted; time is simulated. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ahead, type AheadPorts, type DrawnStep, rollAhead } from '../src/actors/ahead.ts';
import { simulatedClock } from '../src/actors/clock.ts';
import { rolling } from '../src/actors/rolling.ts';
import { CancelledFault, ThreadFault } from '../src/errors.ts';
import type { SealedGroup } from '../src/gpu/handover.ts';
import { pack } from '../src/protocol/codec.ts';
import type { RolloutGroup } from '../src/protocol/group.ts';
import type { GroupId, PolicyVersion } from '../src/protocol/ids.ts';
import { group as groupName, envelope } from './support/calls.ts';
import { job } from './support/jobs.ts';
import { settle } from './support/scripted.ts';

const tasksPerStep = 4;
const never = new AbortController().signal;
const v = (n: number) => n as PolicyVersion;

interface Play {
  readonly step: number;
  readonly version: number;
  readonly began: number;
  readonly ended: number;
}

/** A run of `steps` whose groups hold `slots` places for as long as `lengths` say, and whose updates take `updateMs`. Groups begin in the order of their steps. */
async function simulate(
  { steps, staleness, updateMs, slots }: { steps: number; staleness: number; updateMs: number; slots: number },
  lengths: (step: number, index: number) => number,
) {
  const clock = simulatedClock();
  const queue: (() => void)[] = [];
  const plays: Play[] = [];
  const updates: { step: number; began: number; ended: number; version: number; lags: number[]; underway: number }[] = [];
  let busy = 0;
  let newest = 0;
  const fill = () => {
    while (busy < slots && queue.length > 0) {
      busy++;
      queue.shift()?.();
    }
  };
  const play = (step: number, index: number) =>
    new Promise<RolloutGroup>((resolve) => {
      queue.push(() => {
        const [began, version] = [clock.now(), newest];
        clock.after(lengths(step, index), () => {
          plays.push({ step, version, began, ended: clock.now() });
          busy--;
          fill();
          resolve({ id: `${step}.${index}`, policy: version } as unknown as RolloutGroup);
        });
      });
      fill();
    });
  const ahead = rollAhead({
    staleness,
    lastStep: steps,
    draw: (step): Promise<DrawnStep> => Promise.resolve({ tasks: Array(tasksPerStep).fill({}) as never, cursor: step * tasksPerStep }),
    roll: (step, tasks) => Promise.all(tasks.map((_, index) => play(step, index))),
  });
  const run = (async () => {
    for (let step = 1; step <= steps; step++) {
      await ahead.begin(step, v(newest), never);
      const groups = await ahead.groups(step, () => undefined);
      const began = clock.now();
      await new Promise<void>((resolve) => clock.after(updateMs, resolve));
      const lags = groups.map((group) => newest - (group as unknown as { policy: number }).policy);
      updates.push({ step, began, ended: clock.now(), version: newest, lags, underway: ahead.steps.length });
      newest++;
      ahead.release(step);
    }
  })();
  let over = false;
  void run.then(() => (over = true));
  for (let n = 0; !over && n < 100_000; n++) {
    await settle();
    if (!over) clock.advance(1);
  }
  await run;
  return { plays, updates, makespan: clock.now(), left: ahead.steps };
}

describe('a run that rolls ahead', () => {
  it('rolls the next step while one is trained, and in its slow tail; without staleness it never does', async () => {
    const shape = { steps: 3, updateMs: 10, slots: 4 };
    const tail = (_: number, index: number) => (index === 0 ? 30 : 10);
    const ahead = await simulate({ ...shape, staleness: 1 }, tail);
    const sync = await simulate({ ...shape, staleness: 0 }, tail);
    const beganDuring = ({ plays, updates }: typeof ahead) =>
      updates.map((update) => plays.filter(({ step, began }) => step > update.step && began < update.ended).length);
    expect(beganDuring(ahead)).toEqual([4, 4, 0]);
    expect(beganDuring(sync)).toEqual([0, 0, 0]);
    expect(sync.makespan).toBe(3 * 40);
  });

  it('trains oldest first, never more than the staleness behind, the slow ones too, holds no step longer than needed, and is never slower for it', async () => {
    let overlapped = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          steps: fc.integer({ min: 1, max: 6 }),
          staleness: fc.integer({ min: 1, max: 3 }),
          updateMs: fc.integer({ min: 1, max: 20 }),
          slots: fc.integer({ min: 2, max: 8 }),
        }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 24, maxLength: 24 }),
        async (shape, ms) => {
          const lengths = (step: number, index: number) => ms[(step - 1) * tasksPerStep + index] as number;
          const { plays, updates, makespan, left } = await simulate(shape, lengths);
          expect(updates.map(({ step }) => step)).toEqual(Array.from({ length: shape.steps }, (_, n) => n + 1));
          for (const { lags, underway } of updates) {
            expect(lags).toHaveLength(tasksPerStep);
            expect(Math.max(...lags)).toBeLessThanOrEqual(shape.staleness);
            expect(Math.min(...lags)).toBeGreaterThanOrEqual(0);
            expect(underway).toBeLessThanOrEqual(shape.staleness + 1);
          }
          expect(left).toEqual([]);
          // Places are taken in the order of the steps: nothing of a later step holds up an earlier one.
          const begun = plays.toSorted((a, b) => a.began - b.began).map(({ step, began }) => [step, began] as const);
          for (const [step, began] of begun) expect(plays.every((other) => other.step >= step || other.began <= began)).toBe(true);
          const sync = await simulate({ ...shape, staleness: 0 }, lengths);
          expect(makespan).toBeLessThanOrEqual(sync.makespan);
          if (makespan < sync.makespan) overlapped++;
        },
      ),
      { numRuns: 40 },
    );
    expect(overlapped).toBeGreaterThan(20);
  });

  it('keeps the places full where the staleness covers the tail; in step with the trainer they stand empty', async () => {
    // One group in eight takes five times as long: less than the work of the two steps that may lie ahead.
    const lengths = (step: number, index: number) => ((step * tasksPerStep + index) % 8 === 0 ? 50 : 10);
    const occupancy = async (staleness: number): Promise<number> => {
      const { plays, makespan } = await simulate({ steps: 80, staleness, updateMs: 5, slots: 3 }, lengths);
      return plays.reduce((sum, { began, ended }) => sum + ended - began, 0) / (3 * makespan);
    };
    expect(await occupancy(2)).toBeGreaterThan(0.97);
    expect(await occupancy(0)).toBeLessThan(0.6);
  });
});

/** One step at a time can be let go, or fail. */
function held(staleness: number, lastStep = 10) {
  const rolls: { step: number; version: number; signal: AbortSignal; finish(): void; fail(error: Error): void }[] = [];
  const drawn: number[] = [];
  const ports: AheadPorts = {
    staleness,
    lastStep,
    draw: (step) => {
      drawn.push(step);
      return Promise.resolve({ tasks: [], cursor: 4 * step });
    },
    roll: (step, _, version, signal, onSealed) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new CancelledFault(`step ${step} was cancelled`)), { once: true });
        onSealed(0);
        rolls.push({ step, version, signal, finish: () => (onSealed(4), resolve([])), fail: reject });
      }),
  };
  const ahead: Ahead = rollAhead(ports);
  return { ahead, rolls, drawn };
}

describe('steps ahead', () => {
  it('are drawn once each, in order, and none after the last', async () => {
    const { ahead, drawn } = held(2, 4);
    for (const step of [1, 2, 3, 4]) {
      await ahead.begin(step, v(step - 1), never);
      ahead.release(step);
    }
    expect(drawn).toEqual([1, 2, 3, 4]);
  });

  it('have the task cursor that lies behind their own tasks, whatever was drawn since', async () => {
    const { ahead } = held(3);
    await ahead.begin(1, v(0), never);
    expect([1, 2, 3, 4].map((step) => ahead.cursor(step))).toEqual([4, 8, 12, 16]);
  });

  it('say how many groups are sealed already when their turn comes', async () => {
    const { ahead, rolls } = held(1);
    await ahead.begin(1, v(0), never);
    rolls[1]?.finish();
    const told: number[] = [];
    await ahead.groups(2, (sealed) => told.push(sealed));
    expect(told).toEqual([4]);
  });

  it('keep a fault until their turn comes', async () => {
    const { ahead, rolls } = held(1);
    await ahead.begin(1, v(0), never);
    rolls[1]?.fail(new ThreadFault('no workers left'));
    rolls[0]?.finish();
    await expect(ahead.groups(1, () => undefined)).resolves.toEqual([]);
    await expect(ahead.groups(2, () => undefined)).rejects.toThrow('no workers left');
  });

  it('are given up together, and taken up again as they were drawn, at the version that is newest then', async () => {
    const { ahead, rolls, drawn } = held(2);
    await ahead.begin(1, v(0), never);
    rolls[1]?.finish();
    await ahead.groups(2, () => undefined);
    await ahead.stop();
    expect(rolls.map(({ signal }) => signal.aborted)).toEqual([true, true, true]);
    await ahead.begin(1, v(5), never);
    // Step 2 was sealed: it is not rolled again.
    expect(rolls.slice(3).map(({ step, version }) => [step, version])).toEqual([
      [1, 5],
      [3, 5],
    ]);
    expect(drawn).toEqual([1, 2, 3]);
  });

  it('are taken up again only when what was given up has ended', async () => {
    const slow: { version: number; fail(fault: Error): void }[] = [];
    const ahead = rollAhead({
      staleness: 1,
      lastStep: 9,
      draw: (step) => Promise.resolve({ tasks: [], cursor: step }),
      roll: (_, __, version) => new Promise((_resolve, fail) => slow.push({ version, fail })),
    });
    await ahead.begin(1, v(0), never);
    const stopped = ahead.stop();
    const begun = ahead.begin(1, v(1), never);
    await settle();
    expect(slow).toHaveLength(2);
    for (const { fail } of slow) fail(new CancelledFault('given up'));
    await Promise.all([stopped, begun]);
    expect(slow.map(({ version }) => version)).toEqual([0, 0, 1, 1]);
  });

  it('begin no more once the drawing was given up', async () => {
    const { ahead, rolls } = held(2);
    const cancel = new AbortController();
    const begun = ahead.begin(1, v(0), cancel.signal);
    cancel.abort();
    await begun;
    expect([rolls, ahead.steps]).toEqual([[], []]);
  });
});

it('a roll that is given up keeps what was sealed for the next roll of the same groups', async () => {
  const asked: GroupId[][] = [];
  const seal = (id: GroupId): SealedGroup => ({ envelope: envelope(id), bytes: pack({ id }) });
  const roll = rolling({
    announce: () => undefined,
    before: [],
    orLost: (work) => work,
    deadlineMs: 1000,
    pool: {
      roll: (jobs, { onSealed }) => {
        asked.push(jobs.map((each) => each.group));
        if (asked.length > 1) {
          for (const each of jobs) onSealed?.(seal(each.group));
          return Promise.resolve([]);
        }
        onSealed?.(seal(groupName(1)));
        return Promise.reject(new CancelledFault('given up'));
      },
    },
  });
  const jobs = [0, 1, 2].map((n) => job(n));
  const how = { signal: never, onSealed: () => undefined };
  await expect(roll(jobs, how)).rejects.toBeInstanceOf(CancelledFault);
  expect((await roll(jobs, how)).map(({ id }) => id)).toEqual([0, 1, 2].map(groupName));
  expect(asked).toEqual([[0, 1, 2].map(groupName), [0, 2].map(groupName)]);
});
