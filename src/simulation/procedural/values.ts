/** Argument and result values of each kind. Knows words and kinds; nothing of tools, records or requests. */
import type { JsonValue } from '../../protocol/json.ts';
import { type Seed, type Stream, uniform } from '../../random.ts';
import type { Kind } from './families.ts';
import { flags, numbers, people, things } from './lexicon.ts';

/** What a slot may hold: its kind, and for a choice the values, for a number its bounds. */
export interface Domain {
  readonly kind: Kind;
  /** Of a choice; of any other kind where a foreign schema takes only some. */
  readonly values?: readonly JsonValue[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A value as a request, a result or an answer says it; what is no scalar has no words and is said as JSON. */
export const inWords = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? `${value}` : JSON.stringify(value ?? null);

/** Draws values no earlier draw of the same task gave, so that a value says by itself where it came from. */
export class Values {
  readonly #draws: Stream;
  /** Probability that a free value has two words. */
  readonly #pairs: number;
  readonly #used = new Set<string>();

  constructor(draws: Stream, pairs: number) {
    this.#draws = draws;
    this.#pairs = pairs;
  }

  /** A value of the domain, new where the domain is large enough to have new ones. */
  draw(domain: Domain): JsonValue {
    let value = this.#any(domain);
    // Words are new by themselves; numbers and choices run out.
    if (domain.kind === 'number' || domain.kind === 'choice')
      for (let tries = 0; tries < 8 && this.#used.has(inWords(value)); tries++) value = this.#any(domain);
    this.#used.add(inWords(value));
    return value;
  }

  #any(domain: Domain): JsonValue {
    switch (domain.kind) {
      case 'thing':
      case 'person': {
        if (domain.values !== undefined) return this.#fresh(domain.values as readonly string[]);
        const pool = domain.kind === 'person' ? people : things;
        const first = this.#fresh(pool);
        return this.#draws.chance(this.#pairs) ? `${first} ${this.#fresh(pool)}` : first;
      }
      case 'number':
        return this.#draws.pick(domain.values ?? numbersWithin(domain));
      case 'flag':
        return this.#draws.chance(0.5);
      case 'choice':
        return this.#draws.pick(domain.values ?? ['']);
      default:
        return domain.kind satisfies never;
    }
  }

  #fresh(pool: readonly string[]): string {
    let word = this.#draws.pick(pool);
    for (let tries = 0; tries < 8 && this.#used.has(word); tries++) word = this.#draws.pick(pool);
    this.#used.add(word);
    return word;
  }
}

/** Is it of the kind of JSON value the domain holds? */
export function fits({ kind }: Domain, value: JsonValue): boolean {
  if (kind === 'number') return typeof value === 'number';
  return typeof value === (kind === 'flag' ? 'boolean' : 'string') || kind === 'choice';
}

/** The same, and within what a foreign schema says of it. */
export function holds(domain: Domain, value: JsonValue): boolean {
  const { kind, values, minimum = -Infinity, maximum = Infinity } = domain;
  if (kind === 'choice' && values !== undefined) return values.includes(value);
  if (!fits(domain, value)) return false;
  if (typeof value !== 'number') return true;
  return value >= minimum && value <= maximum && (Number.isInteger(value) || values?.every((each) => Number.isInteger(each)) !== true);
}

export const numbersWithin = ({ minimum = 1, maximum = 20 }: Domain): readonly number[] =>
  numbers.filter((n) => n >= minimum && n <= maximum);

/** The value a seed names: what a tool makes up for a field nobody wrote, the same whenever it is asked. */
export function valueOf(domain: Domain, seed: Seed): JsonValue {
  const pick = <T>(list: readonly T[], counter: number): T => list[Math.floor(uniform(seed, counter) * list.length)] as T;
  switch (domain.kind) {
    case 'thing':
      return pick(domain.values ?? things, 0);
    case 'person':
      return pick(domain.values ?? people, 0);
    case 'number':
      return pick(domain.values ?? numbersWithin(domain), 0);
    case 'flag':
      return pick(flags, 0) === 'true';
    case 'choice':
      return pick(domain.values ?? [''], 0);
    default:
      return domain.kind satisfies never;
  }
}
