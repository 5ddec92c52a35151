/** A server that goes away and comes back, as one does that is started again: what waits for it meanwhile, and how soon it is asked. Time is simulated. */
import { describe, expect, it } from 'vitest';
import { teacher } from '../src/gpu/engines/scripted-teacher.ts';
import { probe, probeOf } from '../src/gpu/lane-probe.ts';
import { createScriptedEngine } from '../src/gpu/engines/scripted.ts';
import { simulatedClock } from '../src/actors/clock.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import { call } from './support/calls.ts';
import { elapse, settled } from './support/elapse.ts';
import { laneHouse, type LaneHouseOptions, type Server, weights } from './support/lanes.ts';
import { renderer } from './support/playhouse.ts';

const never = new AbortController().signal;
function oneServer(options: LaneHouseOptions = {}) {
  const house = laneHouse({ servers: 1, version: 0 as PolicyVersion, ...options });
  return { ...house, server: house.servers[0] as Server };
}

describe('a call that nobody took', () => {
  it('costs no attempt: it waits until its server is back, within its deadline', async () => {
    const { broker, clock, server } = oneServer({ attempts: 1 });
    server.away = true;
    const reply = broker.generate(call('a'), never);
    await elapse(clock, 30_000, 100);
    server.away = false;
    broker.returned(0);
    await elapse(clock, 1_000, 10);
    expect(await reply).toMatchObject({ id: 'call-a' });
    expect(broker.status()).toMatchObject({ answered: 1, faulted: 0, repeated: 0 });
  });

  it('ends at its deadline where the server stays away', async () => {
    const { broker, clock, server } = oneServer();
    server.away = true;
    const reply = broker.generate(call('a', { deadlineMs: 20_000 }), never).catch((fault: Error) => fault.message);
    await elapse(clock, 21_000, 100);
    expect(await reply).toMatch(/no answer to call-a within its deadline/);
  });
});

describe('a lane whose server is said to be back', () => {
  it('is probed at once, whatever is left of its rest', async () => {
    const { broker, clock, server } = oneServer();
    await broker.generate(call('before'), never);
    server.away = true;
    void broker.generate(call('a', { deadlineMs: 1e6 }), never);
    // Long enough for rests of half a minute and more.
    await elapse(clock, 60_000, 100);
    server.away = false;
    expect(broker.status().mode).toMatch(/openCircuit/);
    broker.returned(0);
    await settled();
    expect(broker.status().mode).toBe('ready');
  });
});

describe('new weights that nobody is there to take', () => {
  it('wait until the server is back and has them; nothing is asked of it before', async () => {
    const { broker, clock, server } = oneServer({ recoveryMs: 60_000 });
    await broker.generate(call('before'), never);
    server.away = true;
    let isPublished = false;
    const published = broker.publish(weights(1)).then(() => (isPublished = true));
    await elapse(clock, 20_000, 100);
    expect(isPublished).toBe(false);
    server.away = false;
    broker.returned(0);
    await elapse(clock, 1_000, 10);
    await published;
    expect(server.published).toEqual([1]);
    expect(server.asked.slice(-1)).toMatchObject([{ group: 'probe', version: 1 }]);
  });

  it('fail once that took too long', async () => {
    const { broker, clock, server } = oneServer({ recoveryMs: 10_000 });
    server.away = true;
    const end = broker.publish(weights(1)).catch((fault: Error) => fault.message);
    await elapse(clock, 11_000, 100);
    expect(await end).toMatch(/away/);
  });

  it('fail at once where nobody waits', async () => {
    const { broker, server } = oneServer();
    server.away = true;
    await expect(broker.publish(weights(1))).rejects.toThrow(/away/);
  });
});

it('an engine that plays from the answers answers a probe too, which no task asked', async () => {
  const taught = teacher({ renderer, turnsOf: () => [] });
  const engine = createScriptedEngine({ policy: taught.policy, clock: simulatedClock() });
  const known = probeOf({ kind: 'tokens', request: call('a') });
  await expect(probe(engine, known, { id: 'probe', version: null, deadlineMs: 1_000 }, never)).resolves.toBeUndefined();
});
