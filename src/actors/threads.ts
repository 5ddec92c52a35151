/** How many threads a setting means. Knows the machine's cores and nothing else. */
import { availableParallelism } from 'node:os';

/** 0 = one per core, at most `limit`. */
export const threadsOf = (setting: number, limit = 64): number =>
  setting > 0 ? setting : Math.max(1, Math.min(limit, availableParallelism()));
