/** Windows over a run's rows: filtered, sorted, counted by facet. Knows rows; the filter language is record/filter.ts. */
import type { EpisodeList, EpisodeRow } from './contract.ts';

export interface Asked {
  readonly filter: string;
  /** A field's name, `-` before it for descending; '' = as sealed. */
  readonly sort: string;
  readonly offset: number;
  readonly limit: number;
}

/** Values a facet lists at most, the most frequent ones. */
const facetLimit = 200;

const sortable = [
  'episode',
  'group',
  'step',
  'member',
  'D',
  'branch',
  'split',
  'outcome',
  'reason',
  'reward',
  'turns',
  'calls',
  'sampledTokens',
  'version',
  'query',
] as const satisfies readonly (keyof EpisodeRow)[];
type Field = (typeof sortable)[number];

export const isSortable = (sort: string): boolean => sort === '' || sortable.includes(sort.replace(/^-/, '') as Field);

export const windowOf = (
  rows: readonly EpisodeRow[],
  { offset, limit }: Pick<Asked, 'offset' | 'limit'>,
  facets: EpisodeList['facets'],
): EpisodeList => ({
  total: rows.length,
  rows: rows.slice(offset, offset + limit),
  facets,
});

/** null comes last either way. */
function orderOf(sort: string): (a: EpisodeRow, b: EpisodeRow) => number {
  const field = sort.replace(/^-/, '') as Field;
  const sign = sort.startsWith('-') ? -1 : 1;
  return (a, b) => {
    const [x, y] = [a[field], b[field]];
    if (x === y) return 0;
    if (x === null || y === null) return x === null ? 1 : -1;
    return x < y ? -sign : sign;
  };
}

/** A new list, or the same where nothing is asked. Equal ones keep their order. `before`: the first rows, as they were sorted. */
export function sorted(rows: readonly EpisodeRow[], sort: string, before: readonly EpisodeRow[] = []): readonly EpisodeRow[] {
  if (sort === '') return rows;
  const order = orderOf(sort);
  const later = rows.slice(before.length).toSorted(order);
  if (later.length === 0 || before.length === 0) return before.length === 0 ? later : before;
  const all: EpisodeRow[] = [];
  let next = 0;
  for (const row of before) {
    while (next < later.length && order(later[next] as EpisodeRow, row) < 0) all.push(later[next++] as EpisodeRow);
    all.push(row);
  }
  for (; next < later.length; next++) all.push(later[next] as EpisodeRow);
  return all;
}

/** Counts rows as they come and go. */
export interface FacetCounts {
  add(rows: readonly EpisodeRow[]): void;
  remove(rows: readonly EpisodeRow[]): void;
  list(): EpisodeList['facets'];
}

export function facetCounts(): FacetCounts {
  const counts = { outcome: counter(), branch: counter(), step: counter(), tool: counter(), reward: counter() };
  const count = (rows: readonly EpisodeRow[], by: 1 | -1): void => {
    for (const row of rows) {
      counts.outcome.count(row.outcome, by);
      counts.branch.count(row.branch, by);
      counts.step.count(row.step, by);
      counts.reward.count(row.reward === null ? 'null' : String(row.reward), by);
      for (const tool of row.tools) counts.tool.count(tool, by);
    }
  };
  return {
    add: (rows) => count(rows, 1),
    remove: (rows) => count(rows, -1),
    list: () => ({
      outcome: counts.outcome.list(),
      branch: counts.branch.list(),
      step: counts.step.list(),
      tool: counts.tool.list(),
      reward: counts.reward.list(),
    }),
  };
}

interface Counter {
  count(value: string, by: 1 | -1): void;
  list(): EpisodeList['facets']['step'];
}

function counter(): Counter {
  const counts = new Map<string, number>();
  return {
    count: (value, by) => {
      const now = (counts.get(value) ?? 0) + by;
      if (now === 0) counts.delete(value);
      else counts.set(value, now);
    },
    list: () =>
      [...counts]
        .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
        .slice(0, facetLimit)
        .map(([value, count]) => ({ value, count })),
  };
}
