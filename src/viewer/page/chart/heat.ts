/** How often and how long, of everything on a chart: sums for its heat and its tooltips. Knows no colour. */
import type { ChartGeometry } from '../../chart/geometry.ts';

export type Measure = 'visits' | 'dwell';
type Counts = Readonly<Record<string, number>>;

export interface Heat {
  /** Id of a state or an edge → the figure and its share of the largest. */
  of(id: string): { readonly count: number; readonly share: number };
}

/** Times entered, of states: as often as the edges into them were taken. */
export function entriesOf({ edges }: ChartGeometry, visits: Counts): Counts {
  const entries: Record<string, number> = {};
  for (const { target, ways } of edges) for (const { edge } of ways) entries[target] = (entries[target] ?? 0) + (visits[edge] ?? 0);
  return entries;
}

/** Of visits, edges are measured as well; of dwell, the chart itself is left out: it is there all the time. */
export function heatOf(geometry: ChartGeometry, measure: Measure, visits: Counts, dwell: Counts): Heat {
  const states: Counts = measure === 'visits' ? entriesOf(geometry, visits) : dwell;
  const counts: Counts = measure === 'visits' ? { ...visits, ...states } : states;
  const leaves = geometry.nodes.filter(({ kind }) => kind === 'atomic' || kind === 'final').map(({ id }) => id);
  const largest = (ids: readonly string[]): number => Math.max(0, ...ids.map((id) => counts[id] ?? 0));
  const most = { state: largest(leaves), edge: largest(Object.keys(visits)) };
  return {
    of: (id) => {
      const count = counts[id] ?? 0;
      const top = Object.hasOwn(visits, id) ? most.edge : most.state;
      // By the root: what happened once is seen beside what happened a hundred times.
      return { count, share: top === 0 ? 0 : Math.min(1, Math.sqrt(count / top)) };
    },
  };
}
