/**
 * Counter-based random streams by name: the only source of chance. A draw is a pure function of (seed, counter),
 * so the order in which actors happen to run can never change what any of them draws.
 */

/** A non-negative safe integer (53 bits) that names one stream. */
export type Seed = number;

/** lowbias32 (C. Wellons, "Prospecting for hash functions"): a 32-bit bijection with low avalanche bias. */
function mix(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** 53 bits from 64 hashed ones. */
const join = (high: number, low: number): number => (high >>> 11) * 4294967296 + (low >>> 0);

/** A number as two words and a mark. */
const wordOf = (part: number, i: number): number => (i === 0 ? part >>> 0 : i === 1 ? Math.floor(part / 4294967296) >>> 0 : 0xffff0001);

/** Names a stream: the same parts in the same order always give the same seed; `['a', 'b']` differs from `['ab']`. */
export function seedOf(...parts: readonly (string | number)[]): Seed {
  let high = 0x243f6a88;
  let low = 0x85a308d3;
  for (const part of parts) {
    const isNumber = typeof part === 'number';
    const words = isNumber ? 3 : part.length + 1;
    // One loop over both kinds and no inner function: captured, the two words would be boxed anew at every step.
    for (let i = 0; i < words; i++) {
      const word = isNumber ? wordOf(part, i) : i < part.length ? part.charCodeAt(i) : 0xffff0002;
      low = mix(low ^ word);
      high = mix((high + low) ^ 0x9e3779b9);
    }
  }
  return join(high, low);
}

/** The `counter`-th uniform draw in [0, 1) of the stream `seed`. Pure. */
export function uniform(seed: Seed, counter: number): number {
  const low = seed >>> 0;
  const high = Math.floor(seed / 4294967296) >>> 0;
  const a = mix(low ^ mix(counter >>> 0));
  const b = mix((high ^ a) + 0x9e3779b9);
  return join(b, mix(a ^ b)) / 9007199254740992;
}

/** A cursor over one stream. Its position is `drawn`, so it can be checkpointed and resumed. */
export interface Stream {
  readonly seed: Seed;
  readonly drawn: number;
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound). */
  int(bound: number): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** A new, shuffled list; the argument stays as it is. */
  shuffle<T>(list: readonly T[]): T[];
  /** `count` different members in random order. */
  sample<T>(list: readonly T[], count: number): T[];
}

export function stream(seed: Seed, drawn = 0): Stream {
  let counter = drawn;
  const next = (): number => uniform(seed, counter++);
  const int = (bound: number): number => Math.floor(next() * bound);
  const shuffle = <T>(list: readonly T[]): T[] => {
    const copy = [...list];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = int(i + 1);
      [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
    }
    return copy;
  };
  return {
    seed,
    get drawn() {
      return counter;
    },
    next,
    int,
    chance: (p) => next() < p,
    pick: (list) => {
      if (list.length === 0) throw new RangeError('pick from an empty list');
      return list[int(list.length)] as never;
    },
    shuffle,
    sample: (list, count) => shuffle(list).slice(0, count),
  };
}
