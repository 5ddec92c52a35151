/** How the end of a run is told: a table of held-out success, what was lost, and what to do next. */
import { relative } from 'node:path';
import type { Gain, LevelResult, RunSummary } from '../protocol/summary.ts';
import { summaryHealthTable } from './health-table.ts';
import { printableLine } from './printable.ts';
import { duration } from './progress.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

/** The program as it was called: commands we print can be pasted. */
export const program = 'node dist/run.js';

export function outcomeText(summary: RunSummary, { paint }: Pick<Terminal, 'paint'>): string {
  const dir = relative('', summary.dir) || '.';
  const head = `${paint('bold', summary.run)} ${summary.ended}${summary.detail === '' ? '' : `: ${printableLine(summary.detail)}`}`;
  const figures = `${summary.steps} steps, ${summary.episodes} episodes, ${summary.sampledTokens} tokens sampled in ${duration(summary.seconds)}; D is ${summary.difficulty}, policy version ${summary.policyVersions - 1}`;
  const faults = Object.entries(summary.faults).map(([reason, n]) => `${printableLine(reason)} ${n}`);
  const next = [
    ...(summary.ended === 'done' ? [] : [`go on:      ${program} resume ${dir}`]),
    `read it:    ${program} show --run ${dir}`,
    `look at it: ${program} view ${dir}`,
    `take it:    ${program} export model ${dir}`,
  ];
  return [
    head,
    figures,
    ...(faults.length === 0 ? [] : [`lost episodes: ${faults.join(', ')}`]),
    ...(summary.simulators === undefined ? [] : ['', 'the simulated roles', summaryHealthTable(summary.simulators)]),
    ...(summary.fidelity === undefined
      ? []
      : [`fidelity ${summary.fidelity.mean.toFixed(3)} over ${summary.fidelity.episodes} episodes, ${summary.fidelity.refused} refused`]),
    ...(summary.heldOut === undefined ? [] : ['', 'success on held-out tools', measured(summary.heldOut)]),
    '',
    ...next,
  ].join('\n');
}

/** Before and after, or the one measurement there is. */
const measured = (heldOut: NonNullable<RunSummary['heldOut']>): string =>
  heldOut.gains === undefined ? levelTable(heldOut.after ?? heldOut.before ?? []) : heldOutTable(heldOut);

/** One row a level; the same tasks before and after, so the interval is of the paired gain. */
export function heldOutTable({ before, after, gains }: NonNullable<RunSummary['heldOut']>): string {
  const levels = (after ?? before ?? []).map(({ D }) => D);
  const at = (list: readonly LevelResult[] | undefined, D: number): LevelResult | undefined => list?.find((level) => level.D === D);
  const rows = levels.map((D) => [
    `${D}`,
    `${(at(after, D) ?? at(before, D))?.n ?? 0}`,
    share(at(before, D)),
    share(at(after, D)),
    gainText(gains?.find((gain) => gain.D === D)),
  ]);
  const pooled = gains?.find((gain) => gain.D === null);
  if (pooled !== undefined) rows.push(['25+', `${pooled.n}`, '', '', gainText(pooled)]);
  return table(['D', 'n', 'before', 'after', 'gain (95 %)'], rows);
}

const levelTable = (levels: readonly LevelResult[]): string =>
  table(
    ['D', 'n', 'greedy', 'sampled', '95 %'],
    levels.map(({ D, n, greedy, sampled, ci: [low, high] }) => [
      `${D}`,
      `${n}`,
      figure(greedy),
      figure(sampled),
      `${low.toFixed(2)} … ${high.toFixed(2)}`,
    ]),
  );

const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
const share = (level: LevelResult | undefined): string => figure(level === undefined ? null : (level.greedy ?? level.sampled));
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
const gainText = (gain: Gain | undefined): string =>
  gain === undefined ? '' : `${signed(gain.gain)} (${signed(gain.ci[0])} … ${signed(gain.ci[1])})`;
