/** Gets groups played: through the pool, unless an earlier process of this run sealed them already. Knows groups by name, and neither tasks nor policies. */
import type { SealedGroup } from '../gpu/handover.ts';
import { unpack } from '../protocol/codec.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { GroupId } from '../protocol/ids.ts';
import type { GroupJob } from './group.ts';
import type { RolloutPool } from './rollout-pool.ts';

export interface RollingPorts {
  readonly pool: Pick<RolloutPool, 'roll'>;
  /** Told of the groups that will be played, before their first call. */
  announce(jobs: readonly GroupJob[]): void;
  /** Groups that count although this process did not play them. */
  readonly before: readonly SealedGroup[];
  /** Rejects when the run has lost what it cannot go on without: its record. */
  readonly lost: Promise<never>;
  readonly deadlineMs: number;
}

/** Resolves with the jobs' groups, in their order; `onSealed` is told how many there are, from the start on. */
export type Roll = (jobs: readonly GroupJob[], signal: AbortSignal, onSealed: (sealed: number) => void) => Promise<RolloutGroup[]>;

export function rolling({ pool, announce, before, lost, deadlineMs }: RollingPorts): Roll {
  const sealedBefore = new Map(before.map((sealed) => [sealed.envelope.group, sealed]));
  return async (jobs, signal, onSealed) => {
    const sealed = new Map<GroupId, SealedGroup>();
    for (const { group } of jobs) {
      const earlier = sealedBefore.get(group);
      if (earlier === undefined) continue;
      sealed.set(group, earlier);
      sealedBefore.delete(group);
    }
    const left = jobs.filter(({ group }) => !sealed.has(group));
    let count = sealed.size;
    onSealed(count);
    announce(left);
    const rolled = pool.roll(left, { signal, deadlineMs, onSealed: () => onSealed(++count) });
    for (const each of await Promise.race([rolled, lost])) sealed.set(each.envelope.group, each);
    return jobs.map(({ group }) => unpack((sealed.get(group) as SealedGroup).bytes) as RolloutGroup);
  };
}
