/** Groups on real threads: every group is sealed once, whatever its host does. Hosts are played by test/support/hosts/playing.mjs over built code. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { CancelledFault, ThreadFault } from '../src/errors.ts';
import { lost, noLosses, placement, recentDeaths, isTooMany, type Loss } from '../src/actors/supervise.ts';
import type { GroupJob } from '../src/actors/group.ts';
import { step } from './support/calls.ts';
import { groupIn, job, theatre, type Theatre } from './support/jobs.ts';

const never = new AbortController().signal;
const jobs = (count: number, query?: string): GroupJob[] => Array.from({ length: count }, (_, index) => job(index, query));

let open: Theatre[] = [];
const stage = (...args: Parameters<typeof theatre>): Theatre => {
  const made = theatre(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  for (const each of open) await each.close();
  open = [];
});
const roll = (house: Theatre, list: GroupJob[], deadlineMs = 15_000) => house.pool.roll(list, { signal: never, deadlineMs });

describe('a roll', () => {
  it('seals each group once, in the order of the jobs, with the hash of its bytes', async () => {
    const house = stage();
    const seen: string[] = [];
    const sealed = await house.pool.roll(jobs(20), {
      signal: never,
      deadlineMs: 15_000,
      onSealed: ({ envelope }) => void seen.push(envelope.group),
    });
    expect(sealed.map(({ envelope }) => envelope.group)).toEqual(jobs(20).map(({ group }) => group));
    expect(new Set(seen).size).toBe(20);
    for (const { envelope, bytes } of sealed) {
      expect(envelope).toMatchObject({ step, scored: 4, status: 'sealed', hash: createHash('sha256').update(bytes).digest('hex') });
      expect(groupIn({ bytes }).episodes.map((episode) => episode.member)).toEqual([0, 1, 2, 3]);
    }
    const kinds = house.frames.map((frame) => frame.kind);
    expect(kinds.filter((kind) => kind === 'group.sealed')).toHaveLength(20);
    expect(kinds.filter((kind) => kind === 'call.reply')).toHaveLength(20 * 4 * 3);
    expect(kinds).toContain('events');
    expect(house.broker.status()).toMatchObject({ late: 0, faulted: 0, waiting: 0, inFlight: 0 });
  });

  it('gives the same groups with one worker as with two, and with any window', async () => {
    const texts = [];
    for (const pool of [
      { workers: 1, window: 1 },
      { workers: 2, window: 8 },
    ]) {
      const sealed = await roll(stage({ pool }), jobs(6));
      texts.push(sealed.map((each) => each.envelope.hash));
    }
    expect(texts[0]).toEqual(texts[1]);
  });

  it('rejects when it is cancelled, in time, and seals nothing after', async () => {
    const house = stage({ engine: { faults: { hang: 1 } } });
    const cancel = new AbortController();
    const end = house.pool.roll(jobs(12), { signal: cancel.signal, deadlineMs: 60_000 }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const cancelled = performance.now();
    cancel.abort();
    expect(await end).toBeInstanceOf(CancelledFault);
    expect(performance.now() - cancelled).toBeLessThan(10_000);
    expect(house.frames.filter((frame) => frame.kind === 'group.sealed')).toEqual([]);
    expect(house.broker.waits()).toEqual([]);
    expect(house.pool.tally.deaths).toBe(0);
  });

  it('ends a host that ignores the cancellation', async () => {
    const house = stage({ pool: { graceMs: 300 } });
    await roll(house, [job(1)]);
    const cancel = new AbortController();
    const end = house.pool.roll([job(0, 'stuck')], { signal: cancel.signal, deadlineMs: 60_000 }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 300));
    cancel.abort();
    expect(await end).toBeInstanceOf(CancelledFault);
    await expect.poll(() => house.pool.tally.deaths).toBe(1);
  });

  it('seals what a host does not give back by the deadline of the step, with the reason for every member', async () => {
    const house = stage({ pool: { graceMs: 200 } });
    const started = performance.now();
    const sealed = await roll(house, [job(0, 'stuck'), job(1)], 3_000);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(sealed.map(({ envelope }) => envelope.status)).toEqual(['failed', 'sealed']);
    const group = groupIn(sealed[0] as { bytes: Uint8Array<ArrayBuffer> });
    expect(group.missing.map(({ member }) => member)).toEqual([0, 1, 2, 3]);
    expect(group.missing.every(({ fault }) => fault.kind === 'ThreadFault' && /deadline|within/.test(fault.message))).toBe(true);
  });
});

describe('supervision', () => {
  for (const deed of ['exit', 'throw', 'loop', 'oom']) {
    it(`quarantines a task that kills its host twice by "${deed}", and loses nothing else`, async () => {
      const house = stage({ pool: { beatMs: 100, heapMb: 48 } });
      const started = performance.now();
      const sealed = await roll(house, [...jobs(3), job(3, deed), ...jobs(6).slice(4)]);
      expect(performance.now() - started).toBeLessThan(30_000);
      expect(sealed.map(({ envelope }) => envelope.status)).toEqual(['sealed', 'sealed', 'sealed', 'failed', 'sealed', 'sealed']);
      await expect.poll(() => house.pool.tally.deaths).toBe(2);
      const condemned = house.frames.filter((frame) => frame.kind === 'task.quarantined');
      expect(condemned).toMatchObject([{ task: { id: 's00001.t003' }, faults: [{ kind: 'ThreadFault' }, { kind: 'ThreadFault' }] }]);
      // No call is paid twice: what was answered before the death is answered from memory after it.
      expect([...house.askedById.values()].every((times) => times === 1)).toBe(true);
      const again = await roll(house, [job(3, deed)]);
      expect(groupIn(again[0] as { bytes: Uint8Array<ArrayBuffer> }).missing[0]?.fault.message).toMatch(/quarantined/);
      expect(house.pool.tally.deaths).toBe(2);
    });
  }

  it('finds a host in an infinite loop within five seconds at the default beat', async () => {
    const house = stage();
    await roll(house, [job(1)]);
    const started = performance.now();
    const found = new AbortController();
    const watching = setInterval(() => {
      if (house.pool.tally.deaths > 0) found.abort();
    }, 20);
    await house.pool.roll([job(0, 'loop')], { signal: found.signal, deadlineMs: 20_000 }).catch(() => undefined);
    clearInterval(watching);
    expect(house.pool.tally.deaths).toBe(1);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('condemns a task whose doing shows only when others have the processor, after three shared hosts and one alone', async () => {
    const house = stage();
    const sealed = await roll(house, [job(0, 'late'), ...jobs(4).slice(1)]);
    expect(sealed.map(({ envelope }) => envelope.status)).toEqual(['failed', 'sealed', 'sealed', 'sealed']);
    await expect.poll(() => house.pool.tally.deaths).toBe(4);
  });

  it('quarantines a task that no host can play, without losing a host', async () => {
    const house = stage();
    const sealed = await roll(house, [job(0, 'reject'), job(1)]);
    expect(sealed.map(({ envelope }) => envelope.status)).toEqual(['failed', 'sealed']);
    expect(groupIn(sealed[0] as { bytes: Uint8Array<ArrayBuffer> }).missing).toHaveLength(4);
    expect(house.pool.tally.deaths).toBe(0);
    expect([...house.pool.quarantined]).toEqual(['s00001.t000']);
  });

  it('never issues a task again that an earlier process condemned', async () => {
    const house = stage({ pool: { quarantined: [job(0).task.id] } });
    const sealed = await roll(house, [job(0)]);
    expect(sealed[0]?.envelope.status).toBe('failed');
    expect(house.engine.asked).toBe(0);
  });

  it('runs the groups of a killed thread again with the same result, and pays for no reply twice', async () => {
    const undisturbed = await roll(stage(), jobs(16, 'slow 4 20'));
    const house = stage({ pool: { intensity: { most: 99, withinMs: 60_000 } } });
    const rolled = roll(house, jobs(16, 'slow 4 20'));
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      house.pool.kill(house.pool.threads[i % 2] as number);
    }
    const sealed = await rolled;
    expect(sealed.map(({ envelope }) => envelope.hash)).toEqual(undisturbed.map(({ envelope }) => envelope.hash));
    expect(house.pool.tally.deaths).toBeGreaterThanOrEqual(2);
    expect(house.pool.tally.rerun).toBeGreaterThan(0);
    expect([...house.askedById.values()].every((times) => times === 1)).toBe(true);
  });

  it('stops with a reason when workers die faster than supervision allows', async () => {
    const house = stage({ pool: { intensity: { most: 2, withinMs: 60_000 } } });
    const end = await roll(
      house,
      Array.from({ length: 8 }, (_, index) => job(index, 'exit')),
    ).catch((error: unknown) => error);
    expect(end).toBeInstanceOf(ThreadFault);
    expect(String((end as Error).message)).toMatch(/died within 60 s/);
    await expect(roll(house, [job(9)])).rejects.toBeInstanceOf(ThreadFault);
  });

  it('comes back when a worker that failed at its boot can boot again', async () => {
    const folder = mkdtempSync(join(process.cwd(), 'dist', 'boot-'));
    const file = join(folder, 'host.mjs');
    writeFileSync(file, 'this is no module');
    const house = stage({ pool: { file: pathToFileURL(file), intensity: { most: 99, withinMs: 60_000 } } });
    const rolled = roll(house, jobs(4));
    await new Promise((resolve) => setTimeout(resolve, 600));
    writeFileSync(file, readFileSync(new URL('./support/hosts/playing.mjs', import.meta.url), 'utf8').replace('../../../dist/', '../'));
    const fixed = performance.now();
    expect((await rolled).map(({ envelope }) => envelope.status)).toEqual(['sealed', 'sealed', 'sealed', 'sealed']);
    expect(performance.now() - fixed).toBeLessThan(20_000);
    await expect.poll(() => house.pool.threads, { timeout: 10_000 }).toHaveLength(2);
    rmSync(folder, { recursive: true });
  });

  it('gives a second chance to who merely shared a thread, and none to who died alone', () => {
    const fault = { kind: 'ThreadFault', message: 'died' } as const;
    const died = (onProcessor: boolean, alone = false): Loss => ({ kind: 'died', onProcessor, alone, fault });
    expect(placement(lost(noLosses, died(false)), 3)).toBe('shared');
    expect(placement(lost(noLosses, died(true)), 3)).toBe('alone');
    expect(placement([died(false), died(false), died(false)].reduce(lost, noLosses), 3)).toBe('alone');
    expect(placement([died(true), died(false, true)].reduce(lost, noLosses), 3)).toBe('quarantine');
    expect(placement([0, 1, 2].map(() => ({ kind: 'rejected', fault }) as const).reduce(lost, noLosses), 3)).toBe('quarantine');
  });

  it('counts only deaths of the last minute', () => {
    const intensity = { most: 2, withinMs: 60_000 };
    let deaths: number[] = [];
    for (const at of [0, 20_000, 70_000]) deaths = recentDeaths(deaths, at, intensity);
    expect(isTooMany(deaths, intensity)).toBe(false);
    expect(isTooMany(recentDeaths(deaths, 71_000, intensity), intensity)).toBe(true);
  });
});
