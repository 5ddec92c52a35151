/** Gets groups played: through the pool, unless an earlier process of this run sealed them already. Knows groups by name, and neither tasks nor policies. */
import type { SealedGroup } from '../gpu/handover.ts';
import { unpack } from '../protocol/codec.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { GroupId } from '../protocol/ids.ts';
import type { GroupJob } from './group.ts';
import type { Loss } from './loss.ts';
import type { RolloutPool } from './rollout-pool.ts';

export interface RollingPorts {
  readonly pool: Pick<RolloutPool, 'roll'>;
  /** Told of the groups that will be played, before their first call. */
  announce(jobs: readonly GroupJob[]): void;
  /** Groups that count although this process did not play them. */
  readonly before: readonly SealedGroup[];
  readonly orLost: Loss['orLost'];
  /** For the groups of one step. */
  readonly deadlineMs: number;
}

export interface RollHow {
  readonly signal: AbortSignal;
  /** Told how many are sealed, from the start on. */
  onSealed(sealed: number): void;
  /** Steps that may be rolled and trained before this one, and take its time. Default 0. */
  readonly behind?: number;
  /** A group's job as it is when its first host takes it up. */
  begin?(job: GroupJob): GroupJob;
}

/** Resolves with the jobs' groups, in their order. A roll that was given up keeps what was sealed for the next one of the same groups. */
export type Roll = (jobs: readonly GroupJob[], how: RollHow) => Promise<RolloutGroup[]>;

export function rolling({ pool, announce, before, orLost, deadlineMs }: RollingPorts): Roll {
  const kept = new Map(before.map((sealed) => [sealed.envelope.group, sealed]));
  return async (jobs, { signal, onSealed, behind = 0, begin }) => {
    const sealed = new Map<GroupId, SealedGroup>();
    for (const { group } of jobs) {
      const earlier = kept.get(group);
      if (earlier === undefined) continue;
      sealed.set(group, earlier);
      kept.delete(group);
    }
    const left = jobs.filter(({ group }) => !sealed.has(group));
    onSealed(sealed.size);
    announce(left);
    const rolled = pool.roll(left, {
      signal,
      // Each step before it may take all of its own time to be rolled, and as much again to be trained.
      deadlineMs: deadlineMs * (1 + 2 * behind),
      ...(begin === undefined ? {} : { begin }),
      onSealed: (each) => {
        sealed.set(each.envelope.group, each);
        onSealed(sealed.size);
      },
    });
    try {
      await orLost(rolled);
    } catch (error) {
      for (const [group, each] of sealed) kept.set(group, each);
      throw error;
    }
    return jobs.map(({ group }) => unpack((sealed.get(group) as SealedGroup).bytes) as RolloutGroup);
  };
}
