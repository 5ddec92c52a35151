/** A broker over several engines: which lane a call waits at, and what becomes of it when a lane fails, takes new weights or is lent. Time is simulated throughout. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deadlineWheel } from '../src/actors/deadlines.ts';
import { laneModes } from '../src/actors/lane-modes.ts';
import { recorder } from '../src/actors/recorder.ts';
import { simulatedClock } from '../src/actors/clock.ts';
import { EngineFault } from '../src/errors.ts';
import { replay } from '../src/machines/replay.ts';
import type { RecordedEvent } from '../src/protocol/frame.ts';
import type { CallId, PolicyVersion, StepId } from '../src/protocol/ids.ts';
import type { ChatRequest, TokenReply } from '../src/protocol/inference.ts';
import { call, group } from './support/calls.ts';
import { elapse, settled } from './support/elapse.ts';
import { endOf, laneHouse, weights } from './support/lanes.ts';

const never = (): AbortSignal => new AbortController().signal;
const at = (version: number): { version: PolicyVersion } => ({ version: version as PolicyVersion });

describe('a group', () => {
  it('goes where the least is open per slot, and stays there for all its calls', async () => {
    const { broker, clock, servers } = laneHouse({ engine: { latencyMs: 10, concurrency: 4 } });
    const turns = async (index: number): Promise<void> => {
      for (let turn = 0; turn < 5; turn++) await broker.generate(call(`${index}-${turn}`, { group: group(index), seed: turn }), never());
    };
    const all = Promise.all(Array.from({ length: 12 }, (_, index) => turns(index)));
    await elapse(clock, 100, 5);
    await all;
    const homes = servers.map(({ asked }) => new Set(asked.map((request) => request.group)));
    expect(homes.map((groups) => groups.size)).toEqual([4, 4, 4]);
    expect(servers.map(({ asked }) => asked.length)).toEqual([20, 20, 20]);
  });

  it('moves to a lane that serves when its own fails, and is answered there', async () => {
    const { broker, clock, servers, modes } = laneHouse({ servers: 2, engine: { latencyMs: 20, concurrency: 8 } });
    const ask = (turn: number): Promise<(TokenReply | Error)[]> =>
      Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          endOf(broker.generate(call(`${turn}-${i}`, { group: group(i), seed: i + 100 * turn }), never())),
        ),
      );
    const [first] = servers;
    if (first === undefined) throw new Error('no server');
    first.trouble = 'unreachable';
    const before = ask(0);
    await elapse(clock, 2_000, 10);
    expect((await before).filter((end) => end instanceof Error)).toEqual([]);
    expect(modes).toContain('scripted#0 openCircuit.resting');
    const reached = first.asked.length;
    const after = ask(1);
    await elapse(clock, 200, 10);
    expect((await after).filter((end) => end instanceof Error)).toEqual([]);
    // Nothing but probes went to the dead one since.
    expect(first.asked.slice(reached).every((request) => request.group === 'probe')).toBe(true);
  });

  it('waits while every circuit is open, without being asked, and is answered by the first lane that returns', async () => {
    const { broker, clock, servers } = laneHouse({ servers: 2, attempts: 3, engine: { concurrency: 8 } });
    for (const server of servers) server.trouble = 'unreachable';
    const ends = Promise.all(
      Array.from({ length: 60 }, (_, i) => endOf(broker.generate(call(i, { group: group(i), deadlineMs: 1e6 }), never()))),
    );
    await elapse(clock, 1_000, 20);
    expect(broker.status().mode).toBe('openCircuit.resting');
    const reached = servers.reduce((sum, { asked }) => sum + asked.length, 0);
    expect(reached).toBeLessThanOrEqual(2 * 8 + 10);
    await elapse(clock, 100_000, 1_000);
    const probes = servers.flatMap(({ asked }) => asked).slice(reached);
    expect(servers.flatMap(({ asked }) => asked).filter((request) => request.group !== 'probe').length).toBe(reached);
    expect(probes.length).toBeGreaterThan(2);
    expect(broker.waits().every((wait) => wait.waitsFor === 'circuit')).toBe(true);
    expect(broker.waits()).toHaveLength(60);
    const [, second] = servers;
    if (second !== undefined) second.trouble = undefined;
    await elapse(clock, 130_000, 1_000);
    expect((await ends).filter((end) => end instanceof Error)).toEqual([]);
    expect(broker.status().lanes.map(({ mode }) => mode.split('.')[0])).toEqual(['openCircuit', 'ready']);
  });

  it('of an older step goes before one of a younger step, however few members run in it', async () => {
    const { broker, clock, servers } = laneHouse({ servers: 1, engine: { latencyMs: 1, concurrency: 1 } });
    void broker.expect('s1' as StepId, [group(1)]);
    void broker.expect('s2' as StepId, [group(2)]);
    const ends = [
      broker.generate(call('first'), never()),
      broker.generate(call('young policy', { group: group(2), priority: 1 }), never()),
      broker.generate(call('old user', { group: group(1), priority: 8, role: 'user' }), never()),
      broker.generate(call('old policy', { group: group(1), priority: 8 }), never()),
      broker.generate(call('nobody’s step', { group: group(3), priority: 8 }), never()),
    ];
    await elapse(clock, 20, 1);
    await Promise.all(ends);
    expect(servers[0]?.asked.map(({ id }) => id.slice(5))).toEqual(['first', 'nobody’s step', 'old policy', 'old user', 'young policy']);
  });
});

describe('a freed slot', () => {
  it('is taken again before time passes', async () => {
    const { broker, clock, servers } = laneHouse({ servers: 1, engine: { latencyMs: 10, concurrency: 4 } });
    const all = Array.from({ length: 40 }, (_, i) => broker.generate(call(i, { group: group(i) }), never()));
    await settled();
    for (let wave = 1; wave <= 9; wave++) {
      clock.advance(10);
      await settled();
      expect(servers[0]?.held).toBe(4);
    }
    clock.advance(10);
    await Promise.all(all);
    expect(clock.now()).toBe(100);
    expect(broker.status().occupancy).toBe(1);
  });
});

describe('the end of a call', () => {
  const alone = (trouble: 'refused' | 'malformed' | 'overloaded', troubled = Infinity) => {
    const house = laneHouse({ servers: 1, engine: { concurrency: 64 } });
    const [server] = house.servers;
    if (server === undefined) throw new Error('no server');
    server.trouble = trouble;
    server.troubled = troubled;
    return { ...house, server };
  };

  it('is final when the engine refuses it, and says nothing of the engine’s health', async () => {
    const { broker, clock, server } = alone('refused');
    const ends = Promise.all(Array.from({ length: 30 }, (_, i) => endOf(broker.generate(call(i, { group: group(i) }), never()))));
    await elapse(clock, 5_000, 50);
    expect((await ends).every((end) => end instanceof EngineFault && end.trouble === 'refused')).toBe(true);
    expect(server.asked).toHaveLength(30);
    expect(broker.status().mode).toBe('ready');
  });

  it('is put off when it is malformed, and opens no circuit', async () => {
    const { broker, clock, server } = alone('malformed', 8);
    const ends = Promise.all(Array.from({ length: 30 }, (_, i) => endOf(broker.generate(call(i, { group: group(i) }), never()))));
    await elapse(clock, 5_000, 50);
    expect((await ends).filter((end) => end instanceof Error)).toEqual([]);
    expect(server.asked).toHaveLength(38);
    expect(broker.status().mode).toBe('ready');
  });

  it('is put off when the engine is overloaded, at no cost to the call; the window shrinks once, and opens again', async () => {
    const { broker, clock, server } = alone('overloaded', 200);
    const ends = Promise.all(Array.from({ length: 64 }, (_, i) => endOf(broker.generate(call(i, { group: group(i) }), never()))));
    await settled();
    expect(broker.status()).toMatchObject({ mode: 'throttled', limit: 48, turnedAway: 64 });
    await elapse(clock, 55_000, 100);
    expect((await ends).filter((end) => end instanceof Error)).toEqual([]);
    expect(server.asked).toHaveLength(264);
    expect(broker.status()).toMatchObject({ turnedAway: 200, repeated: 0 });
  });

  it('comes at its deadline when the engine stays overloaded', async () => {
    const { broker, clock } = alone('overloaded');
    const end = endOf(broker.generate(call('a', { deadlineMs: 5_000 }), never()));
    await elapse(clock, 5_000, 50);
    expect(await end).toBeInstanceOf(EngineFault);
    expect(clock.armed).toBeLessThanOrEqual(1);
  });
});

describe('readings of load', () => {
  it('open the window in steps, close it under pressure, and never let more in than it holds', async () => {
    const { broker, clock, servers } = laneHouse({ servers: 2, reports: true, pollMs: 100, engine: { latencyMs: 30, concurrency: 32 } });
    const all = Promise.all(Array.from({ length: 1_200 }, (_, i) => broker.generate(call(i, { group: group(i), seed: i }), never())));
    await settled();
    expect(broker.status().lanes).toMatchObject([
      { mode: 'throttled', inFlight: 8, limit: 8 },
      { mode: 'throttled', inFlight: 8, limit: 8 },
    ]);
    await elapse(clock, 60, 10);
    expect(broker.status().lanes.map(({ limit }) => limit)).toEqual([32, 32]);
    const [first] = servers;
    if (first === undefined) throw new Error('no server');
    first.pressure = { waiting: 0, cacheUse: 0.97, refused: false };
    await elapse(clock, 100, 10);
    expect(broker.status().lanes.map(({ limit }) => limit)).toEqual([24, 32]);
    await elapse(clock, 90, 10);
    expect(broker.status().lanes.map(({ inFlight }) => inFlight)).toEqual([24, 32]);
    first.pressure = { waiting: 0, cacheUse: 0.5, refused: false };
    await elapse(clock, 1_000, 20);
    await all;
    expect(servers.map(({ most }) => most)).toEqual([32, 32]);
    await broker.close();
    expect(clock.armed).toBe(0);
  });
});

describe('new weights', () => {
  it('reach every lane', async () => {
    const { broker, servers } = laneHouse();
    await broker.publish(weights(1));
    expect(servers.map(({ published }) => published)).toEqual([[1], [1], [1]]);
    const replies = await Promise.all([0, 1, 2].map((i) => broker.generate(call(i, { ...at(1), group: group(i) }), never())));
    expect(replies.map(({ version }) => version)).toEqual([1, 1, 1]);
    expect(servers.map(({ asked }) => asked.length)).toEqual([1, 1, 1]);
  });

  it('take a lane that refuses them out, until it has them; what was there before never answers again', async () => {
    const { broker, clock, servers } = laneHouse({ version: 0 as PolicyVersion });
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error('no servers');
    await broker.generate(call('before', { version: null }), never());
    first.refusesWeights = true;
    await broker.publish(weights(1));
    expect(broker.status().lanes.map(({ mode }) => mode)).toEqual(['openCircuit.resting', 'ready', 'ready']);
    await elapse(clock, 20_000, 100);
    const reached = first.asked.length;
    expect(reached).toBe(1);
    expect(broker.status().lanes[0]?.mode).toMatch(/openCircuit/);
    first.refusesWeights = false;
    await elapse(clock, 30_000, 100);
    expect(broker.status().mode).toBe('ready');
    expect(first.published).toEqual([1]);
    expect(first.asked.slice(reached)).toMatchObject([{ version: 1, n: 1, maxTokens: 1, group: 'probe' }]);
  });

  it('fail when no lane takes them', async () => {
    const { broker, servers } = laneHouse({ servers: 2 });
    for (const server of servers) server.refusesWeights = true;
    await expect(broker.publish(weights(1))).rejects.toBeInstanceOf(EngineFault);
    for (const server of servers) server.refusesWeights = false;
    await broker.publish(weights(1));
    expect(broker.status().mode).toBe('ready');
  });

  it('are loaded while calls of older versions go on, and calls for them wait', async () => {
    const { broker, clock, servers } = laneHouse({
      servers: 1,
      version: 0 as PolicyVersion,
      engine: { versions: 2, latencyMs: 50, concurrency: 2 },
    });
    const flying = broker.generate(call('flying'), never());
    await settled();
    const [server] = servers;
    if (server === undefined) throw new Error('no server');
    const published = broker.publish(weights(1));
    const old = broker.generate(call('old', { group: group(1) }), never());
    const young = broker.generate(call('young', { ...at(1), group: group(2) }), never());
    expect(broker.status()).toMatchObject({
      mode: 'loading',
      versions: [
        { version: 0, open: 2 },
        { version: 1, open: 1 },
      ],
    });
    expect(broker.waits().find((wait) => wait.call === 'call-young')).toMatchObject({ state: 'waiting', waitsFor: 'publication' });
    await settled();
    expect(server.asked.map(({ id }) => id)).toEqual(['call-flying', 'call-old']);
    await elapse(clock, 120, 10);
    await published;
    expect([(await flying).version, (await old).version, (await young).version]).toEqual([0, 0, 1]);
  });

  it('end the calls of a version that nothing answers any more, with the reason', async () => {
    const { broker, clock } = laneHouse({
      servers: 2,
      version: 0 as PolicyVersion,
      engine: { versions: 2, latencyMs: 50, concurrency: 1 },
    });
    await broker.publish(weights(1));
    const ends = Array.from({ length: 4 }, (_, i) => endOf(broker.generate(call(i, { group: group(i) }), never())));
    await settled();
    const published = broker.publish(weights(2));
    await settled();
    expect(await ends[3]).toMatchObject({ trouble: 'refused', message: expect.stringMatching(/version 0 .* 1\.\.2/) as string });
    await elapse(clock, 60, 10);
    await published;
    expect(await endOf(broker.generate(call('late'), never()))).toMatchObject({ trouble: 'refused' });
    const both = Promise.all([1, 2].map((version) => broker.generate(call(`v${version}`, at(version)), never())));
    await elapse(clock, 120, 10);
    expect((await both).map(({ version }) => version)).toEqual([1, 2]);
  });

  it('bring a lane that was out every version that is still answered', async () => {
    const { broker, clock, servers } = laneHouse({ servers: 2, version: 0 as PolicyVersion, engine: { versions: 2 } });
    const [first] = servers;
    if (first === undefined) throw new Error('no server');
    first.refusesWeights = true;
    for (const version of [1, 2, 3]) await broker.publish(weights(version));
    first.refusesWeights = false;
    await elapse(clock, 20_000, 100);
    expect(first.published).toEqual([2, 3]);
    expect(broker.status().mode).toBe('ready');
  });
});

describe('a probe', () => {
  it('is one real token on a prompt that was answered before, and nothing of it is recorded', async () => {
    const { broker, clock, servers, frames } = laneHouse({ servers: 1 });
    const [server] = servers;
    if (server === undefined) throw new Error('no server');
    await broker.generate(call('good', { ids: Int32Array.from({ length: 40 }, (_, i) => i + 3) }), never());
    server.trouble = 'internal';
    const ends = Promise.all(
      Array.from({ length: 6 }, (_, i) => endOf(broker.generate(call(i, { group: group(i), deadlineMs: 3_000 }), never()))),
    );
    await elapse(clock, 3_100, 50);
    await ends;
    expect(broker.waits()).toEqual([]);
    server.trouble = undefined;
    const before = frames.length;
    await elapse(clock, 6_000, 50);
    expect(broker.status().mode).toBe('ready');
    const last = server.asked.at(-1);
    expect(last).toMatchObject({ n: 1, maxTokens: 1, role: 'policy' });
    expect(last?.ids).toEqual(Int32Array.from({ length: 16 }, (_, i) => i + 3));
    expect(frames).toHaveLength(before);
  });
});

describe('a loan', () => {
  it('begins when the last call has ended, and starts none until it is over', async () => {
    const { broker, clock, servers, modes } = laneHouse({ servers: 2, engine: { latencyMs: 50 } });
    const flying = [0, 1].map((i) => broker.generate(call(i, { group: group(i) }), never()));
    await settled();
    const lent = broker.suspend();
    const late = broker.generate(call('late', { group: group(2) }), never());
    await elapse(clock, 40, 10);
    expect(broker.status()).toMatchObject({ mode: 'lending', inFlight: 2, waiting: 1 });
    expect(servers.map(({ rests }) => rests)).toEqual([[], []]);
    await elapse(clock, 20, 10);
    await Promise.all([...flying, lent]);
    expect(broker.status().mode).toBe('lent');
    expect(broker.waits()).toMatchObject([{ call: 'call-late', waitsFor: 'loan' }]);
    await elapse(clock, 500_000, 10_000);
    expect(servers.map(({ asked }) => asked.length)).toEqual([1, 1]);
    expect(servers.map(({ rests }) => rests)).toEqual([['sleep'], ['sleep']]);
    await expect(broker.publish(weights(1))).rejects.toThrow(/lent/);
    await broker.suspend();
    await broker.resume();
    await elapse(clock, 60, 10);
    await late;
    expect(servers.map(({ rests }) => rests)).toEqual([
      ['sleep', 'wake'],
      ['sleep', 'wake'],
    ]);
    await broker.resume();
    expect(modes.filter((mode) => mode.startsWith('scripted#1'))).toEqual(
      ['starting', 'ready', 'lending', 'lent', 'reclaiming', 'ready'].map((mode) => `scripted#1 ${mode}`),
    );
  });

  it('is refused when an engine does not make room, and all serve on', async () => {
    const { broker, clock, servers } = laneHouse({ servers: 2 });
    const [first] = servers;
    if (first === undefined) throw new Error('no server');
    first.refusesSleep = true;
    await expect(broker.suspend()).rejects.toThrow(/trouble: sleep/);
    expect(broker.status().lanes.map(({ mode }) => mode)).toEqual(['openCircuit.resting', 'ready']);
    await Promise.all([0, 1].map((i) => broker.generate(call(i, { group: group(i) }), never())));
    await elapse(clock, 10_000, 100);
    expect(broker.status().mode).toBe('ready');
  });

  it('takes back what the engine still holds after its patience, and asks it again later', async () => {
    const { broker, clock, servers } = laneHouse({ servers: 1, patienceMs: 1_000, engine: { latencyMs: 5_000 } });
    const slow = broker.generate(call('slow'), never());
    await settled();
    const lent = broker.suspend();
    await elapse(clock, 1_100, 50);
    await lent;
    expect(servers[0]?.held).toBe(0);
    await broker.resume();
    await elapse(clock, 5_200, 50);
    await expect(slow).resolves.toBeDefined();
  });

  it('does not count: a call that waits has its whole time in time in which it could be served', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 1, max: 5_000 })), { maxLength: 5 }),
        async (deadlineMs, loans) => {
          const { broker, clock, servers } = laneHouse({ servers: 1, version: 0 as PolicyVersion });
          let ended: number | undefined;
          // Nobody publishes what it asks for: it can do nothing but wait.
          void endOf(broker.generate(call('a', { ...at(9), deadlineMs }), never())).then(() => (ended = clock.now()));
          let served = 0;
          let lentMs = 0;
          for (const [servingMs, loanMs] of loans) {
            if (served + servingMs >= deadlineMs) break;
            await elapse(clock, servingMs, servingMs);
            served += servingMs;
            await broker.suspend();
            await elapse(clock, loanMs, loanMs);
            lentMs += loanMs;
            await broker.resume();
          }
          await elapse(clock, deadlineMs - served - 0.5, deadlineMs);
          expect(ended).toBeUndefined();
          await elapse(clock, 0.5, 1);
          expect(ended).toBe(deadlineMs + lentMs);
          expect(servers[0]?.asked).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('chat', () => {
  const chat = (id: string, change: Partial<ChatRequest> = {}): ChatRequest => ({
    id: id as CallId,
    role: 'user',
    messages: [{ role: 'user', content: 'hello' }],
    seed: 1,
    maxTokens: 8,
    temperature: 1,
    priority: 0,
    group: group(0),
    deadlineMs: 1_000,
    ...change,
  });

  it('is asked once per call, and ranked by role', async () => {
    const { broker, servers } = laneHouse({ servers: 1, engine: { concurrency: 1 } });
    const ask = (id: string, role: ChatRequest['role']) => broker.chat?.(chat(id, { role }), never());
    await Promise.all([ask('0', 'user'), ask('task', 'task'), ask('judge', 'judge'), ask('user', 'user'), ask('tool', 'tool')]);
    expect(servers[0]?.chats.map(({ id }) => id)).toEqual(['0', 'user', 'tool', 'judge', 'task']);
  });

  it('never speaks for the policy', async () => {
    const { broker, servers } = laneHouse({ servers: 1 });
    await expect(broker.chat?.(chat('a', { role: 'policy' }), never())).rejects.toMatchObject({ trouble: 'refused' });
    expect(servers[0]?.chats).toEqual([]);
  });
});

describe('the modes of the lanes', () => {
  it('are in the journal, and can be replayed', async () => {
    const clock = simulatedClock();
    const written: RecordedEvent[] = [];
    const events = recorder((some) => void written.push(...some), deadlineWheel(clock));
    const { broker } = laneHouse({ servers: 2, chart: laneModes(events) });
    await broker.publish(weights(1));
    await broker.suspend();
    await broker.resume();
    events.flush();
    expect(written.filter(({ actor }) => actor === 'run/broker').map(({ event }) => event.type)).toEqual([
      'xstate.init',
      'engine.ready',
      'weights.publish',
      'weights.published',
      'accelerator.lend',
      'accelerator.lent',
      'accelerator.reclaim',
      'accelerator.reclaimed',
    ]);
    expect(written.some(({ actor }) => actor === 'run/lane1/broker')).toBe(true);
    expect(replay(written).divergence).toBeNull();
  });
});

describe('the dump', () => {
  it('names lane, call, role, group, age and what is waited for', async () => {
    const stalls: unknown[][] = [];
    const { broker, clock } = laneHouse({
      servers: 2,
      stallMs: 1_000,
      attempts: 1,
      engine: { concurrency: 1, faults: { hang: 1 } },
      onStall: (waits) => void stalls.push(waits),
    });
    const ends = [0, 1, 2].map((i) => endOf(broker.generate(call(i, { group: group(i), role: i === 2 ? 'judge' : 'policy' }), never())));
    await elapse(clock, 1_000, 10);
    expect(stalls[0]).toMatchObject([
      { lane: 'scripted#0', call: 'call-0', role: 'policy', group: group(0), ageMs: 1_000, engineMs: 1_000, waitsFor: 'answer' },
      { lane: 'scripted#1', call: 'call-1', role: 'policy', group: group(1), ageMs: 1_000, waitsFor: 'answer' },
      { lane: 'scripted#0', call: 'call-2', role: 'judge', group: group(2), ageMs: 1_000, engineMs: 0, waitsFor: 'slot' },
    ]);
    await elapse(clock, 5_000, 50);
    await Promise.all(ends);
  });
});

describe('many', () => {
  it('16,000 calls wait over four lanes without trouble: asked once each, none left behind', async () => {
    const count = 16_000;
    const { broker, clock, servers, frames } = laneHouse({ servers: 4, engine: { concurrency: 64 } });
    let answered = 0;
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++)
      all.push(broker.generate(call(i, { group: group(i % 500), seed: i, ids: Int32Array.of(1, i) }), never()).then(() => answered++));
    expect(broker.status()).toMatchObject({ waiting: count, versions: [{ version: 0, open: count }] });
    expect(broker.status().lanes.map(({ waiting }) => waiting)).toEqual([4_000, 4_000, 4_000, 4_000]);
    // One timer a call, nothing else.
    expect(clock.armed).toBe(count);
    await Promise.all(all);
    expect(answered).toBe(count);
    expect(servers.map(({ asked }) => asked.length)).toEqual([4_000, 4_000, 4_000, 4_000]);
    expect(servers.every(({ most }) => most <= 64)).toBe(true);
    expect(frames).toHaveLength(count);
    expect(clock.armed).toBe(0);
    expect(broker.status()).toMatchObject({ waiting: 0, inFlight: 0, answered: count, versions: [] });
    expect(broker.waits()).toEqual([]);
  });

  it('are each answered exactly once, whichever lanes fail and return; none starves, no window is exceeded', async () => {
    const lanes = 3;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          concurrency: fc.integer({ min: 1, max: 6 }),
          seed: fc.nat(),
          calls: fc.array(fc.record({ group: fc.nat(6), seed: fc.nat(30), after: fc.nat(400) }), { minLength: 1, maxLength: 40 }),
          deeds: fc.array(
            fc.record({
              after: fc.nat(400),
              lane: fc.nat(lanes - 1),
              deed: fc.constantFrom('unreachable', 'overloaded', 'malformed', 'well', 'well', 'suspend', 'publish'),
            }),
            { maxLength: 10 },
          ),
        }),
        async ({ concurrency, seed, calls, deeds }) => {
          const { broker, clock, servers } = laneHouse({
            servers: lanes,
            attempts: 9,
            retryShare: 9,
            restMs: 50,
            stallMs: 500,
            engine: { concurrency, latencyMs: 20, seed, versions: 99, faults: { hang: 0.02, slow: 0.05 } },
          });
          const ends = calls.map(() => [] as (TokenReply | Error)[]);
          let version = 0;
          calls.forEach((each, i) =>
            clock.after(each.after, () => {
              const asked = call(i, { group: group(each.group), seed: each.seed, deadlineMs: 60_000 });
              void endOf(broker.generate(asked, never())).then((end) => ends[i]?.push(end));
            }),
          );
          const troubles: Promise<unknown>[] = [];
          for (const { after, lane, deed } of deeds)
            clock.after(after, () => {
              const server = servers[lane];
              if (server === undefined) return;
              if (deed === 'publish') troubles.push(broker.publish(weights(++version)).catch(() => undefined));
              else if (deed === 'suspend') {
                troubles.push(broker.suspend().catch(() => undefined));
                clock.after(30, () => troubles.push(broker.resume()));
              } else server.trouble = deed === 'well' ? undefined : deed;
            });
          await elapse(clock, 400, 10);
          for (const server of servers) server.trouble = undefined;
          await elapse(clock, 8_000, 50);
          expect(ends.map((each) => each.length)).toEqual(calls.map(() => 1));
          expect(ends.flat().filter((end) => end instanceof Error)).toEqual([]);
          expect(servers.every(({ most }) => most <= concurrency)).toBe(true);
          expect(broker.status()).toMatchObject({ waiting: 0, inFlight: 0 });
          expect(broker.waits()).toEqual([]);
          await Promise.all(troubles);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keep to their group’s lane for as long as it serves', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(fc.nat(9), fc.nat(60)), { minLength: 1, maxLength: 60 }),
        async (lanes, calls) => {
          const { broker, clock, servers } = laneHouse({ servers: lanes, engine: { concurrency: 2, latencyMs: 7 } });
          const ends = calls.map(async ([index, after], i) => {
            await new Promise<void>((resolve) => void clock.after(after, resolve));
            return broker.generate(call(i, { group: group(index), seed: i }), never());
          });
          await elapse(clock, 400, 5);
          await Promise.all(ends);
          for (let index = 0; index < 10; index++)
            expect(servers.filter(({ asked }) => asked.some((request) => request.group === group(index))).length).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 40 },
    );
  });
});
