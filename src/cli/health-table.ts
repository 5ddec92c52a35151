/** How the simulated roles answered, as a table: who was asked how often, what was refused, what was repaired, what was lost. Knows text only; rates are learning/health.ts's. */
import { ratesOf } from '../learning/health.ts';
import type { Interval } from '../learning/evaluation.ts';
import { Defect, type SimulatorHealth, type Tally } from '../protocol/health.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import type { RunSummary } from '../protocol/summary.ts';
import { printableLine } from './printable.ts';
import { table } from './table.ts';

const headings = [
  'role',
  'asked',
  'spared',
  'prompts',
  'malformed (95 %)',
  'inconsistent',
  'repaired',
  'masked (95 %)',
  'tokens in',
  'out',
];
/** Tools that are told one by one: those that were refused most. */
const toolsShown = 12;

/** By role, then the tools whose answers were refused. */
export function healthTable({ roles, tools, audit }: SimulatorHealth): string {
  const rows = SimulatorRole.options.flatMap((role) => (roles[role] === undefined ? [] : [rowOf(role, roles[role])]));
  const worst = Object.entries(tools)
    .filter(([, tally]) => refusals(tally) + tally.masked > 0)
    .toSorted(([, a], [, b]) => b.masked - a.masked || refusals(b) - refusals(a));
  const told = worst.slice(0, toolsShown).map(([tool, tally]) => rowOf(`  ${printableLine(tool)}`, tally));
  return [
    table(headings, [...rows, ...told]),
    ...(worst.length > toolsShown ? [`and ${worst.length - toolsShown} more tools whose answers were refused`] : []),
    ...defectsText(roles),
    ...(audit === undefined || audit.episodes === 0
      ? []
      : [
          `fidelity ${(audit.fidelity / audit.episodes).toFixed(3)} over ${audit.episodes} episodes, ${audit.refused} refused: ${audit.contradictions} contradictions, ${audit.leaks} leaks, ${audit.prematureStops} premature stops, ${audit.overstays} overstays, ${audit.overreaches} overreaches`,
        ]),
  ].join('\n');
}

/** The same from a run's closing summary, which knows roles and no tools. */
export function summaryHealthTable(simulators: NonNullable<RunSummary['simulators']>): string {
  const roles: SimulatorHealth['roles'] = {};
  for (const role of SimulatorRole.options) {
    const of = simulators[role];
    if (of === undefined) continue;
    const { asks = of.calls, calls, spared = 0, repaired, masked, promptTokens = 0, replyTokens = 0 } = of;
    const defects: Tally['defects'] = {};
    for (const defect of Defect.options) {
      const count = of.defects?.[defect];
      if (count !== undefined) defects[defect] = count;
    }
    roles[role] = { asks, calls, spared, repaired, masked, promptTokens, replyTokens, defects };
  }
  return healthTable({ roles, tools: {} });
}

function rowOf(name: string, tally: Tally): string[] {
  const { defects, repaired, masked } = ratesOf(tally);
  return [
    name,
    `${tally.asks}`,
    `${tally.spared}`,
    `${tally.calls}`,
    withInterval(defects.malformed),
    percent(defects.inconsistent.mean),
    percent(repaired.mean),
    withInterval(masked),
    `${tally.promptTokens}`,
    `${tally.replyTokens}`,
  ];
}

/** What the table has no column for. */
function defectsText(roles: SimulatorHealth['roles']): string[] {
  const told = SimulatorRole.options.flatMap((role) =>
    Defect.options.flatMap((defect) => {
      const count = roles[role]?.defects[defect] ?? 0;
      return count === 0 || defect === 'malformed' || defect === 'inconsistent' ? [] : [`${role} ${defect} ${count}`];
    }),
  );
  return told.length === 0 ? [] : [`also refused: ${told.join(', ')}`];
}

const refusals = ({ defects }: Tally): number => Object.values(defects).reduce((sum, count) => sum + count, 0);
const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`);
const withInterval = ({ mean, low, high }: Interval): string =>
  Number.isNaN(mean) ? '–' : `${percent(mean)} (${(100 * low).toFixed(1)} … ${(100 * high).toFixed(1)})`;
