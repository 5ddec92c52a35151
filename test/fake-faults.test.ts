/** Every misfortune the fake knows, through the engine and through a broker: the right class, the right trouble, in time, and no call lost. */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../src/actors/clock.ts';
import { EngineFault, type EngineTrouble } from '../src/errors.ts';
import { createBroker, type Broker } from '../src/gpu/broker.ts';
import { launchFake, planFaults, type FakeServer } from '../src/gpu/engines/fake.ts';
import { faultKinds, type FaultKind } from '../src/gpu/engines/fake/faults.ts';
import type { House } from '../src/gpu/engines/fake/house.ts';
import type { VllmEngine } from '../src/gpu/engines/vllm.ts';
import type { GroupId, PolicyVersion } from '../src/protocol/ids.ts';
import { call, envelope, group, recording, step } from './support/calls.ts';
import { engineOver, fakeHome, stopId, weights } from './support/fake-house.ts';

const never = new AbortController().signal;
const prompt = (index: number) => Int32Array.from({ length: 20 + (index % 7) }, (_, i) => 8 + ((i * 7 + index) % 400));

/** What a call is told that meets it; null: it is answered all the same. */
const told: Record<FaultKind, EngineTrouble | null> = {
  error: 'internal',
  overload: 'overloaded',
  refuse: 'refused',
  reset: 'unreachable',
  hang: 'stalled',
  stall: 'stalled',
  drip: 'stalled',
  cut: 'unreachable',
  html: 'malformed',
  empty: 'malformed',
  truncated: 'malformed',
  huge: 'malformed',
  'missing-ids': 'malformed',
  'missing-logprobs': 'malformed',
  'wrong-ids': 'malformed',
  nan: 'malformed',
  'null-logprob': 'malformed',
  'missing-choice': 'malformed',
  'duplicate-choice': 'malformed',
  'wrong-model': 'malformed',
  'wrong-prompt': 'malformed',
  'wrong-finish': 'malformed',
  'wrong-shape': 'malformed',
  // Its adapter is loaded again, and the call repeated, before anybody hears of it.
  forgotten: null,
  crash: 'unreachable',
};
/** Those that end by the deadline and not before; the others end whatever it is. */
const slow: readonly FaultKind[] = ['hang', 'stall', 'drip'];

let house: House | undefined;
let server: FakeServer | undefined;
let engine: VllmEngine | undefined;
let broker: Broker | undefined;
afterEach(async () => {
  await broker?.close();
  await engine?.close();
  await house?.close();
  await server?.close();
  house = server = engine = broker = undefined;
});

describe('a call to the engine', () => {
  it.each(faultKinds)('that meets %s is told so in time, be it for one sample or for three', async (kind) => {
    const home = await fakeHome({ hugeBytes: 3_000_000 }, { replyBytes: 1_000_000, probed: false });
    ({ house, engine } = home);
    await engine.publish(weights(1 as PolicyVersion));
    const deadlineMs = slow.includes(kind) ? 200 : 20_000;
    for (const n of kind === 'crash' ? [1] : [1, 3]) {
      const ask = (id: string) => call(`${id}-${n}`, { version: 1 as PolicyVersion, ids: prompt(0), n, stop: [stopId] });
      await planFaults(house.url, { kinds: [kind], next: 1 }, never);
      const began = performance.now();
      const end = await engine.generate({ ...ask('struck'), deadlineMs }, never).catch((fault: unknown) => fault);
      const took = performance.now() - began;
      if (told[kind] === null) expect(end).toMatchObject({ version: 1 });
      else {
        expect(end).toBeInstanceOf(EngineFault);
        expect((end as EngineFault).trouble).toBe(told[kind]);
      }
      expect(took).toBeGreaterThanOrEqual(slow.includes(kind) ? deadlineMs - 5 : 0);
      expect(took).toBeLessThan(10_000);
      // It says nothing of the next call, wherever there is still a server.
      if (kind !== 'crash') expect((await engine.generate(ask('next'), never)).samples).toHaveLength(n);
    }
  });
});

const groups = 8;
const members = 4;

/** A step of groups whose members take two turns each, as episodes do; resolves with the sealed groups. */
async function playStep(of: Broker): Promise<GroupId[]> {
  const names = Array.from({ length: groups }, (_, index) => group(index));
  const expected = of.expect(step, names);
  await Promise.all(
    names.map(async (name, g) => {
      await Promise.all(
        Array.from({ length: members }, async (_, m) => {
          for (let turn = 0; turn < 2; turn++) {
            const request = call(`${g}-${m}-${turn}`, {
              ids: prompt(100 * g + 10 * turn + turn * m),
              seed: m,
              stop: [stopId],
              group: name,
              deadlineMs: 20_000,
            });
            expect((await of.generate(request, never)).samples).toHaveLength(1);
          }
        }),
      );
      of.seal(envelope(name), new Uint8Array([g]));
    }),
  );
  return (await expected).map(({ envelope: { group: name } }) => name);
}

const brokerOver = (of: VllmEngine, record = recording().record): Broker =>
  createBroker({
    engines: [of],
    clock: systemClock,
    version: 0 as PolicyVersion,
    record,
    seed: 5,
    attempts: 8,
    retryShare: 1,
    backoffMs: 5,
    stallMs: 300,
    restMs: 20,
    pollMs: 50,
    patienceMs: 2000,
  });

describe('a step over the broker', () => {
  it.each(faultKinds.filter((kind) => kind !== 'refuse' && kind !== 'crash'))('loses no group to %s', async (kind) => {
    const home = await fakeHome({ hugeBytes: 3_000_000 }, { replyBytes: 1_000_000, probed: false });
    ({ house, engine } = home);
    await engine.ready();
    broker = brokerOver(engine);
    await planFaults(house.url, { kinds: [kind], rate: slow.includes(kind) ? 0.04 : 0.1, next: 2, after: 3 }, never);
    expect(await playStep(broker)).toHaveLength(groups);
    expect(house.stats().faults[kind]).toBeGreaterThanOrEqual(2);
  });

  it('loses no group to all of them together', async () => {
    const home = await fakeHome({ hugeBytes: 3_000_000 }, { replyBytes: 1_000_000, probed: false });
    ({ house, engine } = home);
    await engine.ready();
    broker = brokerOver(engine);
    const kinds = faultKinds.filter((kind) => kind !== 'refuse' && kind !== 'crash');
    await planFaults(house.url, { kinds, rate: 0.15 }, never);
    expect(await playStep(broker)).toHaveLength(groups);
  });

  it('loses no group to a server that dies and comes back on its port', async () => {
    server = await launchFake({ clock: systemClock, timeScale: 0, contextLength: 256, maxAdapters: 4 });
    const { url } = server;
    engine = engineOver(url, { probed: false });
    await engine.ready();
    broker = brokerOver(engine);
    await planFaults(url, { kinds: ['crash'], next: 1, after: 10 }, never);
    const played = playStep(broker);
    await server.gone;
    server = await launchFake({ clock: systemClock, timeScale: 0, contextLength: 256, maxAdapters: 4, port: Number(new URL(url).port) });
    expect(await played).toHaveLength(groups);
  });
});

describe('a plan of faults', () => {
  it('names what it cannot read', async () => {
    ({ house, engine } = await fakeHome());
    const plan = (body: object) => planFaults((house as House).url, body as never, never);
    await expect(plan({ kinds: ['earthquake'] })).rejects.toThrow(/earthquake.*is none of error, overload/);
    await expect(plan({ kinds: ['error'], rate: 2 })).rejects.toThrow(/rate is not within 0 and 1/);
    await expect(plan({ kinds: ['error'], next: -1 })).rejects.toThrow(/next and after/);
  });

  it('strikes the same calls each time: by seed and place', async () => {
    const struck: string[] = [];
    for (let round = 0; round < 2; round++) {
      ({ house, engine } = await fakeHome({ seed: 9 }, { probed: false }));
      await planFaults(house.url, { kinds: ['error', 'html'], rate: 0.5 }, never);
      let line = '';
      for (let index = 0; index < 30; index++) {
        const end = await engine
          .generate(call(index, { ids: prompt(index), stop: [stopId] }), never)
          .catch((fault: EngineFault) => fault.trouble);
        line += typeof end === 'string' ? (end[0] as string) : '.';
      }
      struck.push(line);
      await engine.close();
      await house.close();
    }
    expect(struck[1]).toBe(struck[0]);
    expect(new Set(struck[0])).toEqual(new Set(['i', 'm', '.']));
  });
});
