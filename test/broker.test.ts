/** The broker: order, merging, memory, deadlines, retries, the circuit, hand-over. Time is simulated throughout. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulatedClock } from '../src/actors/clock.ts';
import { CancelledFault, EngineFault } from '../src/errors.ts';
import { createBroker, type BrokerOptions } from '../src/gpu/broker.ts';
import { createScriptedEngine, type ScriptedOptions } from '../src/gpu/engines/scripted.ts';
import { unpack } from '../src/protocol/codec.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { TokenReply, TokenRequest } from '../src/protocol/inference.ts';
import { call, chatty, envelope, group, recording, step } from './support/calls.ts';
import { elapse, settled } from './support/elapse.ts';

const never = new AbortController().signal;

function house(engineOptions: Partial<ScriptedOptions> = {}, brokerOptions: Partial<BrokerOptions> = {}) {
  const clock = simulatedClock();
  const engine = createScriptedEngine({ policy: chatty, clock, ...engineOptions });
  const journal = recording();
  const broker = createBroker({ engines: [engine], clock, record: (frame) => journal.record(frame), seed: 3, ...brokerOptions });
  return { clock, engine, frames: journal.frames, broker };
}
const endOf = (promise: Promise<TokenReply>): Promise<TokenReply | Error> => promise.catch((error: Error) => error);

describe('the broker', () => {
  it('answers with what the engine says, and records the reply as it was packed', async () => {
    const { broker, engine, frames } = house();
    const reply = await broker.generate(call('a'), never);
    expect(reply).toEqual(await engine.generate(call('a'), never));
    expect(frames).toMatchObject([{ kind: 'call.reply', id: 'call-a', group: group(0) }]);
    expect(unpack((frames[0] as { bytes: Uint8Array }).bytes)).toEqual(reply);
  });

  it('answers a repeated key from memory, and an equal key in flight by the same engine call', async () => {
    const { broker, engine, clock } = house({ latencyMs: 10 });
    const both = Promise.all([broker.generate(call('a'), never), broker.generate(call('a'), never)]);
    await elapse(clock, 20);
    const [first, second] = await both;
    expect(second).toEqual(first);
    expect(await broker.generate(call('a'), never)).toEqual(first);
    expect(engine.asked).toBe(1);
    expect(broker.status().recalled).toBe(2);
  });

  it('answers from the replies of an earlier process', async () => {
    const { broker: before, frames } = house();
    const reply = await before.generate(call('a'), never);
    const kept = (frames[0] as { bytes: Uint8Array<ArrayBuffer> }).bytes;
    const { broker, engine } = house({}, { recall: (id) => (id === 'call-a' ? kept : undefined) });
    expect(await broker.generate(call('a'), never)).toEqual(reply);
    expect(engine.asked).toBe(0);
  });

  it('asks the identical first turn of a group once, and gives each member the sample it would have got alone', async () => {
    const seeds = Array.from({ length: 8 }, (_, member) => 100 + member);
    const { broker, engine } = house();
    const together = await Promise.all(seeds.map((seed) => broker.generate(call(seed, { seed }), never)));
    expect(engine.asked).toBe(1);
    const { broker: other, engine: alone } = house();
    const apart = [];
    for (const seed of seeds) apart.push(await other.generate(call(seed, { seed }), never));
    expect(alone.asked).toBe(8);
    expect(together).toEqual(apart);
  });

  it('never merges calls that differ in prompt, group, version or settings', async () => {
    const { broker, engine } = house();
    const odd: Partial<TokenRequest>[] = [
      {},
      { ids: Int32Array.of(1, 5, 6, 8) },
      { group: group(1) },
      { version: null },
      { maxTokens: 5 },
      { temperature: 0.5 },
      { stop: [2, 3] },
      { role: 'user' },
    ];
    await Promise.all(odd.map((change, i) => broker.generate(call(i, { seed: 100 + i, ...change }), never)));
    expect(engine.asked).toBe(odd.length);
  });

  it('lets policy calls pass simulators, and older groups pass younger ones', async () => {
    const { broker } = house({ concurrency: 64 });
    const order: string[] = [];
    const ask = async (id: string, change: Partial<TokenRequest>): Promise<void> => {
      await broker.generate(call(id, change), new AbortController().signal);
      order.push(id);
    };
    const all: Promise<void>[] = [];
    for (let i = 0; i < 4_000; i++) {
      const role = (['task', 'judge', 'user', 'policy'] as const)[i % 4] as TokenRequest['role'];
      all.push(ask(`${role}-${i}`, { role, group: group(i % 500), seed: i, ids: Int32Array.of(1, i) }));
    }
    expect(broker.status().waiting).toBe(4_000);
    await Promise.all(all);
    const roles = order.map((id) => id.split('-')[0]);
    expect(roles.lastIndexOf('policy')).toBeLessThan(roles.indexOf('user'));
    expect(roles.lastIndexOf('user')).toBeLessThan(roles.indexOf('judge'));
    expect(roles.lastIndexOf('judge')).toBeLessThan(roles.indexOf('task'));
  });

  it('never has more samples in flight than the engine can hold', async () => {
    let held = 0;
    let most = 0;
    const clock = simulatedClock();
    const engine = createScriptedEngine({ policy: chatty, clock, latencyMs: 5, concurrency: 10 });
    const watched = {
      ...engine,
      generate: (request: TokenRequest, signal: AbortSignal) => {
        held += request.n;
        most = Math.max(most, held);
        return engine.generate(request, signal).finally(() => (held -= request.n));
      },
    };
    const broker = createBroker({ engines: [watched], clock, record: () => {}, seed: 3 });
    const all = Promise.all(Array.from({ length: 200 }, (_, i) => broker.generate(call(i, { seed: i, group: group(i >> 3) }), never)));
    await elapse(clock, 300, 1);
    await all;
    expect(most).toBe(10);
  });

  it('refuses one call more than it may keep, and takes calls again when there is room', async () => {
    const { broker, clock } = house({ latencyMs: 5, concurrency: 1 }, { capacity: 4 });
    const first = [0, 1, 2, 3].map((i) => broker.generate(call(i), never));
    await expect(broker.generate(call('over'), never)).rejects.toThrow(/no room/);
    await elapse(clock, 40, 1);
    expect(await Promise.all(first)).toHaveLength(4);
    const again = broker.generate(call('over'), never);
    await elapse(clock, 10);
    await expect(again).resolves.toBeDefined();
  });

  it('ends a call at its deadline, in the queue as in the engine', async () => {
    const { broker, clock } = house({ faults: { hang: 1 }, concurrency: 1 });
    const inEngine = endOf(broker.generate(call('engine', { deadlineMs: 500 }), never));
    await settled();
    const inQueue = endOf(broker.generate(call('queue', { deadlineMs: 100, group: group(1) }), never));
    await elapse(clock, 110);
    expect(await inQueue).toMatchObject({ message: expect.stringMatching(/waiting/) as string });
    await elapse(clock, 400);
    expect(await inEngine).toBeInstanceOf(EngineFault);
    expect(broker.waits()).toEqual([]);
    expect(broker.status()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it('asks again after a stall, an error or a malformed reply, and gives the same sample as without', async () => {
    for (const faults of [{ error: 0.4 }, { malformed: 0.4 }, { hang: 0.4 }]) {
      const { broker, clock, engine } = house({ faults, seed: 5 }, { stallMs: 1000, attempts: 12, retryShare: 10 });
      const all = Promise.all(Array.from({ length: 20 }, (_, i) => broker.generate(call(i, { group: group(i), seed: i }), never)));
      await elapse(clock, 60_000);
      const { broker: clean } = house();
      expect(await all).toEqual(
        await Promise.all(Array.from({ length: 20 }, (_, i) => clean.generate(call(i, { group: group(i), seed: i }), never))),
      );
      expect(engine.asked).toBeGreaterThan(20);
    }
  });

  it('stops repeating when repeats would become the load', async () => {
    const { broker, clock, engine } = house({ faults: { error: 1 } }, { attempts: 50, retryShare: 0 });
    const ends = Promise.all(
      Array.from({ length: 40 }, (_, i) => endOf(broker.generate(call(i, { group: group(i), deadlineMs: 1e6 }), never))),
    );
    await elapse(clock, 1e6, 1000);
    expect((await ends).every((end) => end instanceof EngineFault)).toBe(true);
    expect(engine.asked - 40).toBeLessThanOrEqual(30);
  });

  it('cancels a call down to the engine, and frees its slot', async () => {
    const { broker, clock, engine } = house({ faults: { hang: 1 }, concurrency: 1 });
    const cancel = new AbortController();
    const end = endOf(broker.generate(call('a'), cancel.signal));
    await settled();
    cancel.abort();
    expect(await end).toBeInstanceOf(CancelledFault);
    expect(broker.status().inFlight).toBe(0);
    expect(engine.asked).toBe(1);
    expect(clock.armed).toBe(0);
  });

  it('keeps a merged request going while one member still wants it', async () => {
    const { broker, clock } = house({ latencyMs: 50 });
    const cancel = new AbortController();
    const gone = endOf(broker.generate(call('a', { seed: 1 }), cancel.signal));
    const kept = broker.generate(call('b', { seed: 2 }), never);
    await settled();
    cancel.abort();
    await elapse(clock, 60);
    expect(await gone).toBeInstanceOf(CancelledFault);
    await expect(kept).resolves.toBeDefined();
  });

  it('opens the circuit on a dead engine, sends nothing but probes, and goes on by itself when the engine is back', async () => {
    const modes: string[] = [];
    let dead = true;
    const clock = simulatedClock();
    const engine = createScriptedEngine({ policy: chatty, clock });
    let reached = 0;
    const flaky = {
      ...engine,
      generate: (request: TokenRequest, signal: AbortSignal) => {
        reached++;
        return dead ? Promise.reject(new EngineFault('refused')) : engine.generate(request, signal);
      },
    };
    const broker = createBroker({
      engines: [flaky],
      clock,
      record: () => {},
      seed: 3,
      attempts: 9,
      retryShare: 9,
      onMode: (mode) => void modes.push(mode),
    });
    const all = Promise.all(
      Array.from({ length: 50 }, (_, i) => endOf(broker.generate(call(i, { group: group(i), deadlineMs: 1e6 }), never))),
    );
    await elapse(clock, 4_000);
    expect(broker.status().mode).toBe('openCircuit.resting');
    const before = reached;
    await elapse(clock, 30_000);
    expect(reached - before).toBeLessThanOrEqual(6);
    dead = false;
    await elapse(clock, 120_000);
    expect(modes).toContain('openCircuit.probing');
    expect(broker.status().mode).toBe('ready');
    expect((await all).filter((end) => end instanceof Error)).toEqual([]);
  });

  it('says who waits for what when nothing ends any more', async () => {
    const stalls: unknown[][] = [];
    const { clock, broker } = house(
      { faults: { hang: 1 }, concurrency: 1 },
      { stallMs: 1_000, attempts: 1, onStall: (waits) => void stalls.push(waits) },
    );
    const ends = [0, 1].map((i) => endOf(broker.generate(call(i, { group: group(i) }), never)));
    await elapse(clock, 1_010, 10);
    expect(stalls[0]).toMatchObject([
      { call: 'call-0', state: 'asked', role: 'policy', ageMs: 1000 },
      { call: 'call-1', state: 'waiting', group: group(1) },
    ]);
    await elapse(clock, 3_000, 10);
    await Promise.all(ends);
  });

  it('starts no call while weights are handed over, and answers with the new version after', async () => {
    const { broker, clock } = house({ latencyMs: 50 });
    const before = broker.generate(call('before'), never);
    await settled();
    const published = broker.publish({ version: 1 as PolicyVersion, kind: 'full', dir: '/nowhere', sha256: '00' });
    expect(broker.status().mode).toBe('swapping');
    const after = broker.generate(call('after', { version: 1 as PolicyVersion, group: group(1) }), never);
    await settled();
    expect(broker.status()).toMatchObject({ waiting: 1, inFlight: 1 });
    await elapse(clock, 110);
    expect((await before).version).toBe(0);
    await published;
    await elapse(clock, 110);
    expect((await after).version).toBe(1);
  });

  it('hands a step over when its last group is sealed, in the order asked, each group once', async () => {
    const { broker, frames } = house();
    const complete = broker.expect(step, [group(0), group(1)]);
    expect(broker.seal(envelope(group(1)), Uint8Array.of(1))).toBe(true);
    expect(broker.seal(envelope(group(1), { hash: 'bb' }), Uint8Array.of(9))).toBe(false);
    expect(broker.seal(envelope(group(7)), Uint8Array.of(7))).toBe(false);
    expect(broker.seal(envelope(group(0)), Uint8Array.of(0))).toBe(true);
    expect((await complete).map((sealed) => [sealed.envelope.group, sealed.bytes[0]])).toEqual([
      [group(0), 0],
      [group(1), 1],
    ]);
    expect(frames.filter((frame) => frame.kind === 'group.sealed')).toHaveLength(2);
    expect(broker.status()).toMatchObject({ sealed: 2, late: 2 });
  });

  it('gives up the calls of a group that is sealed: no slot is held for it, and no reply of it is kept', async () => {
    const { broker, clock, frames, engine } = house({ latencyMs: 50 });
    const complete = broker.expect(step, [group(0)]);
    const straggler = endOf(broker.generate(call('late'), never));
    await settled();
    broker.seal(envelope(group(0)), Uint8Array.of(1));
    await complete;
    expect(await straggler).toBeInstanceOf(CancelledFault);
    expect(broker.status()).toMatchObject({ inFlight: 0, versions: [] });
    await elapse(clock, 60);
    expect(frames.filter((frame) => frame.kind === 'call.reply')).toEqual([]);
    const again = broker.generate(call('late'), never);
    await elapse(clock, 60);
    await again;
    expect(engine.asked).toBe(2);
  });

  it('holds one stalled request against its engine once, however many members wait for it', async () => {
    const { broker, clock } = house({ faults: { hang: 1 } });
    const ends = Array.from({ length: 8 }, (_, member) =>
      endOf(broker.generate(call(member, { seed: 100 + member, deadlineMs: 500 }), never)),
    );
    await elapse(clock, 600, 10);
    expect((await Promise.all(ends)).every((end) => end instanceof EngineFault)).toBe(true);
    expect(broker.status()).toMatchObject({ asked: 1, merged: 7, mode: 'ready' });
  });

  it('lets what is in flight end when it closes, and rejects the rest', async () => {
    const { broker, clock } = house({ latencyMs: 50, concurrency: 1 });
    const flying = broker.generate(call('a'), never);
    await settled();
    const waiting = endOf(broker.generate(call('b', { group: group(1) }), never));
    const closed = broker.close();
    expect(await waiting).toBeInstanceOf(CancelledFault);
    expect(await endOf(broker.generate(call('c'), never))).toBeInstanceOf(CancelledFault);
    await elapse(clock, 60);
    await closed;
    await expect(flying).resolves.toBeDefined();
    expect(broker.status().mode).toBe('closed');
  });

  it('answers every call exactly once, whatever the engine does and whoever cancels', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(),
          faults: fc.record({
            error: fc.double({ min: 0, max: 0.3, noNaN: true }),
            malformed: fc.double({ min: 0, max: 0.3, noNaN: true }),
            hang: fc.double({ min: 0, max: 0.2, noNaN: true }),
            slow: fc.double({ min: 0, max: 0.2, noNaN: true }),
          }),
          concurrency: fc.integer({ min: 1, max: 12 }),
          calls: fc.array(
            fc.record({
              group: fc.nat(5),
              seed: fc.nat(9),
              cancel: fc.option(fc.nat(200)),
              deadlineMs: fc.integer({ min: 10, max: 3000 }),
            }),
            { minLength: 1, maxLength: 40 },
          ),
        }),
        async ({ seed, faults, concurrency, calls }) => {
          const { broker, clock } = house({ seed, faults, concurrency, latencyMs: 20, slowMs: 300 }, { stallMs: 400 });
          const ends: number[] = calls.map(() => 0);
          calls.forEach((each, i) => {
            const cancel = new AbortController();
            if (each.cancel !== null) clock.after(each.cancel, () => cancel.abort());
            const end = (): void => void (ends[i] = (ends[i] as number) + 1);
            broker
              .generate(call(i, { group: group(each.group), seed: each.seed, deadlineMs: each.deadlineMs }), cancel.signal)
              .then(end, end);
          });
          await elapse(clock, 3_100, 50);
          expect(ends.every((times) => times === 1)).toBe(true);
          expect(broker.status()).toMatchObject({ inFlight: 0, waiting: 0 });
          expect(broker.waits()).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });
});
