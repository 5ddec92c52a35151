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

/** A new list; null comes last either way. Equal ones keep their order. */
export function sorted(rows: readonly EpisodeRow[], sort: string): readonly EpisodeRow[] {
  if (sort === '') return rows;
  const field = sort.replace(/^-/, '') as Field;
  const sign = sort.startsWith('-') ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [a[field], b[field]];
    if (x === y) return 0;
    if (x === null || y === null) return x === null ? 1 : -1;
    return x < y ? -sign : sign;
  });
}

export function facetsOf(rows: readonly EpisodeRow[]): EpisodeList['facets'] {
  const counts = { outcome: counter(), branch: counter(), step: counter(), tool: counter(), reward: counter() };
  for (const row of rows) {
    counts.outcome.add(row.outcome);
    counts.branch.add(row.branch);
    counts.step.add(row.step);
    counts.reward.add(row.reward === null ? 'null' : String(row.reward));
    for (const tool of row.tools) counts.tool.add(tool);
  }
  return {
    outcome: counts.outcome.list(),
    branch: counts.branch.list(),
    step: counts.step.list(),
    tool: counts.tool.list(),
    reward: counts.reward.list(),
  };
}

interface Counter {
  add(value: string): void;
  list(): EpisodeList['facets']['step'];
}

function counter(): Counter {
  const counts = new Map<string, number>();
  return {
    add: (value) => counts.set(value, (counts.get(value) ?? 0) + 1),
    list: () =>
      [...counts]
        .toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
        .slice(0, facetLimit)
        .map(([value, count]) => ({ value, count })),
  };
}
