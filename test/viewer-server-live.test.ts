/** What the viewer tells of its own accord while a run goes on, and to whom. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { simulatedClock } from '../src/actors/clock.ts';
import type { RunRecord } from '../src/record/record.ts';
import type { LiveEvent, RunCard } from '../src/viewer/contract.ts';
import { Live } from '../src/viewer/live.ts';
import type { ViewerClock } from '../src/viewer/ports.ts';
import { Runs } from '../src/viewer/runs.ts';
import { elapse, settled } from './support/elapse.ts';
import { openSample, sampleRun, stepFrames } from './support/sample-run.ts';
import { viewerWorld } from './support/viewer.ts';

const world = viewerWorld();
beforeAll(() => sampleRun(world.root));
afterAll(() => world.remove());

describe('what comes live', () => {
  const clock = simulatedClock();
  let record: RunRecord;
  let live: Live;
  let name: string;
  let serial = 0;

  async function open(): Promise<void> {
    name = `live${serial++}`;
    record = (await openSample(world.root, name)).record;
    live = new Live(new Runs(join(world.root, 'runs'), { clock, note: () => undefined }), clock);
  }
  afterEach(async () => {
    live.close();
    await record.close();
    rmSync(join(world.root, 'runs', name), { recursive: true });
  });

  interface Heard {
    readonly events: { readonly kind: string; readonly id: string | undefined; readonly data: unknown }[];
    readonly raw: () => string;
    readonly ended: () => boolean;
    leave(): Promise<void>;
  }
  async function listen(lastId: string | null = null, run: string | null = name): Promise<Heard> {
    const stream = (await live.listen(run, lastId)) as ReadableStream<Uint8Array>;
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    const events: Heard['events'] = [];
    let [text, ended] = ['', false];
    void (async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += decoder.decode(value);
        events.length = 0;
        for (const block of text.split('\n\n')) {
          const field = (key: string): string | undefined => new RegExp(`^${key}: (.*)$`, 'm').exec(block)?.[1];
          const kind = field('event');
          if (kind !== undefined) events.push({ kind, id: field('id'), data: JSON.parse(field('data') ?? 'null') });
        }
      }
      ended = true;
    })();
    await settled();
    return { events, raw: () => text, ended: () => ended, leave: () => reader.cancel() };
  }
  const kinds = ({ events }: Heard): string[] => events.map(({ kind }) => kind);
  async function play(step: number): Promise<void> {
    for (const frame of stepFrames(step)) record.append(frame);
    await record.flush();
  }

  test('is the run’s card at first, then each group and step as it is recorded, to all who listen', async () => {
    await open();
    const all = await Promise.all(Array.from({ length: 10 }, () => listen()));
    expect(all.map(kinds)).toEqual(all.map(() => ['run']));
    await play(1);
    await elapse(clock, 600, 50);
    for (const heard of all) expect(kinds(heard)).toEqual(['run', 'episode', 'episode', 'step']);
    expect(all[0]?.events.at(-1)).toMatchObject({
      id: expect.stringMatching(/^1:\d+$/) as string,
      data: { row: { step: 's00001', meanReward: 0.5 } },
    });
    // Ten are told less often than one, who would know by now.
    await elapse(clock, 3500, 50);
    expect(kinds(all[0] as Heard)).toEqual(['run', 'episode', 'episode', 'step']);
    await elapse(clock, 1500, 50);
    expect(kinds(all[0] as Heard)).toEqual(['run', 'episode', 'episode', 'step', 'run']);
  });

  test('goes on where a listener broke off', async () => {
    await open();
    const stays = await listen();
    const first = await listen();
    await play(1);
    await elapse(clock, 600, 50);
    const last = first.events.findLast(({ id }) => id !== undefined)?.id ?? '';
    await first.leave();
    await play(2);
    await elapse(clock, 600, 50);
    const again = await listen(last);
    expect(kinds(again).filter((kind) => kind !== 'run')).toEqual(['episode', 'episode', 'step']);
    expect(again.events.find(({ kind }) => kind === 'step')?.data).toMatchObject({ row: { step: 's00002' } });
    expect(kinds(stays).filter((kind) => kind === 'step')).toHaveLength(2);
  });

  test('tells who was away too long, or comes from another start, to fetch anew', async () => {
    await open();
    await play(1);
    expect(kinds(await listen('1:7'))).toEqual(['reset', 'run']);
    expect(kinds(await listen('nonsense'))).toEqual(['reset', 'run']);
  });

  test('of a journal that is still being read the first time is one word at its end, and no old news', async () => {
    await open();
    for (let step = 1; step <= 3; step++) await play(step);
    // Time stands still while it is read, so its first slice never ends by itself: the clock is moved on with every look at it.
    const slow: ViewerClock = { now: () => (passed += 100), after: (_, fire) => (fire(), () => undefined) };
    let passed = 0;
    const runs = new Runs(join(world.root, 'runs'), { clock: slow, note: () => undefined });
    const told: LiveEvent[] = [];
    runs.follow(name, (event) => told.push(event));
    expect((await runs.index(name))?.isWhole).toBe(false);
    await runs.refresh(name);
    expect(told).toEqual([{ kind: 'reset' }]);
    await play(4);
    await runs.refresh(name);
    expect(told.slice(1).map(({ kind }) => kind)).toEqual(['episode', 'episode', 'step']);
    runs.close();
  });

  test('is one word where more happened than anybody could be told', async () => {
    await open();
    const heard = await listen();
    for (let step = 1; step <= 400; step++) for (const frame of stepFrames(step)) record.append(frame);
    await record.flush();
    await elapse(clock, 600, 50);
    const news = kinds(heard).filter((kind) => kind !== 'run');
    expect(news[0]).toBe('reset');
    expect(news.length).toBeLessThan(1000);
  });

  test('lets go of a listener that does not keep up, and of no other', async () => {
    await open();
    const stuck = (await live.listen(name, null)) as ReadableStream<Uint8Array>;
    const heard = await listen();
    expect(live.listeners).toBe(2);
    for (let step = 1; live.listeners > 1 && step < 3000; step++) {
      for (const frame of stepFrames(step)) record.append(frame);
      if (step % 20 === 0) {
        await record.flush();
        await elapse(clock, 250, 250);
      }
    }
    expect(live.listeners).toBe(1);
    expect(heard.ended()).toBe(false);
    await stuck.cancel();
  });

  test('is a heartbeat at least where nothing happens', async () => {
    await open();
    const heard = await listen();
    const before = heard.raw().length;
    await elapse(clock, 16_000, 250);
    expect(heard.raw().slice(before)).toMatch(/^:$/m);
  });

  test('costs nothing once nobody listens', async () => {
    await open();
    const heard = await listen();
    expect(clock.armed).toBe(1);
    await heard.leave();
    await elapse(clock, 500, 250);
    expect(live.listeners).toBe(0);
    expect(clock.armed).toBe(0);
  });

  test('tells of every run to who listens to all of them, and of one that appears', async () => {
    await open();
    const heard = await listen(null, null);
    expect(new Set(heard.events.map(({ data }) => (data as { card: RunCard }).card.run))).toEqual(new Set(['sample', name]));
    const count = heard.events.length;
    await sampleRun(world.root, { name: 'newcomer' });
    await elapse(clock, 1500, 250);
    expect(heard.events.slice(count).map(({ data }) => (data as { card: RunCard }).card.run)).toEqual(['newcomer']);
    rmSync(join(world.root, 'runs', 'newcomer'), { recursive: true });
  });

  test('reaches a browser over HTTP', async () => {
    await open();
    const server = await world.start();
    const abort = new AbortController();
    const response = await fetch(`${server.url}api/live?run=${name}`, { signal: abort.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await play(1);
    let text = '';
    while (!text.includes('event: step')) text += new TextDecoder().decode((await reader.read()).value);
    abort.abort();
    await server.close();
    expect(text).toMatch(/^retry: 1000$/m);
  });
});
