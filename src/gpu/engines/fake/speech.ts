/**
 * What the fake says, which has no model: the ids it was handed as a script, else ids drawn from the prompt, the adapter and the seed. Log-probs are a
 * function of the ids so far, so that equal texts always get equal ones. Knows nothing of HTTP.
 */
import { seedOf, uniform } from '../../../random.ts';
import { extended, folded, stir, type Chain } from './chain.ts';
import type { FakeSettings, Spread } from './settings.ts';

export interface Occasion {
  /** The prompt, whatever its cache owner. */
  readonly prompt: Chain;
  /** Of the weights: 0 = the base. */
  readonly weights: number;
  readonly seed: number;
  readonly greedy: boolean;
  readonly maxTokens: number;
  /** Ids that end a reply, the model's own end included unless it is ignored. */
  readonly stops: readonly number[];
  /** The only ids it may draw; empty = any word. */
  readonly allowed: readonly number[];
  readonly script?: readonly number[] | undefined;
}

export interface Said {
  readonly ids: readonly number[];
  readonly finish: 'stop' | 'length';
}

/** The first id that is a word and no marker. */
const firstWord = 8;

export function say(occasion: Occasion, settings: FakeSettings): Said {
  const ids = occasion.script === undefined ? drawn(occasion, settings) : occasion.script;
  const { stops, maxTokens } = occasion;
  const most = Math.min(ids.length, maxTokens);
  for (let i = 0; i < most; i++) {
    if (stops.includes(ids[i] as number)) return { ids: ids.slice(0, i + 1), finish: 'stop' };
  }
  return { ids: ids.slice(0, most), finish: 'length' };
}

function drawn({ prompt, weights, seed, greedy, maxTokens, stops, allowed }: Occasion, settings: FakeSettings): number[] {
  const own = seedOf(settings.seed, prompt.low, prompt.high, weights, greedy ? 0 : seed, greedy ? 1 : 0);
  const stop = stops[0];
  const length = settings.length === undefined ? Infinity : Math.max(1, Math.round(spreadOf(settings.length, own)));
  const ids: number[] = [];
  const words = settings.vocabulary - firstWord;
  while (ids.length < maxTokens) {
    const draw = uniform(own, ids.length);
    if (allowed.length > 0) {
      ids.push(allowed[Math.floor(draw * allowed.length)] as number);
      continue;
    }
    const ends = length === Infinity ? draw < settings.stopChance : ids.length + 1 >= length;
    if (ends && stop !== undefined) {
      ids.push(stop);
      break;
    }
    const word = firstWord + (stir((draw * 4294967296) >>> 0) % words);
    ids.push(stops.includes(word) ? firstWord + ((word - firstWord + 1) % words) : word);
  }
  return ids;
}

/** The draw of a log-normal distribution that `seed` names (Box and Muller 1958). */
export function spreadOf({ mean, sigma }: Spread, seed: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - uniform(seed, 1_000_001))) * Math.cos(2 * Math.PI * uniform(seed, 1_000_002));
  return Math.exp(Math.log(mean) - (sigma * sigma) / 2 + sigma * normal);
}

const grades = 4096;
/** As the server writes them: float32 values with all their digits. */
const writtenLogprobs: readonly string[] = Array.from({ length: grades }, (_, i) =>
  String(Math.fround(-0.0001 - 6 * ((i + 0.5) / grades) ** 3)),
);

/** One written log-prob an id, given what stands before it: a prompt scored later gets what its tokens got when they were said. */
export function logprobsOf(before: Chain, weights: number, ids: ArrayLike<number>): string[] {
  let { high, low } = before;
  const written: string[] = [];
  for (let i = 0; i < ids.length; i++) {
    low = stir(low ^ (ids[i] as number));
    high = folded(high, low);
    written.push(writtenLogprobs[stir(low ^ high ^ weights) % grades] as string);
  }
  return written;
}

/** Prompt and reply as one chain: what the next turn finds in the cache. */
export const continued = (prompt: Chain, { ids }: Said): Chain => extended(prompt, ids);
