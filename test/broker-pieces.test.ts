/** The broker's pieces, each alone: its queue, what it merges and deals, when its breaker opens, and its chart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { booked, closedBreaker, opened, shouldOpen } from '../src/gpu/breaker.ts';
import { dealt, merged } from '../src/gpu/merge.ts';
import { CallQueue, type Rank } from '../src/gpu/queue.ts';
import { brokerMachine } from '../src/machines/broker.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import { call } from './support/calls.ts';

describe('the pieces of the broker', () => {
  it('the queue gives the soonest first, equal ranks by arrival, and nothing that was taken out', () => {
    const small = fc.nat(3);
    fc.assert(
      fc.property(fc.array(fc.tuple(small, small, small, small, fc.boolean()), { maxLength: 300 }), (items) => {
        const queue = new CallQueue<{ rank: Rank; gone: boolean }>();
        const calls = items.map(([a, b, c, d, gone], i) => ({ rank: [a, b, c, d, i] as const, gone }));
        for (const each of calls) queue.push(each);
        for (const each of calls) if (each.gone) queue.remove(each);
        const expected = calls
          .filter((each) => !each.gone)
          .sort((a, b) => a.rank.map((each, i) => each - (b.rank[i] as number)).find((difference) => difference !== 0) ?? 0);
        expect(queue.size).toBe(expected.length);
        const order = [];
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) order.push(next);
        expect(order).toEqual(expected);
      }),
    );
  });

  it('merging and dealing give every request its own samples', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        let seed = 50;
        const requests = sizes.map((n, i) => {
          const request = call(i, { n, seed });
          seed += n;
          return request;
        });
        const one = merged(requests);
        const samples = Array.from({ length: one.n }, (_, k) => ({
          ids: Int32Array.of(one.seed + k),
          logprobs: Float32Array.of(-1),
          finish: 'length' as const,
        }));
        const replies = dealt({ id: one.id, version: 0 as PolicyVersion, samples }, requests);
        expect(replies.map((reply) => reply.samples.map((sample) => sample.ids[0]))).toEqual(
          requests.map((request) => Array.from({ length: request.n }, (_, k) => request.seed + k)),
        );
      }),
    );
  });

  it('the breaker opens after five faults in a row, or half of twenty, and rests longer each time', () => {
    let breaker = closedBreaker;
    for (let i = 0; i < 5; i++) {
      expect(shouldOpen(breaker)).toBe(false);
      breaker = booked(breaker, false, i);
    }
    expect(shouldOpen(breaker)).toBe(true);
    let alternating = closedBreaker;
    for (let i = 0; i < 20; i++) alternating = booked(alternating, i % 2 === 1, i);
    expect(shouldOpen(alternating)).toBe(true);
    let old = closedBreaker;
    for (let i = 0; i < 20; i++) old = booked(old, i % 2 === 1, i * 20_000);
    expect(shouldOpen(old)).toBe(false);
    const first = opened(closedBreaker, 1);
    const fifth = opened({ ...closedBreaker, openings: 9 }, 1);
    expect(first.restMs).toBeGreaterThanOrEqual(2_500);
    expect(first.restMs).toBeLessThanOrEqual(5_000);
    expect(fifth.restMs).toBeGreaterThanOrEqual(60_000);
    expect(fifth.restMs).toBeLessThanOrEqual(120_000);
  });

  it('the mode serves only when ready, throttled or loading, and always reaches closed', () => {
    const events = [
      'engine.ready',
      'circuit.opened',
      'probe.answered',
      'probe.failed',
      'admission.limited',
      'admission.relieved',
      'weights.publish',
      'weights.load',
      'weights.published',
      'weights.refused',
      'accelerator.lend',
      'accelerator.lent',
      'accelerator.kept',
      'accelerator.reclaim',
      'accelerator.reclaimed',
      'accelerator.lost',
      'deadline.expired',
    ] as const;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (sequence) => {
        const actor = createActor(brokerMachine).start();
        for (const type of sequence) {
          actor.send({ type });
          const snapshot = actor.getSnapshot();
          expect(snapshot.hasTag('serving')).toBe(['ready', 'throttled', 'loading'].includes(snapshot.value as string));
        }
        actor.send({ type: 'broker.drain' });
        actor.send({ type: 'broker.drained' });
        expect(actor.getSnapshot().value).toBe('closed');
      }),
    );
  });
});
