/** The real worker on the procedural world with a scripted engine that fails in every way: each group is sealed once, each missing member has a reason, and no fault makes a reward. */
import { afterEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { rewardOf } from '../src/learning/reward.ts';
import { RolloutGroup } from '../src/protocol/group.ts';
import { groupIn } from './support/jobs.ts';
import { playhouse, realJob, type Playhouse } from './support/playhouse.ts';

const never = new AbortController().signal;
let open: Playhouse[] = [];
const house = (...args: Parameters<typeof playhouse>): Playhouse => {
  const made = playhouse(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  for (const each of open) await each.close();
  open = [];
});

async function groupsOf(at: Playhouse, jobs: ReturnType<typeof realJob>[], deadlineMs = 25_000): Promise<RolloutGroup[]> {
  at.learn(jobs);
  return (await at.pool.roll(jobs, { signal: never, deadlineMs })).map(groupIn);
}

describe('a perfect policy', () => {
  it('earns reward 1 in every episode of every difficulty', async () => {
    const jobs = [1, 20, 40, 60, 80, 100].flatMap((difficulty, i) => [0, 1].map((k) => realJob(2 * i + k, difficulty, { members: 4 })));
    const groups = await groupsOf(house(1), jobs);
    for (const group of groups) {
      expect(RolloutGroup.parse(group).missing).toEqual([]);
      expect(group.episodes.map((episode) => episode.reward)).toEqual([1, 1, 1, 1]);
    }
  });
});

describe('a world of faults', () => {
  it('seals every group once, with a reason for each missing member, at 5 % errors, 5 % malformed, 1 % hangs and 10 % slow', async () => {
    const at = house(0.8, {
      engine: { faults: { error: 0.05, malformed: 0.05, hang: 0.01, slow: 0.1 }, latencyMs: 1, slowMs: 60 },
      broker: { stallMs: 500, backoffMs: 10, retryShare: 0.3 },
      pool: { window: 8 },
    });
    const jobs = Array.from({ length: 60 }, (_, i) => realJob(i, 1 + ((i * 7) % 100)));
    const groups = await groupsOf(at, jobs);
    expect(groups.map((group) => group.id)).toEqual(jobs.map((job) => job.group));
    expect(at.frames.filter((frame) => frame.kind === 'group.sealed')).toHaveLength(60);
    const faults = at.broker.status();
    expect(faults.repeated).toBeGreaterThan(50);
    for (const group of groups) {
      const members = [...group.episodes.map((episode) => episode.member), ...group.missing.map((missing) => missing.member)].sort(
        (a, b) => a - b,
      );
      expect(members).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      for (const missing of group.missing) expect(missing.fault.message).not.toBe('');
      for (const episode of group.episodes) expect(episode.reward).toBe(rewardOf(episode.outcome));
    }
  });

  it('never turns a fault into a reward, however often the engine fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          error: fc.double({ min: 0, max: 0.5, noNaN: true }),
          malformed: fc.double({ min: 0, max: 0.5, noNaN: true }),
          seed: fc.nat(),
        }),
        async ({ error, malformed, seed }) => {
          const at = playhouse(1, {
            engine: { faults: { error, malformed }, seed },
            broker: { backoffMs: 1, attempts: 2, restMs: 20, seed },
            pool: { workers: 1 },
          });
          try {
            // A policy that is always right earns 1 or nothing: any other number would be a fault's.
            for (const group of await groupsOf(
              at,
              [0, 1, 2].map((i) => realJob(i, 30 * i + 5, { members: 4, attempts: 1 })),
            )) {
              for (const episode of group.episodes)
                expect(episode.outcome.kind === 'scored' ? episode.reward : (episode.reward ?? 1)).toBe(1);
              expect(group.episodes.length + group.missing.length).toBe(4);
            }
          } finally {
            await at.close();
          }
        },
      ),
      { numRuns: 6 },
    );
  });

  it('ends within the deadline of the step when the engine is dead, every member with its reason', async () => {
    const at = house(1, { engine: { faults: { hang: 1 } }, pool: { graceMs: 500 } });
    const started = performance.now();
    const groups = await groupsOf(at, [realJob(0, 5), realJob(1, 5)], 1_000);
    expect(performance.now() - started).toBeLessThan(15_000);
    for (const group of groups) {
      expect(group.status).toBe('failed');
      expect(group.episodes.every((episode) => episode.reward === null)).toBe(true);
      expect(group.episodes.length + group.missing.length).toBe(8);
    }
  });
});
