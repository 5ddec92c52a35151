/** Success by difficulty: on held-out tasks before and after, with their intervals, over what training saw. */
import type { RunPage } from '../../contract.ts';
import { percent, plural } from '../format.ts';
import { type Column, Table } from '../kit/table.tsx';
import { type Level, levelOf } from './level.ts';
import { type Steps, successByDifficulty } from './series.ts';

const levelsOf = (page: RunPage, when: 'before' | 'after'): Level[] =>
  (page.evaluations.findLast((evaluation) => evaluation.when === when)?.levels ?? []).flatMap((row) => levelOf(row) ?? []);

const width = 420;
const height = 190;
const edge = { left: 34, right: 10, top: 10, bottom: 24 };
const x = (D: number): number => edge.left + ((D - 1) / 99) * (width - edge.left - edge.right);
const y = (share: number): number => height - edge.bottom - share * (height - edge.top - edge.bottom);

export function Levels({ page, steps }: { readonly page: RunPage; readonly steps: Steps }) {
  const before = levelsOf(page, 'before');
  const after = levelsOf(page, 'after');
  const trained = successByDifficulty(steps);
  if (before.length + after.length + trained.length === 0) return <p class="muted">Nothing is measured yet.</p>;
  return (
    <div class="levels">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label="Success by difficulty; the table below says the same.">
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line class="grid" x1={edge.left} x2={width - edge.right} y1={y(share)} y2={y(share)} />
            <text x={edge.left - 6} y={y(share) + 4} text-anchor="end">
              {share * 100}
            </text>
          </g>
        ))}
        {[1, 25, 50, 75, 100].map((D) => (
          <text key={D} x={x(D)} y={height - 8} text-anchor="middle">
            {D}
          </text>
        ))}
        <path
          class="trained"
          d={trained.map(({ D, success }, i) => `${i === 0 ? 'M' : 'L'}${x(D).toFixed(1)} ${y(success).toFixed(1)}`).join('')}
        />
        {trained.length > 3 ? null : trained.map(({ D, success }) => <circle key={D} class="trained" cx={x(D)} cy={y(success)} r="2.5" />)}
        <Marks levels={before} kind="before" shift={-3} />
        <Marks levels={after} kind="after" shift={3} />
      </svg>
      <p class="key">
        {before.length === 0 ? null : <span class="before">◯ held out, before</span>}
        {after.length === 0 ? null : <span class="after">⬤ held out, after</span>}
        {trained.length === 0 ? null : <span class="trained">╌ in training</span>}
        <span class="muted">% of tasks solved, by D; bars: 95 %</span>
      </p>
      {before.length + after.length === 0 ? null : <LevelTable before={before} after={after} />}
    </div>
  );
}

function Marks({ levels, kind, shift }: { readonly levels: readonly Level[]; readonly kind: string; readonly shift: number }) {
  return (
    <g class={kind}>
      {levels.map(({ D, success, low, high }) =>
        success === null ? null : (
          <g key={D} transform={`translate(${shift} 0)`}>
            <line class="bar" x1={x(D)} x2={x(D)} y1={y(low)} y2={y(high)} />
            <circle cx={x(D)} cy={y(success)} r="4" />
          </g>
        ),
      )}
    </g>
  );
}

interface Pair {
  readonly D: number;
  readonly before: Level | undefined;
  readonly after: Level | undefined;
}

function LevelTable({ before, after }: { readonly before: readonly Level[]; readonly after: readonly Level[] }) {
  const all = [...new Set([...before, ...after].map(({ D }) => D))].sort((a, b) => a - b);
  const pairs = all.map((D): Pair => ({ D, before: before.find((level) => level.D === D), after: after.find((level) => level.D === D) }));
  const shown = (level: Level | undefined): string =>
    level === undefined || level.success === null
      ? '–'
      : `${percent(level.success)} (${Math.round(level.low * 100)}–${Math.round(level.high * 100)})`;
  const columns: Column<Pair>[] = [
    { key: 'D', title: 'D', right: true, cell: ({ D }) => D },
    { key: 'before', title: 'Before', right: true, cell: (pair) => shown(pair.before) },
    { key: 'after', title: 'After', right: true, cell: (pair) => shown(pair.after) },
    { key: 'gain', title: 'Gain', right: true, cell: gain },
  ];
  const n = Math.max(...[...before, ...after].map((level) => level.n));
  return (
    <Table
      caption={`Held-out success with 95 % intervals, up to ${plural(n, 'task')} a level`}
      captioned
      columns={columns}
      rows={pairs}
      keyOf={({ D }) => String(D)}
    />
  );
}

function gain({ before, after }: Pair) {
  if (before?.success == null || after?.success == null) return '–';
  const points = (after.success - before.success) * 100;
  // Of one mind only where the intervals part.
  const sure = after.low > before.high || after.high < before.low;
  return (
    <span
      class={sure ? (points > 0 ? 'sure good' : 'sure bad') : 'muted'}
      title={sure ? 'the intervals do not overlap' : 'the intervals overlap'}
    >
      {points > 0 ? '▲ +' : points < 0 ? '▼ −' : ''}
      {Math.abs(points).toFixed(1)}
    </span>
  );
}
