/** The fake server's time model: continuous batching, cache, preemption, in simulated milliseconds. No sockets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyChain, extended, keyed } from '../src/gpu/engines/fake/chain.ts';
import { Schedule } from '../src/gpu/engines/fake/schedule.ts';
import type { JobEnd } from '../src/gpu/engines/fake/sequence.ts';
import { settingsOf, type FakeOptions } from '../src/gpu/engines/fake/settings.ts';
import { floorOf, makespanOf, occupancyOf } from '../src/gpu/engines/fake/tally.ts';

/** 1 ms a step and nothing else, unless a test says otherwise. */
const plain = { base: 1, prefill: 0, decode: 0, context: 0, adapter: 1 };

function house(options: FakeOptions = {}) {
  const settings = settingsOf({ contextLength: 1024, ...options, cost: { ...plain, ...options.cost } });
  const schedule = new Schedule(settings);
  const ends: { name: string; end: JobEnd; at: number }[] = [];
  const add = (
    name: string,
    prompt: readonly number[],
    length: number,
    more: { at?: number; priority?: number; adapter?: string } = {},
  ) => {
    const chain = extended(emptyChain, prompt);
    const said = extended(
      chain,
      Array.from({ length }, (_, i) => 1000 + i),
    );
    const at = more.at ?? schedule.time;
    schedule.advance(at);
    return schedule.add(
      {
        promptTokens: prompt.length,
        keys: keyed(chain.blocks, 0),
        length,
        priority: more.priority ?? 0,
        adapter: more.adapter,
        allKeys: () => keyed(said.blocks, 0),
        ended: (end, when) => ends.push({ name, end, at: when }),
      },
      at,
    );
  };
  const finish = (): void => void schedule.advance(Infinity);
  return { settings, schedule, ends, add, finish };
}
const prompt = (length: number, first = 0): number[] => Array.from({ length }, (_, i) => first + i);

describe('the step model', () => {
  it('says calls of equal length together: as many steps as one has tokens, not as many as all have', () => {
    const { schedule, add, ends, finish } = house();
    for (let i = 0; i < 64; i++) add(`${i}`, prompt(8, 100 * i), 50);
    finish();
    expect(schedule.tally.steps).toBe(50);
    expect(ends.every(({ at }) => at === 50)).toBe(true);
  });

  it('runs no more at once than maxSequences: the rest is a second wave', () => {
    const { schedule, add, finish } = house({ maxSequences: 16 });
    for (let i = 0; i < 32; i++) add(`${i}`, prompt(8, 100 * i), 10);
    finish();
    expect(schedule.tally.mostRunning).toBe(16);
    expect(schedule.tally.steps).toBe(20);
  });

  it('takes base + prefill·P + decode·D + context·KV a step, times the adapter’s factor', () => {
    const cost = { base: 10, prefill: 0.5, decode: 0.25, context: 0.01, adapter: 2 };
    const bare = house({ cost });
    bare.add('a', prompt(20), 3);
    bare.finish();
    // One step for the prompt and the first token, then two that read 21 and 22 tokens.
    const expected = 10 + 0.5 * 20 + (10 + 0.25 + 0.01 * 21) + (10 + 0.25 + 0.01 * 22);
    expect(bare.ends[0]?.at).toBeCloseTo(expected, 9);
    const adapted = house({ cost });
    adapted.add('a', prompt(20), 3, { adapter: 'x' });
    adapted.finish();
    expect(adapted.ends[0]?.at).toBeCloseTo(2 * expected, 9);
  });

  it('spends at most stepTokens a step: a long prompt is prefilled in chunks, and who decodes goes on meanwhile', () => {
    const { schedule, add, ends, finish } = house({ stepTokens: 64, maxSequences: 64 });
    add('short', prompt(8, 5000), 20);
    schedule.advance(1);
    add('long', prompt(640), 1, { at: 1 });
    finish();
    // 63 tokens a step beside the one that decodes: 640 in 11 steps.
    expect(ends.find(({ name }) => name === 'long')?.at).toBe(1 + 11);
    expect(ends.find(({ name }) => name === 'short')?.at).toBe(20);
  });

  it('admits by priority, then by arrival', () => {
    const { add, ends, finish } = house({ maxSequences: 1 });
    add('late', prompt(4), 2, { priority: 5 });
    add('second', prompt(4, 50), 2, { priority: 1 });
    add('third', prompt(4, 90), 2, { priority: 1 });
    add('first', prompt(4, 130), 2, { priority: -1 });
    finish();
    expect(ends.map(({ name }) => name)).toEqual(['first', 'second', 'third', 'late']);
  });

  it('lets a newcomer join the step after the one under way', () => {
    const { add, ends, finish, schedule } = house();
    add('long', prompt(8), 100);
    schedule.advance(10.5);
    add('new', prompt(8, 50), 1, { at: 10.5 });
    finish();
    expect(ends.find(({ name }) => name === 'new')?.at).toBe(12);
  });

  it('gives the same times whether time is followed closely or not at all', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            prompt: fc.integer({ min: 1, max: 200 }),
            length: fc.integer({ min: 1, max: 60 }),
            gap: fc.integer({ min: 0, max: 40 }),
          }),
          {
            minLength: 1,
            maxLength: 30,
          },
        ),
        (jobs) => {
          const run = (stride: number): unknown => {
            const { add, ends, finish, schedule } = house({
              maxSequences: 4,
              blocks: 80,
              stepTokens: 64,
              cost: { base: 3, decode: 0.5, context: 0.001 },
            });
            let at = 0;
            jobs.forEach((job, i) => {
              const next = at + job.gap;
              if (stride > 0) for (let on = at + stride; on < next; on += stride) schedule.advance(on);
              at = next;
              add(`${i}`, prompt(job.prompt, 1000 * (i % 3)), job.length, { at });
            });
            finish();
            return ends.map(({ name, at: when }) => [name, Math.round(when * 1e6)]);
          };
          expect(run(1.7)).toEqual(run(0));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ends every job once, holds no block afterwards, and never has more running than it may', () => {
    const jobs = fc.array(
      fc.record({
        prompt: fc.integer({ min: 1, max: 300 }),
        length: fc.integer({ min: 1, max: 300 }),
        priority: fc.integer({ min: 0, max: 3 }),
        gap: fc.integer({ min: 0, max: 90 }),
        cancelAfter: fc.option(fc.integer({ min: 0, max: 200 })),
        adapter: fc.constantFrom(undefined, 'a', 'b', 'c'),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(jobs, (list) => {
        const { add, ends, finish, schedule } = house({ maxSequences: 5, blocks: 64, stepTokens: 128, maxAdapters: 2 });
        let at = 0;
        const cancels: { at: number; cancel: () => void }[] = [];
        list.forEach((job, i) => {
          at += job.gap;
          for (const each of cancels.splice(0)) {
            if (each.at <= at) each.cancel();
            else cancels.push(each);
          }
          const sequence = add(`${i}`, prompt(job.prompt, 1000 * (i % 4)), job.length, {
            at,
            priority: job.priority,
            ...(job.adapter === undefined ? {} : { adapter: job.adapter }),
          });
          if (job.cancelAfter !== null) cancels.push({ at: at + job.cancelAfter, cancel: () => schedule.cancel(sequence, schedule.time) });
        });
        finish();
        expect(ends.map(({ name }) => Number(name)).toSorted((a, b) => a - b)).toEqual(list.map((_, i) => i));
        expect(schedule.running + schedule.waiting).toBe(0);
        expect(schedule.pool.use).toBe(0);
        expect(schedule.tally.mostRunning).toBeLessThanOrEqual(5);
        const { done, aborted, jobs: seen } = schedule.tally;
        expect(done + aborted).toBe(seen);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the prefix cache', () => {
  it('computes a shared prompt once: the others of its group only what no full block holds', () => {
    const { schedule, add, finish } = house();
    for (let i = 0; i < 8; i++) add(`${i}`, prompt(100), 5);
    finish();
    // 6 full blocks of 16 are shared by the seven that follow.
    expect(schedule.tally.prefilled).toBe(100 + 7 * (100 - 96));
    expect(schedule.tally.cached).toBe(7 * 96);
  });

  it('finds a reply again in the next turn’s prompt', () => {
    const { schedule, add, finish } = house();
    add('turn 1', prompt(40), 24);
    finish();
    const reply = Array.from({ length: 24 }, (_, i) => 1000 + i);
    add('turn 2', [...prompt(40), ...reply, ...prompt(10, 7000)], 4);
    finish();
    expect(schedule.tally.cached).toBe(64);
  });

  it('always computes the last token of a prompt, however much of it is cached', () => {
    const { schedule, add, finish } = house();
    add('a', prompt(32), 1);
    finish();
    add('b', prompt(32), 1);
    finish();
    expect(schedule.tally.cached).toBe(16);
  });

  it('drops what was used longest ago when room is needed', () => {
    const { schedule, add, finish } = house({ blocks: 64, contextLength: 1024 });
    add('old', prompt(320), 1);
    finish();
    add('newer', prompt(320, 10_000), 1);
    finish();
    add('large', prompt(768, 20_000), 1);
    finish();
    const before = schedule.tally.cached;
    add('newer again', prompt(320, 10_000), 1);
    finish();
    expect(schedule.tally.cached - before).toBeGreaterThan(0);
    const middle = schedule.tally.cached;
    add('old again', prompt(320), 1);
    finish();
    expect(schedule.tally.cached).toBe(middle);
  });

  it('is not shared between owners', () => {
    const chain = extended(emptyChain, prompt(64)).blocks;
    expect(keyed(chain, 0).some((key) => keyed(chain, 12345).includes(key))).toBe(false);
  });
});

describe('a full key-value cache', () => {
  it('admits no prompt it has no room for', () => {
    const { schedule, add, finish } = house({ blocks: 64 });
    for (let i = 0; i < 4; i++) add(`${i}`, prompt(500, 10_000 * i), 4);
    finish();
    expect(schedule.tally.mostRunning).toBe(2);
    expect(schedule.tally.preemptions).toBe(0);
  });

  it('preempts the last of the least urgent, counts it, and says all the same', () => {
    const { schedule, add, ends, finish } = house({ blocks: 64 });
    add('urgent', prompt(400), 300, { priority: 0 });
    add('patient', prompt(400, 10_000), 300, { priority: 9 });
    finish();
    expect(schedule.tally.preemptions).toBeGreaterThan(0);
    expect(ends.map(({ name, end }) => `${name} ${end}`)).toEqual(['urgent done', 'patient done']);
    expect(schedule.tally.generated).toBe(600);
    expect(ends[0]?.at).toBe(300);
  });
});

describe('adapters', () => {
  it('runs no more of them at once than it has slots, and lets others pass those who wait', () => {
    const { schedule, add, ends, finish } = house({ maxAdapters: 1 });
    add('first', prompt(8), 10, { adapter: 'a' });
    add('waits', prompt(8, 50), 1, { adapter: 'b' });
    add('passes', prompt(8, 90), 1);
    schedule.advance(5);
    expect(schedule.deferred).toBe(1);
    finish();
    expect(ends.map(({ name }) => name)).toEqual(['passes', 'first', 'waits']);
  });

  it('stands still while one is loaded', () => {
    const { schedule, add, ends, finish } = house();
    add('a', prompt(8), 10);
    schedule.advance(4.5);
    let loaded = 0;
    schedule.standStill(200, 4.5, () => (loaded = schedule.time));
    finish();
    expect(loaded).toBe(205);
    expect(ends[0]?.at).toBe(210);
  });
});

describe('a pause', () => {
  it('admits nothing new, or runs nothing at all, until it ends', () => {
    const { schedule, add, ends, finish } = house();
    add('running', prompt(8), 10);
    schedule.advance(3);
    schedule.pause('new', 3);
    add('new', prompt(8, 50), 1, { at: 3 });
    finish();
    expect(ends.map(({ name }) => name)).toEqual(['running']);
    schedule.pause('all', schedule.time);
    finish();
    expect(ends).toHaveLength(1);
    schedule.pause('none', schedule.time);
    finish();
    expect(ends.map(({ name }) => name)).toEqual(['running', 'new']);
  });
});

describe('the sums', () => {
  it('say how full the places were, and a floor that no run undercuts', () => {
    const { settings, schedule, add, finish } = house({ maxSequences: 8, cost: { base: 4, prefill: 0.01, decode: 0.2, context: 0.001 } });
    for (let i = 0; i < 64; i++) add(`${i}`, prompt(16, 100 * i), 20 + (i % 5));
    finish();
    const { tally } = schedule;
    expect(occupancyOf(tally, settings)).toBeGreaterThan(0.9);
    expect(occupancyOf(tally, settings)).toBeLessThanOrEqual(1);
    expect(floorOf(tally, settings)).toBeLessThanOrEqual(makespanOf(tally));
    expect(floorOf(tally, settings)).toBeGreaterThan(0.9 * makespanOf(tally));
  });
});
