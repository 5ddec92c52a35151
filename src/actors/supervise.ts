/** What supervision decides: may there be another restart, and where does a group go whose host was lost? Pure; it sees counts and times, not threads. */
import type { Fault } from '../protocol/fault.ts';

/** More than `most` deaths within `withinMs` end the run: whatever kills its threads that often will not be cured by another one. */
export interface Intensity {
  readonly most: number;
  readonly withinMs: number;
}

/** 5 in 60 s (Erlang's default intensity is 1 in 5 s; a thread is dearer to lose and cheaper to find). */
export const defaultIntensity: Intensity = { most: 5, withinMs: 60_000 };

/** Times of deaths, oldest first, that still count. */
export const recentDeaths = (deaths: readonly number[], now: number, { withinMs }: Intensity): number[] => [
  ...deaths.filter((at) => now - at < withinMs),
  now,
];

export const isTooMany = (deaths: readonly number[], { most }: Intensity): boolean => deaths.length > most;

/** What one group has been through. */
export interface Losses {
  /** Its host died while it was open there. */
  readonly hosts: number;
  /** …while it had the processor: it may be the cause. */
  readonly strikes: number;
  /** …while it was the only group there: it is the cause. */
  readonly alone: number;
  /** Its host lived and rejected it. */
  readonly rejections: number;
  readonly faults: readonly Fault[];
}

export const noLosses: Losses = { hosts: 0, strikes: 0, alone: 0, rejections: 0, faults: [] };

export type Loss =
  | { readonly kind: 'died'; readonly onProcessor: boolean; readonly alone: boolean; readonly fault: Fault }
  | { readonly kind: 'rejected'; readonly fault: Fault };

export function lost(losses: Losses, loss: Loss): Losses {
  const faults = [...losses.faults, loss.fault].slice(-5);
  if (loss.kind === 'rejected') return { ...losses, rejections: losses.rejections + 1, faults };
  return {
    ...losses,
    hosts: losses.hosts + 1,
    strikes: losses.strikes + (loss.onProcessor ? 1 : 0),
    alone: losses.alone + (loss.alone ? 1 : 0),
    faults,
  };
}

/**
 * `shared`: again among others, with the same seed. `alone`: in the observation room, one group at a time, so that a death there has one suspect.
 * `quarantine`: never again. A group is the second death's cause beyond doubt before it is condemned: those who merely shared a thread with it are not.
 */
export type Placement = 'shared' | 'alone' | 'quarantine';

export function placement(losses: Losses, attempts: number): Placement {
  if (losses.alone >= 1 || losses.rejections >= attempts) return 'quarantine';
  return losses.strikes >= 1 || losses.hosts >= attempts ? 'alone' : 'shared';
}
