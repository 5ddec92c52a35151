/** A kill storm over scripted episodes, and what must be true of it whatever was killed when. */
import { expect } from 'vitest';
import type { FrameOf } from '../../src/protocol/frame.ts';
import { groupIn } from './jobs.ts';
import { playhouse, realJob } from './playhouse.ts';

export interface Storm {
  readonly groups: number;
  readonly everyMs: number;
  /** Workers killed at most. */
  readonly most: number;
  /** Of each model call: what makes a run long enough to be killed. */
  readonly latencyMs: number;
}

interface Played {
  readonly seconds: number;
  readonly deaths: number;
  readonly hashes: readonly string[];
}

async function played({ groups, everyMs, most, latencyMs }: Storm, kills: boolean): Promise<Played> {
  const house = playhouse(0.9, { engine: { latencyMs }, pool: { window: 8, intensity: { most: Infinity, withinMs: 60_000 } } });
  const jobs = Array.from({ length: groups }, (_, index) => realJob(index, 1 + ((index * 17) % 100)));
  house.learn(jobs);
  let turn = 0;
  const started = performance.now();
  const storm = kills
    ? setInterval(() => {
        if (turn < most) house.pool.kill(house.pool.threads[turn++ % 2] as number);
      }, everyMs)
    : undefined;
  const sealed = await house.pool
    .roll(jobs, { signal: new AbortController().signal, deadlineMs: 300_000 })
    .finally(() => clearInterval(storm));
  const seconds = (performance.now() - started) / 1000;

  const framed = house.frames
    .filter((frame): frame is FrameOf<'group.sealed'> => frame.kind === 'group.sealed')
    .map(({ envelope }) => envelope.group);
  expect(sealed.map(({ envelope }) => envelope.group)).toEqual(jobs.map((job) => job.group));
  expect([...framed].sort()).toEqual(jobs.map((job) => job.group));
  for (const group of sealed.map(groupIn)) {
    expect(group.missing).toEqual([]);
    expect(group.episodes).toHaveLength(8);
  }
  const replies = house.frames.filter((frame): frame is FrameOf<'call.reply'> => frame.kind === 'call.reply').map(({ id }) => id);
  // A call that was answered once is never asked of the engine again: each key is in the journal once, and each engine request has a key of its own.
  expect(new Set(replies).size).toBe(replies.length);
  expect(Math.max(...house.askedById.values())).toBe(1);
  expect(house.frames.filter((frame) => frame.kind === 'task.quarantined')).toEqual([]);
  const { deaths } = house.pool.tally;
  await house.close();
  return { seconds, deaths, hashes: sealed.map(({ envelope }) => envelope.hash) };
}

/** Plays the same groups undisturbed and under the storm. */
export async function weather(storm: Storm): Promise<{ readonly calm: Played; readonly stormy: Played }> {
  return { calm: await played(storm, false), stormy: await played(storm, true) };
}
