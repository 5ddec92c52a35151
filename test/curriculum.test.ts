import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import {
  type CurriculumRule,
  type CurriculumState,
  advance,
  aspectsAt,
  boundsAt,
  draw,
  startOf,
  trustee,
} from '../src/learning/curriculum.ts';
import { curriculumMachine } from '../src/machines/curriculum.ts';
import { Aspects } from '../src/protocol/task.ts';
import { stream } from '../src/random.ts';

const drawMany = (rule: CurriculumRule, from: CurriculumState, count: number, seed: number) => {
  let state = from;
  return Array.from({ length: count }, () => {
    const drawn = draw(rule, state, seed);
    state = drawn.state;
    return drawn;
  });
};

describe('curriculum', () => {
  it('begins at difficulty 1', () => expect(startOf(trustee).difficulty).toBe(1));

  it('rises by 3 above 0.5, falls by 3 below 0.0, and stays at and between the thresholds', () => {
    const at = (rewards: number[]) => advance(trustee, { difficulty: 40, drawn: 0 }, rewards).difficulty;
    expect([at([1, 1, 0]), at([-1, 0, 0]), at([1, 0]), at([-1, 1]), at([])]).toEqual([43, 37, 40, 40, 40]);
  });

  it('keeps D within 1..100 whatever the rewards', () => {
    const rewards = fc.array(fc.array(fc.constantFrom(-1, 0, 1)), { maxLength: 80 });
    fc.assert(
      fc.property(rewards, fc.integer({ min: 1, max: 100 }), (batches, start) => {
        let state = startOf({ ...trustee, start });
        for (const batch of batches) {
          state = advance(trustee, state, batch);
          expect(state.difficulty).toBeGreaterThanOrEqual(1);
          expect(state.difficulty).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  it("puts every aspect at the paper's ends at D = 1 and D = 100", () => {
    expect(boundsAt(1)).toEqual({ tools: 1, calls: 1, turns: 1, system: 0, persona: 0, query: 0, criteria: 0 });
    expect(boundsAt(100)).toEqual({ tools: 10, calls: 3, turns: 2, system: 2, persona: 2, query: 2, criteria: 4 });
  });

  it('never lowers a bound as D rises', () => {
    for (let d = 2; d <= 100; d++) {
      const [before, after] = [boundsAt(d - 1), boundsAt(d)];
      for (const name of Object.keys(after) as (keyof typeof after)[]) expect(after[name]).toBeGreaterThanOrEqual(before[name]);
    }
  });

  it('draws valid aspects whose values never pass their bounds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.maxSafeNat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (difficulty, seed, soft) => {
          const aspects = Aspects.parse(aspectsAt(difficulty, stream(seed), soft));
          for (const { bound, value } of Object.values(aspects)) expect(value).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  it('keeps half of the tasks at their bounds and samples the other half inside, each value of an aspect reached', () => {
    const tasks = drawMany({ ...trustee, start: 100 }, { difficulty: 100, drawn: 0 }, 2000, 3).map((drawn) => drawn.aspects);
    const atBounds = tasks.filter((aspects) => Object.values(aspects).every(({ bound, value }) => bound === value)).length / tasks.length;
    expect(atBounds).toBeGreaterThan(0.46);
    expect(atBounds).toBeLessThan(0.54);
    expect(new Set(tasks.map((aspects) => aspects.tools.value)).size).toBe(10);
  });

  it('with soft 0 puts every task at its bounds', () => {
    for (const { aspects } of drawMany({ ...trustee, soft: 0 }, { difficulty: 60, drawn: 0 }, 50, 1))
      for (const { bound, value } of Object.values(aspects)) expect(value).toBe(bound);
  });

  it('goes on from its state as if it had never stopped', () => {
    const rule = { ...trustee, easyShare: 0.3 };
    const whole = drawMany(rule, { difficulty: 55, drawn: 0 }, 20, 9);
    const resumed = drawMany(rule, JSON.parse(JSON.stringify(whole[9]?.state)) as CurriculumState, 10, 9);
    expect(resumed).toEqual(whole.slice(10));
  });

  it('draws the configured share of tasks at an easier D, never a harder one', () => {
    const tasks = drawMany({ ...trustee, easyShare: 0.25 }, { difficulty: 80, drawn: 0 }, 2000, 5);
    expect(Math.max(...tasks.map((task) => task.difficulty))).toBe(80);
    const easier = tasks.filter((task) => task.difficulty < 80).length / tasks.length;
    expect(easier).toBeGreaterThan(0.21);
    expect(easier).toBeLessThan(0.29);
  });

  it('never moves a fixed D, and draws a uniform D over all of 1..100', () => {
    expect(advance({ ...trustee, mode: 'fixed' }, { difficulty: 30, drawn: 0 }, [1, 1]).difficulty).toBe(30);
    const drawn = drawMany({ ...trustee, mode: 'uniform' }, { difficulty: 1, drawn: 0 }, 3000, 2).map((task) => task.difficulty);
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([1, 100]);
  });
});

describe('the curriculum’s chart', () => {
  const start = () => {
    const actor = createActor(curriculumMachine.provide({ actions: { deliver: () => undefined } }), { input: { rule: trustee, seed: 9 } });
    actor.start();
    return actor;
  };

  it('draws steps ahead at the D known then, and moves D once a step, in order', () => {
    const actor = start();
    const seen: number[] = [];
    const drawStep = (): void => {
      actor.send({ type: 'curriculum.draw', tasks: 4 });
      seen.push(actor.getSnapshot().context.drawn[0]?.difficulty as number);
    };
    drawStep();
    drawStep();
    for (let step = 1; step <= 3; step++) {
      actor.send({ type: 'curriculum.rewarded', rewards: [1, 1] });
      drawStep();
    }
    expect(seen).toEqual([1, 1, 4, 7, 10]);
    expect(actor.getSnapshot()).toMatchObject({ value: 'awaitingRewards', context: { state: { difficulty: 10, drawn: 20 }, awaited: 2 } });
    actor.send({ type: 'curriculum.rewarded', rewards: [] });
    actor.send({ type: 'curriculum.rewarded', rewards: [] });
    expect(actor.getSnapshot().value).toBe('steady');
  });

  it('draws the n-th task from the n-th draw, whatever was drawn ahead of it', () => {
    const [ahead, sync] = [start(), start()];
    const aspects = (actor: typeof ahead) => {
      actor.send({ type: 'curriculum.draw', tasks: 3 });
      return actor.getSnapshot().context.drawn;
    };
    const first = [aspects(ahead), aspects(ahead)];
    const second = [0, 1].map(() => {
      const drawn = aspects(sync);
      // No reward, no change of D: then the tasks are the same.
      sync.send({ type: 'curriculum.rewarded', rewards: [0.2] });
      return drawn;
    });
    expect(first).toEqual(second);
  });
});
