/** One level of an evaluation: success at one difficulty, with its interval. */
import type { JsonObject } from '../../../protocol/json.ts';

export interface Level {
  readonly D: number;
  readonly n: number;
  readonly success: number | null;
  readonly low: number;
  readonly high: number;
}

/** One level of an evaluation as it was recorded; null where it is none. */
export function levelOf(row: JsonObject): Level | null {
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const D = number(row['D']);
  if (D === null) return null;
  const [low, high] = Array.isArray(row['ci']) ? row['ci'] : [];
  const success = number(row['greedy']) ?? number(row['sampled']);
  return { D, n: number(row['n']) ?? 0, success, low: number(low) ?? success ?? 0, high: number(high) ?? success ?? 1 };
}
