/**
 * How far a judge is to be believed: what it said of episodes whose verdict is known. Counts in, figures and an alarm out; it knows no episode and no judge.
 *
 *   agreement   share of verdicts given as they are, Wilson 95 %                                 of episodes; of single questions; by criterion
 *   bias        error rate of the upper half − that of the lower half by length (by position), normal 95 %; slope of least squares per unit
 *   drift       CUSUM of the log-likelihood ratio between error rates p₀ + δ and p₀ (Page 1954): S ← max(0, S + log L₁/L₀), alarm at S ≥ 7, then from 0 again
 *
 * p₀ is the error rate over the first examinations with 100 questions in all, half a standard error above what was seen. Simulated, 2,000 runs each (p₀ 2 %, 10 %, 25 %; δ = 0.1): a false
 * alarm in 1,000 further questions in 6 to 8 of 100 runs; after a rise by δ half of the alarms come within 69, 162, 241 questions, and 99.8, 87, 72 of 100 within 1,000.
 * What could not be read counts as no error: it is a fault, and no verdict.
 */
import type { Reward } from '../protocol/outcome.ts';
import { CriterionName } from '../protocol/task.ts';
import { type Interval, successRate } from './evaluation.ts';

/** One examined episode. */
export interface Trial {
  readonly truth: Reward;
  /** Null = it could not be read: masked, as in training. */
  readonly given: Reward | null;
  /** What the model itself was asked, and said; empty where rules had decided. */
  readonly questions: readonly { readonly name: CriterionName; readonly truth: boolean; readonly given: boolean }[];
  /** Characters the agent said. */
  readonly length: number;
  /** Place (0-based) among the episodes judged side by side; absent where each is judged alone. */
  readonly position?: number;
}

export interface Bias {
  readonly difference: number;
  readonly ci: readonly [low: number, high: number];
  /** Of the error rate, per character or place. */
  readonly slope: number;
}

export interface Calibrated {
  /** Episodes with a verdict. */
  readonly episodes: number;
  readonly unread: number;
  /** Of the whole judge, rules and model together. */
  readonly agreement: Interval;
  /** Of the model alone, over the questions it was asked. */
  readonly model: Interval;
  readonly criteria: Readonly<Partial<Record<CriterionName, Interval>>>;
  /** Questions answered "met" that are not, of those that are not; and the reverse. */
  readonly lenient: Interval;
  readonly severe: Interval;
  /** Of the model's errors; null where there are too few questions, or all are alike. */
  readonly length: Bias | null;
  readonly position: Bias | null;
}

export function calibrated(trials: readonly Trial[]): Calibrated {
  const read = trials.filter(({ given }) => given !== null);
  const questions = read.flatMap(({ questions: asked }) => asked);
  const rate = (list: readonly { readonly truth: unknown; readonly given: unknown }[]): Interval =>
    successRate(list.filter(({ truth, given }) => truth === given).length, list.length);
  const missed = questions.filter(({ truth }) => !truth);
  const met = questions.filter(({ truth }) => truth);
  const criteria: Partial<Record<CriterionName, Interval>> = {};
  for (const name of CriterionName.options) {
    const own = questions.filter((question) => question.name === name);
    if (own.length > 0) criteria[name] = rate(own);
  }
  const errorsBy = (at: (trial: Trial) => number | undefined): Point[] =>
    read.flatMap((trial) => {
      const x = at(trial);
      return x === undefined ? [] : trial.questions.map(({ truth, given }) => ({ x, error: truth === given ? 0 : 1 }));
    });
  return {
    episodes: read.length,
    unread: trials.length - read.length,
    agreement: rate(read),
    model: rate(questions),
    criteria,
    lenient: successRate(missed.filter(({ given }) => given).length, missed.length),
    severe: successRate(met.filter(({ given }) => !given).length, met.length),
    length: biasOf(errorsBy(({ length }) => length)),
    position: biasOf(errorsBy(({ position }) => position)),
  };
}

interface Point {
  readonly x: number;
  readonly error: number;
}

/** Two-sided 95 %. */
const z95 = 1.959963984540054;
/** With fewer questions in a half its error rate says nothing. */
const leastHalf = 10;

function biasOf(points: readonly Point[]): Bias | null {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const middle = sorted[Math.floor(sorted.length / 2)]?.x ?? 0;
  const lower = sorted.filter(({ x }) => x < middle);
  const upper = sorted.filter(({ x }) => x >= middle);
  if (lower.length < leastHalf || upper.length < leastHalf) return null;
  const mean = (list: readonly Point[], of: (point: Point) => number): number =>
    list.reduce((sum, point) => sum + of(point), 0) / list.length;
  const errorRate = (list: readonly Point[]): number => mean(list, ({ error }) => error);
  const variance = (list: readonly Point[]): number => (errorRate(list) * (1 - errorRate(list))) / list.length;
  const difference = errorRate(upper) - errorRate(lower);
  const half = z95 * Math.sqrt(variance(upper) + variance(lower));
  const centre = mean(points, ({ x }) => x);
  const overall = errorRate(points);
  const spread = points.reduce((sum, { x }) => sum + (x - centre) ** 2, 0);
  const slope = points.reduce((sum, { x, error }) => sum + (x - centre) * (error - overall), 0) / spread;
  return { difference, ci: [difference - half, difference + half], slope };
}

/** The alarm's state; plain data, so that it can be recorded and resumed. */
export interface Drift {
  /** Of the first examinations. */
  readonly baseline: { readonly questions: number; readonly errors: number };
  /** S. */
  readonly evidence: number;
  readonly alarms: number;
}

export const noDrift: Drift = { baseline: { questions: 0, errors: 0 }, evidence: 0, alarms: 0 };

const baselineQuestions = 100;
const threshold = 7;
const margin = 0.5;

/** After one more examination. `rise`: δ. Its questions are baseline, or evidence; never both. */
export function driftAfter(drift: Drift, trials: readonly Trial[], rise: number): Drift {
  const errors = trials.flatMap(({ given, questions }) => (given === null ? [] : questions.map((each) => each.truth !== each.given)));
  const { baseline } = drift;
  if (baseline.questions < baselineQuestions) {
    return {
      ...drift,
      baseline: { questions: baseline.questions + errors.length, errors: baseline.errors + errors.filter(Boolean).length },
    };
  }
  const seen = (baseline.errors + 0.5) / (baseline.questions + 1);
  const before = Math.min(0.9, seen + margin * Math.sqrt((seen * (1 - seen)) / baseline.questions));
  const after = Math.min(0.99, before + rise);
  if (after <= before) return drift;
  let { evidence, alarms } = drift;
  for (const isError of errors) {
    evidence = Math.max(0, evidence + (isError ? Math.log(after / before) : Math.log((1 - after) / (1 - before))));
    if (evidence < threshold) continue;
    alarms++;
    evidence = 0;
  }
  return { baseline, evidence, alarms };
}
