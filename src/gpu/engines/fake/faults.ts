/** Which request meets which misfortune: the next so many, or a share drawn by seed. It decides; doing it is mishap.ts's affair. */
import { uniform } from '../../../random.ts';

export const faultKinds = [
  'error',
  'overload',
  'refuse',
  'reset',
  'hang',
  'stall',
  'drip',
  'cut',
  'html',
  'empty',
  'truncated',
  'huge',
  'missing-ids',
  'missing-logprobs',
  'wrong-ids',
  'nan',
  'null-logprob',
  'missing-choice',
  'duplicate-choice',
  'wrong-model',
  'wrong-prompt',
  'wrong-finish',
  'wrong-shape',
  'forgotten',
  'crash',
] as const;
/**
 * error: 500. overload: 503. refuse: 400. reset: the connection breaks before the head. hang: no answer, ever. stall: head and half a body, then nothing.
 * drip: a byte now and then. cut: the connection breaks in the body. html: 200 with a web page. empty: 200 with nothing. truncated: half a body, well ended.
 * huge: `hugeBytes` of body. missing-ids, missing-logprobs: null. wrong-ids: one id too few. nan: NaN where a log-prob is due. null-logprob: null there.
 * missing-choice, duplicate-choice: one sample too few; the first one twice. wrong-model: another one's name. wrong-prompt: the reply to somebody else's prompt. wrong-finish: an end nobody knows.
 * wrong-shape: an array. forgotten: every adapter is lost, as by a restart. crash: the process ends.
 */
export type FaultKind = (typeof faultKinds)[number];

export interface FaultPlan {
  readonly kinds: readonly FaultKind[];
  /** Share of requests, in [0, 1]. */
  readonly rate?: number;
  /** So many requests, one after the other, before the rate counts. */
  readonly next?: number;
  /** Requests that pass first. */
  readonly after?: number;
  /** Paths meant; default both generation paths. */
  readonly paths?: readonly string[];
}

const generation: readonly string[] = ['/v1/completions', '/v1/chat/completions'];

/** Throws TypeError with what is wrong. */
export function readPlan(body: Readonly<Record<string, unknown>>): FaultPlan {
  const { kinds = [], rate = 0, next = 0, after = 0, paths = generation } = body;
  if (!Array.isArray(kinds)) throw new TypeError('kinds is no list');
  const unknown = kinds.find((kind) => !faultKinds.includes(kind as FaultKind)) as unknown;
  if (unknown !== undefined) throw new TypeError(`${JSON.stringify(unknown)} is none of ${faultKinds.join(', ')}`);
  if (typeof rate !== 'number' || !(rate >= 0 && rate <= 1)) throw new TypeError('rate is not within 0 and 1');
  if (!isCount(next) || !isCount(after)) throw new TypeError('next and after are whole numbers from 0');
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) throw new TypeError('paths is no list of texts');
  return { kinds: kinds as FaultKind[], rate, next, after, paths };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0;

export class Faults {
  readonly #seed: number;
  #plan: FaultPlan = { kinds: [] };
  #seen = 0;
  readonly met: Partial<Record<FaultKind, number>> = {};

  constructor(seed: number) {
    this.#seed = seed;
  }

  plan(plan: FaultPlan): void {
    this.#plan = plan;
    this.#seen = 0;
  }

  /** Called once a request. */
  draw(path: string): FaultKind | undefined {
    const { kinds, rate = 0, next = 0, after = 0, paths = generation } = this.#plan;
    if (kinds.length === 0 || !paths.includes(path)) return undefined;
    const place = this.#seen++ - after;
    if (place < 0) return undefined;
    if (place >= next && uniform(this.#seed, 2 * place) >= rate) return undefined;
    // Those asked for one after the other take the kinds in turn.
    const kind = place < next ? kinds[place % kinds.length] : kinds[Math.floor(uniform(this.#seed, 2 * place + 1) * kinds.length)];
    if (kind !== undefined) this.met[kind] = (this.met[kind] ?? 0) + 1;
    return kind;
  }
}
