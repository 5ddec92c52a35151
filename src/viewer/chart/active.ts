/** The ids of the states that a state value names, outer before inner: what is lit on a chart. Knows values, no charts. */

/** `'acting'` in the chart `episode` → `episode`, `episode.acting`; null, where nobody knows the state → none. */
export function activeIn(chart: string, value: unknown): string[] {
  return value === null || value === undefined ? [] : [chart, ...inside(chart, value)];
}

function inside(id: string, value: unknown): string[] {
  if (typeof value === 'string') return [`${id}.${value}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [`${id}.${key}`, ...inside(`${id}.${key}`, inner)]);
}
