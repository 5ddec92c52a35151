/** Measures a policy on held-out tasks: the same tasks before and after, so that gains are paired. Plays through the same pool as training; trains nothing. */
import { pairedGain, passAtK, passHatK, successRate, type Interval } from '../learning/evaluation.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { Gain, LevelResult } from '../protocol/summary.ts';

/** 1 solved, 0 not, null unscored. */
type Attempt = 0 | 1 | null;

/** One level, raw: what the journal keeps, and all later figures are computed from. Arrays run over the level's tasks. */
export interface LevelOutcome {
  readonly D: number;
  readonly greedy: readonly Attempt[] | null;
  readonly sampled: readonly (readonly Attempt[])[] | null;
}

const attemptOf = (reward: number | null): Attempt => (reward === null ? null : reward === 1 ? 1 : 0);

/** The attempts of a group in member order; a member without an episode is unscored. */
export function attemptsOf(group: RolloutGroup, members: number): Attempt[] {
  const attempts: Attempt[] = Array.from({ length: members }, () => null);
  for (const episode of group.episodes) attempts[episode.member] = attemptOf(episode.reward);
  return attempts;
}

export function levelResult({ D, greedy, sampled }: LevelOutcome): LevelResult {
  const flat = sampled?.flat() ?? [];
  const shown = (greedy ?? flat).filter((attempt) => attempt !== null);
  const right = shown.filter((attempt) => attempt === 1).length;
  const interval = successRate(right, shown.length);
  return {
    D,
    n: greedy?.length ?? sampled?.length ?? 0,
    greedy: greedy === null ? null : shareOf(greedy),
    sampled: sampled === null ? null : shareOf(flat),
    ci: [interval.low, interval.high],
    ...(sampled === null ? {} : passes(sampled)),
  };
}

const shareOf = (attempts: readonly Attempt[]): number => {
  const scored = attempts.filter((attempt) => attempt !== null);
  return scored.length === 0 ? 0 : scored.filter((attempt) => attempt === 1).length / scored.length;
};

/** Averages over tasks of the unbiased estimators, k = 1, 2, 4, … up to the attempts each task has. */
function passes(sampled: readonly (readonly Attempt[])[]): Pick<LevelResult, 'passAtK' | 'passHatK'> {
  const counts = sampled.map((attempts) => {
    const scored = attempts.filter((attempt) => attempt !== null);
    return { n: scored.length, c: scored.filter((attempt) => attempt === 1).length };
  });
  const most = Math.min(...counts.map(({ n }) => n));
  const passAt: Record<string, number> = {};
  const passHat: Record<string, number> = {};
  const mean = (of: (n: number, c: number, k: number) => number, k: number): number =>
    counts.reduce((sum, { n, c }) => sum + of(n, c, k), 0) / counts.length;
  for (let k = 1; k <= most; k *= 2) {
    passAt[k] = mean(passAtK, k);
    passHat[k] = mean(passHatK, k);
  }
  return { passAtK: passAt, passHatK: passHat };
}

/** From this level on the pooled gain counts: below it a task is one plain call, which the base already makes. */
const pooledFrom = 25;

/** The paired gains of what two evaluations have in common, and the one pooled over the harder levels. Levels with fewer than two tasks scored both times are left out. */
export function gainsOf(before: readonly LevelOutcome[], after: readonly LevelOutcome[]): Gain[] {
  const pairs = before.flatMap((level) => {
    const later = after.find(({ D }) => D === level.D);
    return later === undefined ? [] : [{ D: level.D, ...pairsOf(level, later) }];
  });
  const harder = pairs.filter(({ D }) => D >= pooledFrom);
  const all = [...pairs, { D: null, before: harder.flatMap((pair) => pair.before), after: harder.flatMap((pair) => pair.after) }];
  return all.filter((pair) => pair.before.length > 1).map((pair) => gainOf(pair.D, pairedGain(pair.before, pair.after)));
}

const gainOf = (D: number | null, { mean, low, high, n }: Interval): Gain => ({ D, n, gain: mean, ci: [low, high] });

/** Greedy successes where there are any, else each task's sampled share; only tasks scored both times. */
function pairsOf(before: LevelOutcome, after: LevelOutcome): { before: number[]; after: number[] } {
  const scores = ({ greedy, sampled }: LevelOutcome): (number | null)[] =>
    greedy === null ? (sampled ?? []).map((attempts) => (attempts.includes(null) ? null : shareOf(attempts))) : [...greedy];
  const [first, second] = [scores(before), scores(after)];
  const both = first.map((_, i) => i).filter((i) => typeof first[i] === 'number' && typeof second[i] === 'number');
  return { before: both.map((i) => first[i] as number), after: both.map((i) => second[i] as number) };
}
