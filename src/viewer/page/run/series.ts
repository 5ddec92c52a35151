/** Rows of metrics.jsonl and timings.jsonl as columns over the steps. Rows come as they are: a key may be absent, of another kind, or nested. */
import type { JsonObject } from '../../../protocol/json.ts';

/** One figure a step; null where it was not measured. */
export type Column = readonly (number | null)[];

/** All steps of a run, and its figures by step. */
export interface Steps {
  /** 1, 2, 3, …, as in the ids. */
  readonly numbers: readonly number[];
  readonly ids: readonly string[];
  /** A figure of metrics.jsonl; `simulators.audit.refused` goes inward. */
  metric(path: string): Column;
  /** The same of timings.jsonl. */
  timing(path: string): Column;
}

const numberOf = (id: string): number => Number(/\d+/.exec(id)?.[0] ?? NaN);

function at(row: JsonObject | undefined, path: string): number | null {
  let value: unknown = row;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return null;
    value = (value as JsonObject)[key];
  }
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A step that was written twice (a crash between the row and its commit) counts once, as written last. */
export function stepsOf(metrics: readonly JsonObject[], timings: readonly JsonObject[]): Steps {
  const byStep = (rows: readonly JsonObject[]): Map<string, JsonObject> =>
    new Map(rows.flatMap((row) => (typeof row['step'] === 'string' ? [[row['step'], row] as const] : [])));
  const figures = byStep(metrics);
  const times = byStep(timings);
  const ids = [...figures.keys()].sort((a, b) => numberOf(a) - numberOf(b));
  return {
    numbers: ids.map(numberOf),
    ids,
    metric: (path) => ids.map((id) => at(figures.get(id), path)),
    timing: (path) => ids.map((id) => at(times.get(id), path)),
  };
}

export const measured = (column: Column): boolean => column.some((value) => value !== null);

/** Step by step; null where either is. */
export const combined = (a: Column, b: Column, of: (a: number, b: number) => number): Column =>
  a.map((value, i) => {
    const other = b[i] ?? null;
    if (value === null || other === null) return null;
    const result = of(value, other);
    return Number.isFinite(result) ? result : null;
  });

/** The mean over the last `width` steps that have a figure: what the eye follows where single steps are noise. */
export function smoothed(column: Column, width: number): Column {
  return column.map((_, i) => {
    const near = column.slice(Math.max(0, i - width + 1), i + 1).filter((value) => value !== null);
    return near.length === 0 ? null : near.reduce((sum, value) => sum + value, 0) / near.length;
  });
}

/** Layers on top of each other: the i-th is the sum of the first i + 1; nothing where none has a figure. */
export function stacked(layers: readonly Column[]): Column[] {
  let below: Column = layers[0]?.map(() => null) ?? [];
  return layers.map((layer) => {
    below = layer.map((value, i) => {
      const under = below[i] ?? null;
      return value === null ? under : value + (under ?? 0);
    });
    return below;
  });
}

/** Phases of a step by their keys in timings.jsonl: `rollMs` → `roll`, in the order they occur. */
export function phasesOf(timings: readonly JsonObject[]): string[] {
  const keys = new Set<string>();
  for (const row of timings) for (const key of Object.keys(row)) if (key.endsWith('Ms')) keys.add(key.slice(0, -2));
  return [...keys];
}

/** Zero where the step is known and the figure is not: a count that nobody counted up. */
export const orZero = (column: Column, known: Column): Column =>
  column.map((value, i) => value ?? ((known[i] ?? null) === null ? null : 0));

/** In words, for those who do not see the line. */
export function inWords(name: string, column: Column, show: (value: number) => string): string {
  const values = column.filter((value) => value !== null);
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined) return `${name}: no figures`;
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  return `${name}: from ${show(first)} to ${show(last)} over ${values.length} steps, between ${show(least)} and ${show(most)}`;
}

/** Training success at each difficulty that was trained at, over all its steps. */
export function successByDifficulty(steps: Steps): { readonly D: number; readonly success: number; readonly scored: number }[] {
  const bins = new Map<number, { right: number; scored: number }>();
  const [success, scored, difficulty] = [steps.metric('success'), steps.metric('scored'), steps.metric('difficulty')];
  steps.ids.forEach((_, i) => {
    const [share, count, D] = [success[i], scored[i], difficulty[i]];
    if (share == null || count == null || D == null) return;
    const bin = bins.get(D) ?? { right: 0, scored: 0 };
    bins.set(D, { right: bin.right + share * count, scored: bin.scored + count });
  });
  return [...bins]
    .map(([D, { right, scored: all }]) => ({ D, success: all === 0 ? 0 : right / all, scored: all }))
    .sort((a, b) => a.D - b.D);
}
