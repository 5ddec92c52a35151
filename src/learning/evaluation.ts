/**
 * How sure a figure is: success with its interval, paired gains, pass@k and pass^k, and the proof that evaluation tasks were not trained on. Knows no engine and no judge.
 *
 *   Wilson      (p + z²/2n ± z√(p(1−p)/n + z²/4n²)) / (1 + z²/n)                Wilson 1927
 *   paired      d̄ ± z·s_d/√n over the same tasks before and after
 *   pass@k      1 − C(n−c, k)/C(n, k)                                           Codex, arXiv 2107.03374 §2.1
 *   pass^k      C(c, k)/C(n, k)                                                 τ-bench, arXiv 2406.12045 §3
 */
import { canonical } from '../protocol/json.ts';
import type { Task } from '../protocol/task.ts';
import { type Seed, seedOf, stream } from '../random.ts';

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** Two-sided 95 % of the normal distribution. */
const z95 = 1.959963984540054;

/** Success rate with Wilson's 95 % interval; honest at 0 and n where the normal one has no width. */
export function successRate(successes: number, n: number, z = z95): Interval {
  if (n === 0) return { mean: NaN, low: 0, high: 1, n };
  const p = successes / n;
  const centre = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return { mean: p, low: Math.max(0, (centre - half) / scale), high: Math.min(1, (centre + half) / scale), n };
}

/** Mean gain over the same tasks, in the same order; pooled over levels or seeds by concatenation. Normal 95 % interval of the paired differences. */
export function pairedGain(before: readonly number[], after: readonly number[], z = z95): Interval {
  const gains = differences(before, after);
  const n = gains.length;
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / n;
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / (n - 1);
  const half = z * Math.sqrt(variance / n);
  return { mean, low: mean - half, high: mean + half, n };
}

/** The same by percentile bootstrap over tasks: no assumption of normality, for small n. */
export function bootstrapGain(before: readonly number[], after: readonly number[], seed: Seed, resamples = 2000): Interval {
  const gains = differences(before, after);
  const n = gains.length;
  const draws = stream(seedOf(seed, 'bootstrap'));
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += gains[draws.int(n)] as number;
    return sum / n;
  }).sort((a, b) => a - b);
  const at = (share: number): number => means[Math.min(resamples - 1, Math.floor(share * resamples))] as number;
  return { mean: gains.reduce((sum, gain) => sum + gain, 0) / n, low: at(0.025), high: at(0.975), n };
}

function differences(before: readonly number[], after: readonly number[]): number[] {
  if (before.length !== after.length || before.length < 2)
    throw new RangeError(`paired results need the same tasks, at least 2: ${before.length} and ${after.length}`);
  return after.map((value, i) => value - (before[i] as number));
}

/** Probability that at least one of k of the n samples, c of them right, is right. */
export function passAtK(n: number, c: number, k: number): number {
  checkK(n, c, k);
  return 1 - choose(n - c, n, k);
}

/** Probability that all k of the n samples, c of them right, are right. */
export function passHatK(n: number, c: number, k: number): number {
  checkK(n, c, k);
  return choose(c, n, k);
}

function checkK(n: number, c: number, k: number): void {
  if (!(k >= 1 && k <= n && c >= 0 && c <= n)) throw new RangeError(`k = ${k} of n = ${n} samples with c = ${c} right`);
}

/** C(m, k)/C(n, k) as a product, so that no factorial overflows. */
function choose(m: number, n: number, k: number): number {
  let share = 1;
  for (let i = 0; i < k; i++) share *= Math.max(0, m - i) / (n - i);
  return share;
}

/** A number that names a task's content, whatever its id, seed, split or difficulty. */
export const taskFingerprint = (task: Task): Seed =>
  seedOf(
    canonical({
      tools: task.tools.map((tool) => ({ name: tool.name, description: tool.description, parameters: tool.parameters })),
      query: task.query,
      intent: task.intent,
      expectedCalls: task.expectedCalls,
    }),
  );

export interface Leak {
  readonly evaluation: string;
  readonly training: string;
  readonly what: 'task' | 'tool';
  readonly detail: string;
}

/** Every way in which training tasks contain what evaluation holds out (rule L12): an equal task, or a tool of the same name. Empty = clean. */
export function leaks(training: readonly Task[], evaluation: readonly Task[]): Leak[] {
  const seenTasks = new Map(training.map((task) => [taskFingerprint(task), task.id]));
  const seenTools = new Map(training.flatMap((task) => task.tools.map((tool) => [tool.name, task.id] as const)));
  return evaluation.flatMap((task): Leak[] => {
    const same = seenTasks.get(taskFingerprint(task));
    const tools = task.tools.flatMap((tool): Leak[] => {
      const owner = seenTools.get(tool.name);
      return owner === undefined ? [] : [{ evaluation: task.id, training: owner, what: 'tool', detail: tool.name }];
    });
    return same === undefined ? tools : [{ evaluation: task.id, training: same, what: 'task', detail: task.query }, ...tools];
  });
}
