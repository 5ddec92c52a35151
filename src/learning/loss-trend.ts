/**
 * Whether what is lost is lost evenly on short and long episodes (rule L6): masking is harmless only where it is blind. Knows counts by length decile only.
 *
 *   x_s = Σ_d lost_d · (d − d̄_s)          d̄_s: mean decile of the step's members; one value a step that lost any
 *   t   = mean(x) / (sd(x) / √n)          Student's t, n − 1 degrees of freedom, two-sided
 *
 * The step is the unit, not the episode: members of a group are lost together, to one answer, and have much the same length, so a χ² over episodes would call every such group a bias.
 * Two-sided, since a lost episode is shorter than it would have been: what strikes at every turn takes the long ones, and they are found among the short.
 */
import type { Census } from './census.ts';

export interface LossTrend {
  /** Above 0: the lost are longer than the others. */
  readonly t: number;
  /** Two-sided. */
  readonly p: number;
  /** Steps of the window that lost members with a length. */
  readonly steps: number;
  readonly lost: number;
}

/** Fewer steps with losses say nothing: t has heavy tails there. */
const leastSteps = 8;
/**
 * Smaller than for one test, since a run looks once a step at windows that overlap: losses blind to length alarm 3 in 1,000 runs of 100 steps, whole groups lost to one answer 13
 * (measured, with 3 % and 5 % lost; test/loss-trend.test.ts).
 */
export const uneven = 1e-4;

/** Null where too few steps of the window lost anybody. */
export function lossTrend(history: readonly Census[]): LossTrend | null {
  const xs: number[] = [];
  let lost = 0;
  for (const { deciles } of history) {
    const members = deciles.reduce((sum, decile) => sum + decile.members, 0);
    const gone = deciles.reduce((sum, decile) => sum + decile.lost, 0);
    if (gone === 0 || gone === members) continue;
    const mean = deciles.reduce((sum, decile, d) => sum + d * decile.members, 0) / members;
    xs.push(deciles.reduce((sum, decile, d) => sum + decile.lost * (d - mean), 0));
    lost += gone;
  }
  const n = xs.length;
  if (n < leastSteps) return null;
  const mean = xs.reduce((sum, x) => sum + x, 0) / n;
  const variance = xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  if (variance === 0) return { t: mean === 0 ? 0 : Math.sign(mean) * 1e6, p: mean === 0 ? 1 : 0, steps: n, lost };
  const t = mean / Math.sqrt(variance / n);
  return { t, p: twoSided(t, n - 1), steps: n, lost };
}

const isUneven = (trend: LossTrend | null): trend is LossTrend => trend !== null && trend.p < uneven;

/** Why somebody should look, told once a stretch of uneven steps; else null. Windows of censuses, oldest first: the one that ends with the step just taken, and the one before it. */
export function lossAlarm(window: readonly Census[], before: readonly Census[]): string | null {
  const now = lossTrend(window);
  if (!isUneven(now) || isUneven(lossTrend(before))) return null;
  const where = now.t > 0 ? 'the longest' : 'the shortest, where those end too that were lost on the way';
  return `losses are uneven over lengths: ${now.lost} episodes lost in ${now.steps} steps lie among ${where} (t ${now.t.toFixed(1)}, p ${now.p.toExponential(0)}); what is left is a biased sample`;
}

/** P(|T| > |t|) with ν degrees of freedom: the finite series for whole ν (Abramowitz and Stegun 26.7.3 and 26.7.4). */
function twoSided(t: number, degrees: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(degrees));
  const cosine = Math.cos(angle);
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  const within = odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return Math.max(0, 1 - within);
}
