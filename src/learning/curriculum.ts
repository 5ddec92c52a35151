/**
 * Difficulty as one observable, resumable number, and the seven aspects it bounds. Knows nothing of tasks, worlds or policies.
 *
 *   D₀ = 1;  D ← clamp(D + δ, 1, 100) if mean reward > upper,  clamp(D − δ, 1, 100) if mean reward < lower,  else D        δ = 3, lower = 0.0, upper = 0.5
 *   bound_a(D) = round(a₁ + (a₁₀₀ − a₁)(D − 1)/99)                                                                         for each aspect a
 *
 * Source: TRUSTEE (arXiv 2604.17739), section on the adaptive curriculum; the seven aspects and their ends, the soft curriculum (0.5).
 * Deviations: (1) the paper gives the ends of each aspect and not the way between them: linear, rounded half up.
 * (2) The soft curriculum is read as one coin a task: with probability `soft` every aspect of the task is uniform between its easy end and its bound, else every aspect is at its bound.
 * (3) `easyShare` (default 0, not in the paper): that share of the tasks is drawn at a uniformly easier D, so that what was learnt stays learnt.
 * (4) Modes `fixed` and `uniform` exist for ablations: D never moves, or each task draws its own D from 1..100.
 * (5) In asynchronous mode a step that is rolled ahead is drawn at the D known then, which the rewards of up to `staleness` steps before it have not moved yet; D itself moves once
 *     a step, in order, as ever. So D answers that much later, and may pass its mark by as many δ.
 */
import type { AspectName, Aspects } from '../protocol/task.ts';
import { type Seed, type Stream, seedOf, stream } from '../random.ts';

export interface CurriculumRule {
  readonly mode: 'adaptive' | 'fixed' | 'uniform';
  readonly start: number;
  readonly delta: number;
  /** D falls when the mean reward is below this. */
  readonly lower: number;
  /** D rises when the mean reward is above this. */
  readonly upper: number;
  /** Probability that a task's aspects are sampled inside their bounds. */
  readonly soft: number;
  /** Share of tasks drawn at a uniformly easier D. */
  readonly easyShare: number;
}

/** TRUSTEE's numbers. */
export const trustee: CurriculumRule = { mode: 'adaptive', start: 1, delta: 3, lower: 0, upper: 0.5, soft: 0.5, easyShare: 0 };

/** All a checkpoint must hold: with the rule and the seed it determines every later draw. */
export interface CurriculumState {
  readonly difficulty: number;
  /** Tasks drawn so far; the n-th task's draws depend on n and the seed only. */
  readonly drawn: number;
}

export interface Drawn {
  readonly state: CurriculumState;
  /** The D of this task, which easyShare and `uniform` may set off the curriculum's. */
  readonly difficulty: number;
  readonly aspects: Aspects;
}

/** [at D = 1, at D = 100], the paper's ends. */
const ends = {
  tools: [1, 10],
  calls: [1, 3],
  turns: [1, 2],
  system: [0, 2],
  persona: [0, 2],
  query: [0, 2],
  criteria: [0, 4],
} as const satisfies Record<AspectName, readonly [number, number]>;

const names = Object.keys(ends) as AspectName[];

const clampDifficulty = (difficulty: number): number => Math.min(100, Math.max(1, difficulty));

/** The hardest each aspect may be at this difficulty. */
export function boundsAt(difficulty: number): Record<AspectName, number> {
  const share = (clampDifficulty(difficulty) - 1) / 99;
  const bound = ([easy, hard]: readonly [number, number]): number => Math.floor(easy + (hard - easy) * share + 0.5);
  return Object.fromEntries(names.map((name) => [name, bound(ends[name])])) as Record<AspectName, number>;
}

/** The aspects of one task; draws one coin and, where it falls, one number per aspect. */
export function aspectsAt(difficulty: number, draws: Stream, soft: number): Aspects {
  const bounds = boundsAt(difficulty);
  const sampled = draws.chance(soft);
  const aspect = (name: AspectName): { bound: number; value: number } => {
    const easy = ends[name][0];
    const bound = bounds[name];
    return { bound, value: sampled ? easy + draws.int(bound - easy + 1) : bound };
  };
  return Object.fromEntries(names.map((name) => [name, aspect(name)])) as Aspects;
}

export const startOf = (rule: CurriculumRule): CurriculumState => ({ difficulty: clampDifficulty(rule.start), drawn: 0 });

/** The next task's difficulty and aspects, and the state after drawing it. */
export function draw(rule: CurriculumRule, state: CurriculumState, seed: Seed): Drawn {
  const draws = stream(seedOf(seed, 'curriculum', state.drawn));
  const difficulty = drawDifficulty(rule, state, draws);
  return { state: { ...state, drawn: state.drawn + 1 }, difficulty, aspects: aspectsAt(difficulty, draws, rule.soft) };
}

function drawDifficulty(rule: CurriculumRule, state: CurriculumState, draws: Stream): number {
  if (rule.mode === 'uniform') return 1 + draws.int(100);
  if (!draws.chance(rule.easyShare)) return state.difficulty;
  return 1 + draws.int(Math.floor(state.difficulty));
}

/** Moves D by the mean over all scored members of a step, before zero-variance groups are dropped; a step without one leaves D where it is. */
export function advance(rule: CurriculumRule, state: CurriculumState, rewards: readonly number[]): CurriculumState {
  if (rule.mode !== 'adaptive' || rewards.length === 0) return state;
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const step = mean > rule.upper ? rule.delta : mean < rule.lower ? -rule.delta : 0;
  return { ...state, difficulty: clampDifficulty(state.difficulty + step) };
}
