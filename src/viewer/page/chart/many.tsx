/** Where the actors of many episodes went: each chart with their sums as heat, for all or for one ending, and the transitions as a table. Which episodes is the address it is given. */
import { useEffect, useMemo } from 'preact/hooks';
import type { ChartGeometry } from '../../chart/geometry.ts';
import type { HeatPage } from '../../heat-contract.ts';
import { refresh, useAnswer } from '../api.ts';
import { figure, plural, whole } from '../format.ts';
import { Awaited, Empty } from '../kit/empty.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { query, setQuery } from '../navigation.ts';
import { useGeometries } from './actor.tsx';
import { Chart } from './chart.tsx';
import { type Choice, countsOf, type TakenWay, waysOf } from './ways.ts';

/** While not everything is counted. */
const againMs = 1000;

export function Many({ path }: { readonly path: string }) {
  const answer = useAnswer<HeatPage>(path);
  const geometries = useGeometries();
  const page = answer.value;
  const isPartial = page !== undefined && (page.counted < page.of || page.read !== undefined);
  useEffect(() => {
    if (!isPartial) return undefined;
    const timer = setInterval(() => refresh(path), againMs);
    return () => clearInterval(timer);
  }, [isPartial, path]);
  return (
    <Awaited answer={answer} lines={8}>
      {(heat) => <Awaited answer={geometries}>{(charts) => <Counted page={heat} charts={charts} />}</Awaited>}
    </Awaited>
  );
}

const choices: readonly { readonly key: Choice; readonly title: string; readonly mark: string; readonly about: string }[] = [
  { key: 'all', title: 'all', mark: '∑', about: 'every episode that is counted' },
  { key: 'solved', title: 'solved', mark: '▲', about: 'reward above 0' },
  { key: 'failed', title: 'failed', mark: '▼', about: 'scored by the judge or ended by its own doing: reward 0 or −1' },
  { key: 'lost', title: 'lost', mark: '○', about: 'no reward: the environment failed, not the agent' },
  { key: 'playing', title: 'being played', mark: '▶', about: 'not ended yet' },
];

function Counted({ page, charts }: { readonly page: HeatPage; readonly charts: readonly ChartGeometry[] }) {
  const there = page.charts.flatMap(({ machine }) => charts.find(({ name }) => name === machine) ?? []);
  const actor = query.value.get('actor');
  const geometry = there.find(({ name }) => name === actor) ?? there.find(({ name }) => name === 'episode') ?? there[0];
  const choice = choices.find(({ key }) => key === query.value.get('ending'))?.key ?? 'all';
  const counts = useMemo(() => (geometry === undefined ? null : countsOf(page, geometry.name, choice)), [page, geometry, choice]);
  if (geometry === undefined || counts === null)
    return (
      <Empty sign="∅" title="No events are on record">
        <p>Charts are counted from the events of actors, and the record holds none of these episodes.</p>
      </Empty>
    );
  return (
    <div class="many">
      <div class="many-tools">
        <div role="group" aria-label="which episodes">
          {choices.map(({ key, title, mark, about }) => {
            const count = key === 'all' ? page.counted : page.endings[key];
            return count === 0 && key !== 'all' ? null : (
              <button
                key={key}
                type="button"
                class="button"
                aria-pressed={key === choice}
                title={about}
                onClick={() => setQuery({ ending: key === 'all' ? null : key })}
              >
                <span aria-hidden="true">{mark}</span> {title} <span class="muted number">{whole(count)}</span>
              </button>
            );
          })}
        </div>
        <div role="group" aria-label="whose chart">
          {there.map(({ name }) => (
            <button
              key={name}
              type="button"
              class="button"
              aria-pressed={name === geometry.name}
              onClick={() => setQuery({ actor: name === 'episode' ? null : name })}
            >
              {name}
            </button>
          ))}
        </div>
        <span class="muted" role="status">
          {countWords(page)}
        </span>
      </div>
      <div class="many-parts">
        <Chart key={geometry.name} geometry={geometry} heat="visits" {...counts} />
        <Ways page={page} geometry={geometry} />
      </div>
    </div>
  );
}

/** Empty where all of them are counted. */
function countWords({ matching, of, counted, read }: HeatPage): string {
  if (counted < of) return `${whole(counted)} of ${plural(of, 'episode')} counted so far`;
  if (read !== undefined) return 'the journal is still being read';
  return of < matching ? `the last ${whole(of)} of ${plural(matching, 'episode')}` : '';
}

const per = (ending: 'solved' | 'failed' | 'lost', title: string): Column<TakenWay> => ({
  key: ending,
  title,
  right: true,
  cell: (way) => {
    const share = way.per[ending];
    return share === null ? <span class="muted">–</span> : share === 0 ? <span class="muted">0</span> : figure(share);
  },
});

const columns: readonly Column<TakenWay>[] = [
  {
    key: 'way',
    title: 'Transition',
    cell: ({ from, to, words, about, ends }) => (
      <span class="way" title={about}>
        <span class="mono">{words}</span>
        <span class="muted">
          {from} → {ends ? <strong>{to}</strong> : to}
        </span>
      </span>
    ),
  },
  { key: 'times', title: 'Times', right: true, cell: ({ times }) => whole(times) },
  per('solved', '▲ per solved'),
  per('failed', '▼ per failed'),
  per('lost', '○ per lost'),
];

function Ways({ page, geometry }: { readonly page: HeatPage; readonly geometry: ChartGeometry }) {
  const ways = useMemo(() => waysOf(page, geometry), [page, geometry]);
  const shown = page.endings.lost === 0 ? columns.filter(({ key }) => key !== 'lost') : columns;
  if (ways.length === 0) return null;
  return (
    <Table
      caption={ways.some(({ ends }) => ends) ? 'Ways to an end first, then what was taken most' : 'What was taken most first'}
      captioned
      columns={shown}
      rows={ways}
      keyOf={({ edge }) => edge}
    />
  );
}
