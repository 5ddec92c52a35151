/** A run in one line: how far it came and how it stands. Read from the small files beside the journal, so that listing many runs is quick. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { JsonObject } from '../../protocol/json.ts';
import { RunSummary } from '../../protocol/summary.ts';
import type { RunFolder } from '../folder.ts';
import { writerOf } from '../lock.ts';

export interface Overview {
  readonly run: string;
  /** `interrupted`: nobody writes it and it has no end; `resume` goes on. */
  readonly state: 'running' | RunSummary['ended'];
  readonly steps: number;
  readonly difficulty: number | null;
  readonly meanReward: number | null;
  readonly success: number | null;
  readonly version: number | null;
  readonly dir: string;
}

export function overviewOf(folder: RunFolder): Overview {
  const { steps, row } = lastMetrics(folder.metrics);
  const summary = summaryOf(folder);
  const number = (key: string): number | null => (typeof row?.[key] === 'number' ? row[key] : null);
  return {
    run: folder.name,
    state: writerOf(folder.dir) !== null ? 'running' : (summary?.ended ?? 'interrupted'),
    steps,
    difficulty: number('nextDifficulty') ?? number('difficulty'),
    meanReward: number('meanReward'),
    success: number('success'),
    version: number('version'),
    dir: folder.dir,
  };
}

/** Of the last process that came to an end; null where none did. */
function summaryOf(folder: RunFolder): RunSummary | null {
  if (!existsSync(folder.summary)) return null;
  const parsed = RunSummary.safeParse(JSON.parse(readFileSync(folder.summary, 'utf8')));
  return parsed.success ? parsed.data : null;
}

function lastMetrics(file: string): { readonly steps: number; readonly row: JsonObject | null } {
  if (!existsSync(file) || statSync(file).size === 0) return { steps: 0, row: null };
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const parsed = JsonObject.safeParse(JSON.parse(lines.at(-1) ?? '{}'));
  return { steps: lines.length, row: parsed.success ? parsed.data : null };
}
