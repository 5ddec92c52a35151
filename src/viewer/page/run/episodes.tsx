/** The episodes of a run as a table of any length: only the rows in view are in the document, only their pages are asked for. Filter and order are in the address. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodeList, EpisodeRow } from '../../contract.ts';
import { refresh, type Trouble, useAnswer } from '../api.ts';
import { Many } from '../chart/many.tsx';
import { figure, percent, plural, shortId, stepNumber, whole } from '../format.ts';
import { OutcomeBadge, RewardBadge } from '../kit/badge.tsx';
import { Empty, Failure, Skeleton } from '../kit/empty.tsx';
import { useKeys } from '../keys.ts';
import { navigate, query, setQuery } from '../navigation.ts';
import { to, withQuery } from '../router.ts';
import { nextSort, pagesOf, revealed, windowOf } from '../kit/rows.ts';

const rowHeight = 28;
const pageSize = 200;

interface EpisodeColumn {
  readonly key: string;
  readonly title: string;
  readonly sorts: boolean;
  readonly right?: boolean;
  readonly cell: (row: EpisodeRow, run: string) => ComponentChildren;
}

const columns: readonly EpisodeColumn[] = [
  { key: 'reward', title: 'Reward', sorts: true, cell: ({ reward }) => <RewardBadge reward={reward} /> },
  { key: 'episode', title: 'Episode', sorts: true, cell: (row, run) => <EpisodeLink row={row} run={run} /> },
  { key: 'step', title: 'Step', sorts: true, right: true, cell: ({ step }) => <span title={step}>{stepNumber(step)}</span> },
  { key: 'D', title: 'D', sorts: true, right: true, cell: ({ D }) => figure(D) },
  { key: 'branch', title: 'Branch', sorts: true, cell: ({ branch }) => branch },
  { key: 'outcome', title: 'Outcome', sorts: true, cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
  { key: 'reason', title: 'Missed or failed', sorts: true, cell: ({ reason }) => reason },
  { key: 'turns', title: 'Turns', sorts: true, right: true, cell: ({ turns }) => whole(turns) },
  { key: 'calls', title: 'Calls', sorts: true, right: true, cell: ({ calls }) => whole(calls) },
  { key: 'sampledTokens', title: 'Tokens', sorts: true, right: true, cell: ({ sampledTokens }) => whole(sampledTokens) },
  { key: 'version', title: 'Policy', sorts: true, right: true, cell: ({ version }) => (version === null ? '–' : `v${version}`) },
  { key: 'query', title: 'Opening words', sorts: false, cell: ({ query: words }) => words },
];

function EpisodeLink({ row, run }: { readonly row: EpisodeRow; readonly run: string }) {
  if (row.episode === null) return <a href={to.group(run, row.group)}>{`${row.group} · member ${row.member}`}</a>;
  return (
    <a href={to.episode(run, row.episode)} title={row.episode}>
      {shortId(row.episode)}
    </a>
  );
}

const hrefOf = (row: EpisodeRow, run: string): string => (row.episode === null ? to.group(run, row.group) : to.episode(run, row.episode));

interface EpisodesProps {
  readonly run: string;
  /** Above the table: what narrows it down. */
  readonly filter: (list: EpisodeList | undefined, trouble: Trouble | null) => ComponentChildren;
}

export function Episodes({ run, filter }: EpisodesProps) {
  const wanted = query.value.get('filter') ?? '';
  const sort = query.value.get('sort') ?? '';
  const isChart = query.value.get('show') === 'chart';
  const list = `/api${to.run(run)}/episodes`;
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const pathOf = (page: number): string => withQuery(list, { filter: wanted, sort, offset: page * pageSize, limit: pageSize });
  const head = useAnswer<EpisodeList>(pathOf(0));
  const total = head.value?.total ?? 0;
  const shown = windowOf(seen.top, seen.height, rowHeight, total);
  // A window of rows is shorter than a page: it touches two pages at most, and the first is always held.
  const [second, third] = pagesOf(shown, pageSize).slice(1);
  const more = useAnswer<EpisodeList>(second === undefined ? null : pathOf(second));
  const most = useAnswer<EpisodeList>(third === undefined ? null : pathOf(third));
  const rowAt = (at: number): EpisodeRow | undefined => {
    const page = Math.floor(at / pageSize);
    const held = page === 0 ? head.value : page === second ? more.value : page === third ? most.value : undefined;
    return held?.rows[at - page * pageSize];
  };
  const reading = head.value?.read !== undefined && head.value.read < 1;
  useEffect(() => {
    if (!reading) return undefined;
    const timer = setInterval(() => refresh(list), 1000);
    return () => clearInterval(timer);
  }, [reading, list]);

  // What is wrong with a filter belongs under the filter; the rows stay away.
  const refused = head.trouble !== null && head.trouble.status === 400;
  return (
    <div class="episodes">
      {filter(head.value, refused ? head.trouble : null)}
      {reading ? (
        <p class="muted" role="status">
          Reading the journal: {percent(head.value?.read)} so far.
        </p>
      ) : null}
      {head.value === undefined ? (
        head.trouble === null ? (
          <Skeleton lines={14} />
        ) : refused ? null : (
          <Failure trouble={head.trouble} again={head.again} />
        )
      ) : total === 0 ? (
        <NoEpisodes filtered={wanted !== ''} />
      ) : (
        <>
          <div class="episodes-head">
            <p class="muted" role="status">
              {plural(total, 'episode')}
            </p>
            <button
              type="button"
              class="button small"
              aria-pressed={isChart}
              title="Where the actors of these episodes went"
              onClick={() => setQuery({ show: isChart ? null : 'chart' })}
            >
              Chart of these
            </button>
          </div>
          {isChart ? (
            <Many path={withQuery(`/api${to.run(run)}/heat`, { filter: wanted })} />
          ) : (
            <Rows run={run} total={total} sort={sort} rowAt={rowAt} shown={shown} onSeen={setSeen} />
          )}
        </>
      )}
    </div>
  );
}

function NoEpisodes({ filtered }: { readonly filtered: boolean }) {
  if (!filtered)
    return (
      <Empty sign="…" title="No episode is finished yet">
        <p>They appear here as their groups are sealed.</p>
      </Empty>
    );
  return (
    <Empty title="No episode matches the filter">
      <p>
        <button type="button" class="button" onClick={() => setQuery({ filter: null })}>
          Show all episodes
        </button>
      </p>
    </Empty>
  );
}

interface RowsProps {
  readonly run: string;
  readonly total: number;
  readonly sort: string;
  readonly rowAt: (at: number) => EpisodeRow | undefined;
  readonly shown: { readonly from: number; readonly until: number };
  readonly onSeen: (seen: { readonly top: number; readonly height: number }) => void;
}

/** Of the table that was looked at last: who comes back from an episode goes on from its row. */
let lastPicked = { list: '', at: 0 };

function Rows({ run, total, sort, rowAt, shown, onSeen }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const list = `${run} ${query.value.get('filter') ?? ''} ${sort}`;
  const [picked, setPicked] = useState(lastPicked.list === list ? lastPicked.at : 0);
  // At once: the click that picks a row leads away from the table.
  const keepPick = (at: number): void => {
    lastPicked = { list, at };
    setPicked(at);
  };
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const see = (): void => onSeen({ top: element.scrollTop, height: element.clientHeight });
    const sized = new ResizeObserver(see);
    sized.observe(element);
    element.addEventListener('scroll', see, { passive: true });
    return () => {
      sized.disconnect();
      element.removeEventListener('scroll', see);
    };
  }, []);
  const pick = (at: number): void => {
    const next = Math.max(0, Math.min(total - 1, at));
    keepPick(next);
    const element = box.current;
    // The heading sticks to the top and takes a row's height.
    if (element !== null) element.scrollTop = revealed(next, element.scrollTop, element.clientHeight - rowHeight, rowHeight);
  };
  const at = Math.min(picked, total - 1);
  useKeys('Episodes', [
    { keys: 'j', what: 'next episode', act: () => pick(at + 1) },
    { keys: 'k', what: 'previous episode', act: () => pick(at - 1) },
    { keys: 'g g', what: 'first', act: () => pick(0) },
    { keys: 'G', what: 'last', act: () => pick(total - 1) },
    {
      keys: 'o',
      what: 'open it',
      act: () => {
        const row = rowAt(at);
        if (row !== undefined) navigate(hrefOf(row, run));
      },
    },
  ]);
  const drawn = Array.from({ length: shown.until - shown.from }, (_, i) => shown.from + i);
  return (
    <>
      <div class="rows-box" data-place="episodes" ref={box} tabIndex={0} role="region" aria-label="episodes">
        <div role="table" aria-label="episodes" aria-rowcount={total + 1} aria-colcount={columns.length}>
          <div role="rowgroup" class="rows-head">
            <div role="row" class="row" aria-rowindex={1}>
              {columns.map((column) => (
                <Heading key={column.key} column={column} sort={sort} />
              ))}
            </div>
          </div>
          <div role="rowgroup" class="rows" style={{ height: `${total * rowHeight}px` }}>
            {drawn.map((index) => (
              <Row key={index} at={index} row={rowAt(index)} run={run} picked={index === at} onPick={keepPick} />
            ))}
          </div>
        </div>
      </div>
    </>
  );
}

function Heading({ column: { key, title, sorts, right = false }, sort }: { readonly column: EpisodeColumn; readonly sort: string }) {
  const order = sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : 'none';
  return (
    <span role="columnheader" class={`cell ${key}${right ? ' right' : ''}`} aria-sort={sorts ? order : undefined}>
      {sorts ? (
        <button type="button" class="sort" onClick={() => setQuery({ sort: nextSort(sort, key) })}>
          {title}
          <span aria-hidden="true">{order === 'ascending' ? '▲' : order === 'descending' ? '▼' : ''}</span>
        </button>
      ) : (
        title
      )}
    </span>
  );
}

interface RowProps {
  readonly at: number;
  readonly row: EpisodeRow | undefined;
  readonly run: string;
  readonly picked: boolean;
  readonly onPick: (at: number) => void;
}

function Row({ at, row, run, picked, onPick }: RowProps) {
  return (
    <div
      role="row"
      class="row"
      aria-rowindex={at + 2}
      data-picked={picked}
      style={{ transform: `translateY(${at * rowHeight}px)` }}
      onClick={(event) => {
        onPick(at);
        // Anywhere in the row, unless a link was hit or text is being selected.
        if (row === undefined || (event.target as Element).closest('a') !== null || String(getSelection()) !== '') return;
        navigate(hrefOf(row, run));
      }}
    >
      {columns.map(({ key, right = false, cell }) => (
        <span key={key} role="cell" class={`cell ${key}${right ? ' right' : ''}`}>
          {row === undefined ? '' : cell(row, run)}
        </span>
      ))}
    </div>
  );
}
