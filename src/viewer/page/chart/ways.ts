/** The transitions that many episodes took, as rows to compare: how often in all, and how often an episode of each ending took it. Arithmetic over sums and a chart; draws nothing. */
import type { ChartGeometry, Way } from '../../chart/geometry.ts';
import type { Ending, HeatCounts, HeatPage } from '../../heat-contract.ts';

/** All endings together, or one. */
export type Choice = Ending | 'all';

const endings: readonly Ending[] = ['solved', 'failed', 'lost', 'playing'];

const none: HeatCounts = { visits: {}, dwell: {} };

/** One ending's sums of a chart, or everybody's. */
export function countsOf({ charts }: Pick<HeatPage, 'charts'>, machine: string, choice: Choice): HeatCounts {
  const by = charts.find((chart) => chart.machine === machine)?.by ?? {};
  if (choice !== 'all') return by[choice] ?? none;
  const all = endings.flatMap((ending) => by[ending] ?? []);
  return { visits: added(all.map(({ visits }) => visits)), dwell: added(all.map(({ dwell }) => dwell)) };
}

function added(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const one of counts) for (const [id, count] of Object.entries(one)) sums[id] = (sums[id] ?? 0) + count;
  return sums;
}

export interface TakenWay {
  readonly edge: string;
  /** Names of its states, without the chart's. */
  readonly from: string;
  readonly to: string;
  /** As it stands on the drawing. */
  readonly words: string;
  readonly about: string;
  /** It leads to a final state. */
  readonly ends: boolean;
  readonly times: number;
  /** Per episode of that ending; null where none ended so. */
  readonly per: Readonly<Record<'solved' | 'failed' | 'lost', number | null>>;
}

/** Those that were taken at all: ways to an end first, the most taken first. */
export function waysOf(page: Pick<HeatPage, 'charts' | 'endings'>, { name, nodes, edges }: ChartGeometry): TakenWay[] {
  const all = countsOf(page, name, 'all').visits;
  const finals = new Set(nodes.filter(({ kind }) => kind === 'final').map(({ id }) => id));
  const short = (id: string): string => (id.endsWith('#any') ? 'any state' : id.slice(name.length + 1));
  const per = (ending: 'solved' | 'failed' | 'lost', edge: string): number | null => {
    const of = page.endings[ending];
    return of === 0 ? null : (countsOf(page, name, ending).visits[edge] ?? 0) / of;
  };
  return edges
    .flatMap(({ source, target, ways }) =>
      ways.flatMap(({ edge, lines, about }: Way): TakenWay[] => {
        const times = all[edge] ?? 0;
        if (times === 0 || lines.length === 0) return [];
        const words = lines.map(({ text }) => text.trim()).join(' ');
        const each = { solved: per('solved', edge), failed: per('failed', edge), lost: per('lost', edge) };
        return [{ edge, from: short(source), to: short(target), words, about, ends: finals.has(target), times, per: each }];
      }),
    )
    .sort((a, b) => Number(b.ends) - Number(a.ends) || b.times - a.times);
}
