/** A run in one line: how far it came and how it stands. Read from the small files beside the journal, so that listing many runs is quick. */
import { existsSync, readFileSync } from 'node:fs';
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

export function overviewOf(folder: RunFolder, { steps, last }: MetricsEnd = metricsEnd(folder, 1)): Overview {
  const row = rowOf(last.at(-1));
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

/** How many lines metrics.jsonl has, one a committed step, and its last ones. */
export interface MetricsEnd {
  readonly steps: number;
  readonly last: readonly string[];
}

/** With the last `count` lines at most. A line that is being written is left out. */
export function metricsEnd({ metrics }: RunFolder, count: number): MetricsEnd {
  if (!existsSync(metrics)) return { steps: 0, last: [] };
  const lines = readFileSync(metrics, 'utf8').split('\n');
  lines.pop();
  return { steps: lines.length, last: lines.slice(-count) };
}

/** Of the last process that came to an end; null where none did. */
function summaryOf(folder: RunFolder): RunSummary | null {
  if (!existsSync(folder.summary)) return null;
  const parsed = RunSummary.safeParse(jsonOf(readFileSync(folder.summary, 'utf8')));
  return parsed.success ? parsed.data : null;
}

function rowOf(line: string | undefined): JsonObject | null {
  const parsed = JsonObject.safeParse(line === undefined ? null : jsonOf(line));
  return parsed.success ? parsed.data : null;
}

/** null where it is none: these files are made anew from the journal, so one that is broken is no reason to show nothing. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
