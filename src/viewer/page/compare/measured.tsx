/** What two runs made of the same tasks: held-out success with paired differences, and training tasks that both were given. */
import { useState } from 'preact/hooks';
import type { ComparedTask, ComparePage, HeldOutPair, RunPage } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import { percent, plural, stepNumber, whole } from '../format.ts';
import { RewardBadge } from '../kit/badge.tsx';
import { Awaited } from '../kit/empty.tsx';
import { Panel } from '../kit/panel.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { to, withQuery } from '../router.ts';
import { type Level, levelOf } from '../run/level.ts';
import { Mark } from './run-heads.tsx';

const pageSize = 25;

export function Measured({ a, b }: { readonly a: RunPage; readonly b: RunPage }) {
  const [limit, setLimit] = useState(pageSize);
  const answer = useAnswer<ComparePage>(withQuery('/api/compare', { a: a.run, b: b.run, limit }));
  return (
    <>
      <Panel title="Held-out success" flush>
        <Intervals a={a} b={b} />
        <Awaited answer={answer} lines={4}>
          {({ heldOut }) => <Paired heldOut={heldOut} />}
        </Awaited>
      </Panel>
      <Panel title="The same training tasks" flush>
        <Awaited answer={answer} lines={6}>
          {(page) => (
            <Tasks page={page} onMore={limit < 500 && page.tasks.total > limit ? () => setLimit(Math.min(500, limit * 4)) : null} />
          )}
        </Awaited>
      </Panel>
    </>
  );
}

interface Measure {
  readonly key: string;
  readonly when: string;
  readonly D: number;
  readonly a: Level | undefined;
  readonly b: Level | undefined;
}

/** The last evaluation of a kind. */
function levelsOf(page: RunPage, when: 'before' | 'after'): Level[] {
  const last = page.evaluations.findLast((evaluation) => evaluation.when === when);
  return (last?.levels ?? []).flatMap((row) => levelOf(row) ?? []);
}

function measuresOf(a: RunPage, b: RunPage): Measure[] {
  return (['before', 'after'] as const).flatMap((when) => {
    const [left, right] = [levelsOf(a, when), levelsOf(b, when)];
    const levels = [...new Set([...left, ...right].map(({ D }) => D))].sort((x, y) => x - y);
    return levels.map((D) => ({
      key: `${when} ${D}`,
      when,
      D,
      a: left.find((level) => level.D === D),
      b: right.find((level) => level.D === D),
    }));
  });
}

const level = (found: Level | undefined) =>
  found?.success == null ? (
    '–'
  ) : (
    <span class="interval" title={`95 % interval ${percent(found.low)} to ${percent(found.high)}, ${plural(found.n, 'task')}`}>
      {percent(found.success)}{' '}
      <span class="muted">
        {Math.round(found.low * 100)}–{Math.round(found.high * 100)}
      </span>
      <Bar level={found} />
    </span>
  );

/** The interval over 0 to 100 %, and the figure in it. */
function Bar({ level: { success, low, high } }: { readonly level: Level }) {
  return (
    <svg class="interval-bar" viewBox="0 0 100 8" aria-hidden="true" preserveAspectRatio="none">
      <line class="track" x1="0" x2="100" y1="4" y2="4" />
      <line class="range" x1={low * 100} x2={high * 100} y1="4" y2="4" />
      <line class="mark" x1={(success ?? 0) * 100} x2={(success ?? 0) * 100} y1="0" y2="8" />
    </svg>
  );
}

const measureColumns: readonly Column<Measure>[] = [
  { key: 'when', title: 'Held', cell: ({ when }) => when },
  { key: 'D', title: 'D', right: true, cell: ({ D }) => D },
  { key: 'a', title: <Mark side="a" />, right: true, cell: ({ a }) => level(a) },
  { key: 'b', title: <Mark side="b" />, right: true, cell: ({ b }) => level(b) },
];

function Intervals({ a, b }: { readonly a: RunPage; readonly b: RunPage }) {
  const measures = measuresOf(a, b);
  if (measures.length === 0) return <p class="inside muted">Neither run was measured on held-out tasks.</p>;
  return <Table caption="Success with 95 % intervals" captioned columns={measureColumns} rows={measures} keyOf={({ key }) => key} />;
}

const pairColumns: readonly Column<HeldOutPair>[] = [
  { key: 'sitting', title: 'Held', cell: ({ sitting }) => sitting },
  { key: 'D', title: 'D', right: true, cell: ({ D }) => (D === null ? 'all' : D) },
  { key: 'tasks', title: 'Tasks', right: true, cell: ({ tasks }) => whole(tasks) },
  { key: 'a', title: <Mark side="a" />, right: true, cell: ({ a }) => percent(a) },
  { key: 'b', title: <Mark side="b" />, right: true, cell: ({ b }) => percent(b) },
  { key: 'gain', title: 'B − A', right: true, cell: gain },
];

function Paired({ heldOut }: { readonly heldOut: readonly HeldOutPair[] }) {
  if (heldOut.length === 0)
    return (
      <p class="inside muted">
        No held-out task was given to both, so there is nothing to pair: their settings or seeds under eval differ.
      </p>
    );
  return (
    <Table
      caption="Paired by task: the same held-out tasks in both runs, 95 % intervals of the differences, in points"
      captioned
      columns={pairColumns}
      rows={heldOut}
      keyOf={({ sitting, D }) => `${sitting} ${D}`}
    />
  );
}

/** Fewer differences have no interval to speak of: four equal ones would have one of no width. */
const enough = 10;

function gain({ gain: found, tasks }: HeldOutPair) {
  if (found === null) return <span class="muted">one task</span>;
  const points = (share: number): string => `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(share * 100).toFixed(1)}`;
  const sure = tasks >= enough && (found.low > 0 || found.high < 0);
  return (
    <span
      class={sure ? (found.mean > 0 ? 'sure good' : 'sure bad') : 'muted'}
      title={sure ? 'the interval leaves 0 out' : tasks < enough ? 'too few tasks to tell' : 'the interval holds 0: it may be chance'}
    >
      {sure ? (found.mean > 0 ? '▲ ' : '▼ ') : ''}
      {points(found.mean)} ({points(found.low)} to {points(found.high)})
    </span>
  );
}

function Tasks({ page, onMore }: { readonly page: ComparePage; readonly onMore: (() => void) | null }) {
  const { total, others, rows } = page.tasks;
  if (total === 0)
    return <p class="inside muted">No training task was given to both: their seeds, tools or difficulties part from the first step.</p>;
  return (
    <>
      <Table
        caption={`${plural(total, 'task')} given to both${others > 0 ? `, and ${whole(others)} to B alone` : ''}; those on which they are farthest apart first`}
        captioned
        columns={taskColumns(page)}
        rows={rows}
        keyOf={({ a }) => a.group}
      />
      {onMore === null ? null : (
        <p class="inside">
          <button type="button" class="button" onClick={onMore}>
            More of {whole(total)}
          </button>
        </p>
      )}
    </>
  );
}

function taskColumns({ a, b }: ComparePage): Column<ComparedTask>[] {
  const members = (run: string, side: ComparedTask['a']) => (
    <a class="members" href={to.group(run, side.group)} title={`the group ${side.group} of ${run}`}>
      {side.members.map(({ member, reward }) => (
        <RewardBadge key={member} reward={reward} />
      ))}
    </a>
  );
  return [
    { key: 'step', title: 'Step', right: true, cell: ({ step }) => stepNumber(step) },
    { key: 'D', title: 'D', right: true, cell: ({ D }) => D },
    { key: 'query', title: 'Asks', cell: ({ query }) => <span class="one-line query">{query}</span> },
    { key: 'a', title: <Mark side="a" />, cell: (task) => members(a, task.a) },
    { key: 'b', title: <Mark side="b" />, cell: (task) => members(b, task.b) },
    {
      key: 'episodes',
      title: <span class="unseen">episodes</span>,
      cell: (task) => {
        const [left, right] = [task.a, task.b].map(({ members: all }) => all.find(({ episode }) => episode !== null)?.episode);
        return left == null || right == null ? null : <a href={to.compare(a, b, { ea: left, eb: right })}>side by side</a>;
      },
    },
  ];
}
