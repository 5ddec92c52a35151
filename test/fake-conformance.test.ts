/** The vLLM engine over the fake server keeps every engine's contract, in this process and in one of its own; and what the fake alone can show. */
import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../src/actors/clock.ts';
import { fakeStats, launchFake, planFaults, type FakeServer } from '../src/gpu/engines/fake.ts';
import { lacking, probeServer } from '../src/gpu/engines/vllm/capabilities.ts';
import type { House } from '../src/gpu/engines/fake/house.ts';
import { flagsOf, readFlags } from '../src/gpu/engines/fake/settings.ts';
import type { VllmEngine } from '../src/gpu/engines/vllm.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import type { ChatRequest } from '../src/protocol/inference.ts';
import { call, group } from './support/calls.ts';
import { describeEngine } from './support/engine-conformance.ts';
import { engineOver, fakeHome, stopId, weights } from './support/fake-house.ts';

const never = new AbortController().signal;
const prompt = (index: number) => Int32Array.from({ length: 20 + index }, (_, i) => 8 + ((i * 7 + index) % 400));

describeEngine('vllm over the fake', async () => {
  const { engine, house } = await fakeHome();
  return { engine, prompt, stop: [stopId], weights, dispose: () => house.close() };
});

describeEngine('vllm over the fake, with its time', async () => {
  const { engine, house } = await fakeHome({ timeScale: 0.2, loadMs: 5, cost: { base: 2 } });
  return { engine, prompt, stop: [stopId], weights, dispose: () => house.close() };
});

describe('the fake as a process', () => {
  let server: FakeServer | undefined;
  let engine: VllmEngine | undefined;
  afterEach(async () => {
    await engine?.close();
    await server?.close();
  });

  it('starts, answers, counts, goes wrong on demand, and ends with a crash', async () => {
    server = await launchFake({ clock: systemClock, timeScale: 0, contextLength: 256, maxAdapters: 4 });
    engine = engineOver(server.url);
    const reply = await engine.generate(call('a', { ids: prompt(0), stop: [stopId] }), never);
    expect(reply.samples).toHaveLength(1);
    const stats = await fakeStats(server.url, never);
    expect(stats).toMatchObject({ waiting: 0, running: 0 });
    expect(stats.generated).toBeGreaterThan(0);
    await planFaults(server.url, { kinds: ['crash'], next: 1 }, never);
    await expect(engine.generate(call('b', { ids: prompt(1), stop: [stopId] }), never)).rejects.toMatchObject({ trouble: 'unreachable' });
    await server.gone;
    await expect(engine.generate(call('c', { ids: prompt(2), stop: [stopId] }), never)).rejects.toMatchObject({ trouble: 'absent' });
  });

  it('ends with whoever started it, be that by SIGKILL', async () => {
    const parent = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `import { launchFake } from './dist/gpu/engines/fake.js';
       import { systemClock } from './dist/actors/clock.js';
       console.log((await launchFake({ clock: systemClock })).url);
       setInterval(() => {}, 1000);`,
    ]);
    const url = await new Promise<string>((resolve) => parent.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())));
    expect((await fetch(`${url}/health`)).status).toBe(200);
    parent.kill('SIGKILL');
    const dead = async (): Promise<boolean> =>
      fetch(`${url}/health`).then(
        () => false,
        () => true,
      );
    while (!(await dead())) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('says why it does not start', async () => {
    await expect(launchFake({ clock: systemClock, blocks: 1 })).rejects.toThrow(/blocks must hold one full context/);
  });
});

describe('the flags of the process', () => {
  it('say what the options said', () => {
    const spread = fc.record({ mean: fc.integer({ min: 1, max: 5000 }), sigma: fc.double({ min: 0, max: 2, noNaN: true }) });
    const cost = fc.record({ base: fc.nat(50), prefill: fc.double({ min: 0, max: 1, noNaN: true }) }, { requiredKeys: ['base'] });
    const options = fc.record(
      {
        model: fc.constantFrom('base', 'Qwen/Qwen3-8B'),
        maxSequences: fc.integer({ min: 1, max: 4096 }),
        checkAdapters: fc.boolean(),
        timeScale: fc.constantFrom(0, 0.25, 1),
        seed: fc.nat(),
        latency: spread,
        length: spread,
        cost,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(options, (given) => {
        expect(readFlags(['--port', '7', ...flagsOf(given)])).toEqual({ options: given, port: 7 });
      }),
    );
  });

  it('are refused by name where they are unknown or no number', () => {
    expect(() => readFlags(['--colour', 'red'])).toThrow(/--colour/);
    expect(() => readFlags(['--max-sequences', 'many'])).toThrow(/--max-sequences: many/);
  });
});

describe('the fake', () => {
  let house: House | undefined;
  let engine: VllmEngine | undefined;
  afterEach(async () => {
    await engine?.close();
    await house?.close();
  });
  const start = async (...options: Parameters<typeof fakeHome>): Promise<VllmEngine> => {
    const home = await fakeHome(...options);
    ({ house, engine } = home);
    return engine;
  };

  it('has every capability that a server must have', async () => {
    const of = await start();
    const rows = await probeServer((house as House).url, { clock: systemClock, contextLength: 256, versions: 2, sleeps: true });
    expect(lacking(rows, 'both').map(({ what, found }) => `${what}: ${found}`)).toEqual([]);
    expect(await of.ready()).not.toHaveLength(0);
  });

  it('says a script word for word, cut where it stops or must end', async () => {
    const words = [
      [20, 21, 22, stopId, 23],
      [30, 31, 32, 33, 34],
    ];
    const of = await start({}, { script: () => words });
    const { samples } = await of.generate(call('a', { ids: prompt(0), n: 2, stop: [stopId], maxTokens: 4 }), never);
    expect(samples.map(({ ids, finish }) => [[...ids], finish])).toEqual([
      [[20, 21, 22, stopId], 'stop'],
      [[30, 31, 32, 33], 'length'],
    ]);
  });

  it('gives scripted tokens the log-probs they had as tokens of a prompt', async () => {
    const rows = await start().then(() => probeServer((house as House).url, { clock: systemClock }));
    expect(rows.find(({ what }) => what.startsWith('log-probs'))?.ok).toBe(true);
  });

  it('answers a chat by its schema', async () => {
    const of = await start({ contextLength: 1024 }, { contextLength: 1024, serves: 'both' });
    const schema = {
      type: 'object',
      properties: {
        mood: { enum: ['glad', 'cross'] },
        turns: { type: 'integer', minimum: 3, maximum: 5 },
        lines: { type: 'array', minItems: 2, maxItems: 2, items: { $ref: '#/$defs/line' } },
        note: { anyOf: [{ type: 'string', minLength: 20 }, { type: 'null' }] },
      },
      required: ['mood', 'turns', 'lines', 'note'],
      $defs: { line: { type: 'string', maxLength: 4 } },
    };
    for (let seed = 0; seed < 8; seed++) {
      const reply = await of.chat?.(talk({ schema, seed }), never);
      const said = JSON.parse(reply?.text ?? '') as { mood: string; turns: number; lines: string[]; note: string | null };
      expect(['glad', 'cross']).toContain(said.mood);
      expect([3, 4, 5]).toContain(said.turns);
      expect(said.lines.every((line) => line.length <= 4)).toBe(true);
      expect(said.lines).toHaveLength(2);
      expect(said.note === null || said.note.length >= 20).toBe(true);
    }
  });

  it('refuses with 503 what is beyond its bound, running requests included', async () => {
    const of = await start({ maxQueued: 4, timeScale: 1 }, { probed: false });
    const ends = await Promise.allSettled(
      [0, 1, 2].map((index) => of.generate(call(index, { ids: prompt(index), n: 2, stop: [], maxTokens: 6 }), never)),
    );
    expect(ends.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(ends.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { trouble: 'overloaded' } });
    expect(await of.pressure?.(never)).toMatchObject({ refused: true });
  });

  it('frees the place of a call whose client has gone', async () => {
    const of = await start({ timeScale: 1, cost: { base: 20 } }, { probed: false });
    const gone = new AbortController();
    const ended = of.generate(call('a', { ids: prompt(0), stop: [], maxTokens: 200 }), gone.signal).catch(() => 'gone');
    while ((house as House).stats().running === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    gone.abort();
    expect(await ended).toBe('gone');
    while ((house as House).stats().running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((house as House).stats()).toMatchObject({ aborted: 1, waiting: 0 });
  });

  it('sleeps and wakes; what comes meanwhile waits', async () => {
    const of = await start({ timeScale: 0.01 }, { sleeps: true, probed: false });
    await of.ready();
    await of.publish(weights(1 as PolicyVersion));
    await of.sleep?.();
    let answered = false;
    const call1 = of.generate(call('a', { version: 1 as PolicyVersion, ids: prompt(0), stop: [stopId] }), never).then((reply) => {
      answered = true;
      return reply;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    await of.wake?.();
    expect((await call1).version).toBe(1);
  });

  it('computes the prompt of a group once, and tells how much it found again', async () => {
    const of = await start();
    await of.ready();
    const before = (house as House).stats();
    const ids = prompt(77);
    await of.generate(call('a', { ids, n: 8, stop: [], maxTokens: 4 }), never);
    const after = (house as House).stats();
    expect(after.prefilled - before.prefilled).toBe(ids.length + 7 * (ids.length - 16 * Math.floor((ids.length - 1) / 16)));
    expect(after.cached - before.cached).toBe(7 * 16 * Math.floor((ids.length - 1) / 16));
  });

  it('takes the drawn time of each call, however many there are, where it is told to', async () => {
    const of = await start({ latency: { mean: 40, sigma: 0.5 }, timeScale: 1, maxSequences: 2 }, { probed: false, concurrency: 256 });
    await of.ready();
    const began = performance.now();
    await Promise.all(
      Array.from({ length: 128 }, (_, index) => of.generate(call(index, { ids: prompt(index), seed: index, stop: [stopId] }), never)),
    );
    const stats = (house as House).stats();
    expect(stats).toMatchObject({ done: 128, steps: 0 });
    expect(stats.mostRunning).toBeGreaterThan(2);
    expect(stats.slotMs / 128).toBeGreaterThan(30);
    // One after the other they would take five seconds.
    expect(performance.now() - began).toBeLessThan(stats.slotMs / 2);
  });

  it('draws reply lengths of the given mean, where it is told to', async () => {
    const of = await start({ length: { mean: 30, sigma: 0.4 }, contextLength: 1024 }, { contextLength: 1024, probed: false });
    const { samples } = await of.generate(call('a', { ids: prompt(0), n: 256, stop: [stopId], maxTokens: 500 }), never);
    const mean = samples.reduce((sum, { ids }) => sum + ids.length, 0) / samples.length;
    expect(mean).toBeGreaterThan(26);
    expect(mean).toBeLessThan(34);
    expect(samples.every(({ finish }) => finish === 'stop')).toBe(true);
  });

  it('says the same to the same server state after state: equal settings, equal replies', async () => {
    const said: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const of = await start();
      said.push((await of.generate(call('a', { ids: prompt(0), n: 4, stop: [stopId], maxTokens: 60 }), never)).samples);
      await of.close();
      await house?.close();
    }
    expect(said[1]).toEqual(said[0]);
  });
});

const talk = (change: Partial<ChatRequest> = {}): ChatRequest => ({
  id: 'chat' as ChatRequest['id'],
  role: 'user',
  messages: [{ role: 'user', content: 'Say something.' }],
  seed: 1,
  maxTokens: 200,
  temperature: 1,
  priority: 0,
  group: group(0),
  deadlineMs: 10_000,
  ...change,
});
