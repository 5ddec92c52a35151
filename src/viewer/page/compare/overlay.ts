/** The rows of two runs over one axis of steps. Knows steps and figures; draws nothing. */
import type { JsonObject } from '../../../protocol/json.ts';
import { type Column, stepsOf } from '../run/series.ts';

interface Overlay {
  /** Steps that either has. */
  readonly numbers: readonly number[];
  /** A figure of both, null where a run has not that step. */
  readonly column: (path: string) => readonly [Column, Column];
}

export function alignedSteps(a: readonly JsonObject[], b: readonly JsonObject[]): Overlay {
  const [left, right] = [stepsOf(a, []), stepsOf(b, [])];
  const numbers = [...new Set([...left.numbers, ...right.numbers])].sort((x, y) => x - y);
  const spread = (steps: typeof left, path: string): Column => {
    const values = steps.metric(path);
    const at = new Map(steps.numbers.map((number, i) => [number, values[i] ?? null]));
    return numbers.map((number) => at.get(number) ?? null);
  };
  return { numbers, column: (path) => [spread(left, path), spread(right, path)] };
}
