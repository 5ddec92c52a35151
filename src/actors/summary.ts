/** The closing summary, from what the run left: its standing, its metrics file, its evaluations. */
import { existsSync, readFileSync } from 'node:fs';
import type { Standing } from '../gpu/policy-update-commit.ts';
import { isLoss } from '../learning/census.ts';
import type { RunId } from '../protocol/ids.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Gain, RunSummary } from '../protocol/summary.ts';
import type { RunFolder } from '../record/folder.ts';
import { type LevelOutcome, levelResult } from './evaluating.ts';

export interface Ending {
  readonly folder: RunFolder;
  readonly ended: RunSummary['ended'];
  readonly detail: string;
  readonly seconds: number;
  readonly standing: Standing;
  /** Of the last step this process took. */
  readonly metrics: JsonObject | undefined;
  readonly outcomes: ReadonlyMap<'before' | 'during' | 'after', readonly LevelOutcome[]>;
  readonly gains: readonly Gain[];
}

export function summaryOf({ folder, ended, detail, seconds, standing, metrics, outcomes, gains }: Ending): RunSummary {
  const rows = rowsOf(folder.metrics);
  const total = (key: string): number => rows.reduce((sum, row) => sum + Number(row[key] ?? 0), 0);
  const [before, after] = [outcomes.get('before'), outcomes.get('after')];
  const gap = metrics?.['gap'];
  return {
    v: 1,
    run: folder.name as RunId,
    ended,
    detail,
    steps: rows.length,
    seconds,
    policyVersions: standing.weights.version + 1,
    difficulty: standing.curriculum.difficulty,
    episodes: total('members'),
    sampledTokens: total('sampledTokens'),
    ...(before === undefined && after === undefined
      ? {}
      : {
          heldOut: {
            ...(before === undefined ? {} : { before: before.map(levelResult) }),
            ...(after === undefined ? {} : { after: after.map(levelResult) }),
            ...(gains.length === 0 ? {} : { gains: [...gains] }),
          },
        }),
    ...(typeof gap === 'number' ? { sampler: { meanAbsLogprobGap: gap } } : {}),
    faults: lostBy(rows),
    dir: folder.dir,
    model: standing.weights.dir,
  };
}

function lostBy(rows: readonly JsonObject[]): Record<string, number> {
  const faults: Record<string, number> = {};
  for (const row of rows)
    for (const [fate, count] of Object.entries((row['fates'] ?? {}) as Record<string, number>)) if (isLoss(fate)) faults[fate] = (faults[fate] ?? 0) + count;
  return faults;
}

const rowsOf = (file: string): JsonObject[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JsonObject)
    : [];
