/** What a schedule did, summed up, and the least time it could have done it in. Knows sums, not sequences. */
import type { FakeSettings } from './settings.ts';

export interface Tally {
  jobs: number;
  done: number;
  aborted: number;
  steps: number;
  /** Prompt tokens looked up in the prefix cache, found there, and computed (again after a preemption). */
  queried: number;
  cached: number;
  prefilled: number;
  /** Tokens said by decoding steps, and all tokens said. */
  decoded: number;
  generated: number;
  preemptions: number;
  /** Simulated milliseconds in which steps ran, and their fixed part. */
  busyMs: number;
  overheadMs: number;
  /** Sum over places of the simulated milliseconds each was taken. */
  slotMs: number;
  mostRunning: number;
  firstArrival: number | undefined;
  lastEnd: number;
}

export const newTally = (): Tally => ({
  jobs: 0,
  done: 0,
  aborted: 0,
  steps: 0,
  queried: 0,
  cached: 0,
  prefilled: 0,
  decoded: 0,
  generated: 0,
  preemptions: 0,
  busyMs: 0,
  overheadMs: 0,
  slotMs: 0,
  mostRunning: 0,
  firstArrival: undefined,
  lastEnd: 0,
});

/** Simulated milliseconds from the first arrival to the last end. */
export const makespanOf = ({ firstArrival, lastEnd }: Tally): number => Math.max(0, lastEnd - (firstArrival ?? lastEnd));

/** Share of all places that were taken, over the makespan. */
export const occupancyOf = (tally: Tally, { maxSequences }: FakeSettings): number => {
  const makespan = makespanOf(tally);
  return makespan === 0 ? 0 : tally.slotMs / (makespan * maxSequences);
};

/**
 * No order of the same calls takes less: what each token costs by itself is spent in any order, and the fixed part of a step is paid once for at most
 * `maxSequences` tokens. Prefix hits are taken as they came.
 */
export const floorOf = (tally: Tally, { maxSequences }: FakeSettings): number => {
  if (tally.steps === 0) return 0;
  const fewest = Math.ceil(tally.generated / maxSequences);
  return tally.busyMs - tally.overheadMs + tally.overheadMs * Math.min(1, fewest / tally.steps);
};
