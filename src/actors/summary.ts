/** The closing summary, from what the run left: its standing, its metrics file, its examinations. */
import { existsSync, readFileSync } from 'node:fs';
import type { Standing } from '../gpu/policy-update-commit.ts';
import { isLoss } from '../learning/census.ts';
import { addHealth } from '../learning/health.ts';
import { SimulatorHealth, type Tally } from '../protocol/health.ts';
import type { RunId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RunSummary } from '../protocol/summary.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import type { RunFolder } from '../record/folder.ts';

export interface Ending extends Pick<RunSummary, 'ended' | 'detail' | 'seconds'> {
  readonly folder: RunFolder;
  readonly standing: Standing;
  readonly heldOut: RunSummary['heldOut'];
  readonly judge: RunSummary['judge'];
}

export function summaryOf({ folder, ended, detail, seconds, standing, heldOut, judge }: Ending): RunSummary {
  const rows = rowsOf(folder);
  const gap = rows.findLast((row) => typeof row['gap'] === 'number')?.['gap'];
  const canaries = rows.flatMap(({ canaryGap }) => (typeof canaryGap === 'number' ? [canaryGap] : []));
  return {
    v: 1,
    run: folder.name as RunId,
    ended,
    detail,
    steps: rows.length,
    seconds,
    policyVersions: standing.weights.version + 1,
    difficulty: standing.curriculum.difficulty,
    episodes: total(rows, 'members'),
    sampledTokens: total(rows, 'sampledTokens'),
    ...(heldOut === undefined ? {} : { heldOut }),
    ...(typeof gap === 'number'
      ? { sampler: { meanAbsLogprobGap: gap, ...(canaries.length === 0 ? {} : { maxCanaryGap: Math.max(...canaries) }) } }
      : {}),
    ...simulatorsOf(rows),
    ...(judge === undefined ? {} : { judge }),
    faults: lostBy(rows),
    dir: folder.dir,
    model: standing.weights.dir,
  };
}

/** Tokens sampled in the committed steps. */
export const sampledTokensOf = (folder: RunFolder): number => total(rowsOf(folder), 'sampledTokens');

const total = (rows: readonly JsonObject[], key: string): number => rows.reduce((sum, row) => sum + Number(row[key] ?? 0), 0);

function simulatorsOf(rows: readonly JsonObject[]): Pick<RunSummary, 'simulators' | 'fidelity'> {
  const health = healthOf(rows);
  if (health === null) return {};
  const simulators: NonNullable<RunSummary['simulators']> = {};
  for (const role of SimulatorRole.options) {
    const tally = health.roles[role];
    if (tally !== undefined) simulators[role] = told(tally);
  }
  const { audit } = health;
  if (audit === undefined || audit.episodes === 0) return { simulators };
  const { episodes, refused } = audit;
  return { simulators, fidelity: { mean: Math.min(1, audit.fidelity / episodes), episodes, refused } };
}

const told = ({ defects, ...tally }: Tally) => ({
  ...tally,
  malformed: defects.malformed ?? 0,
  inconsistent: defects.inconsistent ?? 0,
  defects: { ...defects } as Record<string, number>,
});

/** Of the committed steps; null where code played all roles in every one. */
export const simulatorHealthOf = (folder: RunFolder): SimulatorHealth | null => healthOf(rowsOf(folder));

function healthOf(rows: readonly JsonObject[]): SimulatorHealth | null {
  const parts = rows.flatMap(({ simulators }) => (simulators === undefined ? [] : [SimulatorHealth.parse(simulators)]));
  return parts.length === 0 ? null : addHealth(parts);
}

function lostBy(rows: readonly JsonObject[]): Record<string, number> {
  const faults: Record<string, number> = {};
  for (const row of rows)
    for (const [fate, count] of Object.entries((row['fates'] ?? {}) as Record<string, number>))
      if (isLoss(fate)) faults[fate] = (faults[fate] ?? 0) + count;
  return faults;
}

const rowsOf = ({ metrics }: RunFolder): JsonObject[] =>
  existsSync(metrics)
    ? readFileSync(metrics, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JsonObject)
    : [];
