/** A run's figures as named numbers by step: what charts and tables of other programs are made of. Knows rows of metrics, not how a file holds them. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';

export interface StepScalars {
  readonly step: number;
  /** Names like `meanReward` and `fates/trained`, in the row's order. */
  readonly scalars: ReadonlyMap<string, number>;
}

/** Of rows as projections/metrics.ts makes them. What is no number is left out, and so are lists: their places mean something else in every row. */
export function scalarsOf(row: JsonObject): StepScalars {
  const scalars = new Map<string, number>();
  const collect = (value: JsonValue | undefined, path: readonly string[]): void => {
    if (typeof value === 'number') scalars.set(path.join('/'), value);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) collect(inner, [...path, key]);
  };
  const { v: _v, step, ...figures } = row;
  collect(figures, []);
  return { step: typeof step === 'string' ? Number(/\d+/.exec(step)?.[0] ?? 0) : 0, scalars };
}
