/**
 * The supervised stage's schedule: what the teacher shows at which point, how fast the student moves, and which lessons share a batch. Knows no tokens' meaning and no model.
 *
 *   rate(s)  = min(1, (s + 1)/warmup) · max(0.02, min(1, (1 − s/S)/decay))        s of S steps
 *   D_max(f) = from + (to − from) · min(1, f/over),   D = max(1, D_max · √u)      f = s/S, u uniform: more of what is hard at the time
 *
 * Everything is a function of (seed, lesson number, step): a run goes on from its step as if it had never stopped.
 * Source: our own recipe (docs/decisions), after the curricula of Bengio et al. 2009; loss on the teacher's tokens only, as in every SFT of chat models.
 */
import { type Seed, seedOf, stream } from '../random.ts';

export interface ImitationRule {
  readonly steps: number;
  /** Tokens of one batch, counted as rows without padding. */
  readonly batchTokens: number;
  readonly warmup: number;
  /** Last share of the steps over which the rate falls. */
  readonly decay: number;
  readonly difficulty: { readonly from: number; readonly to: number; readonly over: number };
  readonly mix: {
    readonly episodes: number;
    /** Share of the episodes forced to 2–3 calls whatever their D. */
    readonly chains: number;
    readonly requests: number;
    readonly lookups: number;
    /** Prompts and replies of the simulated roles. */
    readonly roles?: number;
    /** Share of the steps over which look-ups fade to nothing and many-request chats to a quarter. */
    readonly fade: number;
  };
}

/** What the next lesson is to be; its text is drawn from `seed` alone. */
export interface LessonPlan {
  readonly kind: 'episode' | 'requests' | 'lookup' | 'role';
  readonly difficulty: number;
  readonly chain: boolean;
  readonly seed: Seed;
}

/** Lessons drawn together, sorted by length and cut into batches. */
export const poolSize = 256;

export function rateAt(rule: ImitationRule, step: number): number {
  const rise = rule.warmup > 0 ? Math.min(1, (step + 1) / rule.warmup) : 1;
  const fall = rule.decay > 0 ? Math.min(1, (1 - step / rule.steps) / rule.decay) : 1;
  return rise * Math.max(0.02, fall);
}

export const hardestAt = ({ steps, difficulty: { from, to, over } }: ImitationRule, step: number): number =>
  from + (to - from) * (over > 0 ? Math.min(1, step / steps / over) : 1);

/** The `index`-th lesson of the run, drawn at `step`. */
export function planLesson(rule: ImitationRule, seed: Seed, index: number, step: number): LessonPlan {
  const draws = stream(seedOf(seed, 'lesson', index));
  const { mix } = rule;
  const left = mix.fade > 0 ? Math.max(0, 1 - step / rule.steps / mix.fade) : 0;
  const lookups = mix.lookups * left;
  const requests = mix.requests * (0.25 + 0.75 * left);
  const acting = mix.episodes + requests + lookups;
  const at = draws.next() * (acting + (mix.roles ?? 0));
  const kind = at < lookups ? 'lookup' : at < lookups + requests ? 'requests' : at < acting ? 'episode' : 'role';
  const difficulty = Math.min(100, Math.max(1, hardestAt(rule, step) * Math.sqrt(draws.next())));
  return { kind, difficulty, chain: kind === 'episode' && draws.chance(mix.chains), seed: seedOf(seed, 'lesson text', index) };
}

/** Batches of at most `rule.batchTokens` tokens, of lessons of similar length, in random order. A lesson longer than that is a batch of its own. */
export function cutPool<T>(rule: ImitationRule, lessons: readonly T[], lengthOf: (lesson: T) => number, seed: Seed, pool: number): T[][] {
  const sorted = [...lessons].sort((a, b) => lengthOf(a) - lengthOf(b));
  const batches: T[][] = [];
  let room = 0;
  for (const lesson of sorted) {
    const length = lengthOf(lesson);
    const open = batches.at(-1);
    if (open === undefined || length > room) {
      batches.push([lesson]);
      room = rule.batchTokens - length;
    } else {
      open.push(lesson);
      room -= length;
    }
  }
  return stream(seedOf(seed, 'pool', pool)).shuffle(batches);
}
