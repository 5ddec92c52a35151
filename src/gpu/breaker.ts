/** The circuit breaker's arithmetic: when to stop asking an engine, and how long. Pure; it knows the ends of calls, not calls. */
import { uniform, type Seed } from '../random.ts';

/** Opens after 5 faults in a row, or when at least half of 20 or more calls of the last 30 s faulted. */
const inARow = 5;
const windowMs = 30_000;
const windowCalls = 20;
/** First rest 5 s, doubling to 120 s, jittered down to half so that several brokers do not return together. */
export const firstRestMs = 5_000;
const longestOverFirst = 24;

export interface Breaker {
  readonly faultsInARow: number;
  /** Ends of calls in the window, oldest first; only kept while there was a fault in it. */
  readonly recent: readonly { readonly at: number; readonly ok: boolean }[];
  /** Times it opened since a probe last succeeded: the exponent of the rest. */
  readonly openings: number;
}

export const closedBreaker: Breaker = { faultsInARow: 0, recent: [], openings: 0 };

/** Books the end of one call. */
export function booked(breaker: Breaker, ok: boolean, now: number): Breaker {
  // A healthy engine costs nothing to watch: without a fault in the window there is nothing to count.
  if (ok && breaker.recent.length === 0) return breaker.faultsInARow === 0 ? breaker : { ...breaker, faultsInARow: 0 };
  const kept = breaker.recent.filter((end) => now - end.at < windowMs).slice(-199);
  const recent = kept.length === 0 && ok ? [] : [...kept, { at: now, ok }];
  return { ...breaker, faultsInARow: ok ? 0 : breaker.faultsInARow + 1, recent };
}

export function shouldOpen(breaker: Breaker): boolean {
  if (breaker.faultsInARow >= inARow) return true;
  const faults = breaker.recent.reduce((count, end) => count + (end.ok ? 0 : 1), 0);
  return breaker.recent.length >= windowCalls && 2 * faults >= breaker.recent.length;
}

/** Opens it, and says how long to rest before the next probe. */
export function opened(breaker: Breaker, seed: Seed, restMs = firstRestMs): { readonly breaker: Breaker; readonly restMs: number } {
  const longest = restMs * Math.min(longestOverFirst, 2 ** breaker.openings);
  return {
    breaker: { faultsInARow: 0, recent: [], openings: breaker.openings + 1 },
    restMs: longest * (0.5 + 0.5 * uniform(seed, breaker.openings)),
  };
}
