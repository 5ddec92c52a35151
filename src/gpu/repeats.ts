/** When a call that failed is asked again: how often, after which pause, and how many repeats all calls together may cost. Knows troubles and counts; no queue and no engine. */
import type { TroupeFault } from '../errors.ts';
import { seedOf, uniform, type Seed } from '../random.ts';
import type { Call } from './call.ts';
import { sequelOf } from './call-sequel.ts';

interface RepeatRule {
  /** Times one call is asked at most, the first time included. */
  readonly attempts: number;
  /** Repeats may be this share of all requests, and ten besides. */
  readonly share: number;
  /** First pause in ms; doubles, with full jitter. */
  readonly backoffMs: number;
  readonly seed: Seed;
  /** Requests sent so far. */
  asked(): number;
}

/** Pauses double so many times at most: some six seconds at the default. */
const longestPause = 6;

export class Repeats {
  readonly #rule: RepeatRule;
  /** Repeats that count against the bound on them. */
  #spent = 0;
  readonly count = { repeated: 0, turnedAway: 0 };

  constructor(rule: RepeatRule) {
    this.#rule = rule;
  }

  /** Milliseconds until `call` is asked again, booked as a repeat; undefined where it is not, or where its time would be over by then. `isSound`: its engine is not known to fail. */
  pause(call: Call, fault: TroupeFault, leftMs: number, isSound: boolean): number | undefined {
    const { backoffMs, seed } = this.#rule;
    const { repeat } = sequelOf(fault);
    const isFree = repeat === 'free';
    if (isFree) {
      this.count.turnedAway++;
      call.turnedAway++;
    }
    const exponent = Math.min(longestPause, isFree ? call.turnedAway - 1 : call.attempt - call.turnedAway - 1);
    const pause = backoffMs * 2 ** exponent * uniform(seedOf(seed, 'backoff', call.id), call.attempt);
    if (repeat === 'never' || pause >= leftMs || (!isFree && !this.#isAffordable(call, isSound))) return undefined;
    if (!isFree) this.count.repeated++;
    if (!isFree && isSound) this.#spent++;
    return pause;
  }

  #isAffordable(call: Call, isSound: boolean): boolean {
    const { attempts, share, asked } = this.#rule;
    if (call.attempt - call.turnedAway >= attempts) return false;
    // The circuit holds a failed engine's calls back; the bound on repeats is for engines that go on failing.
    return !isSound || this.#spent < 10 + share * asked();
  }
}
