/** Composition root of a run: what the command line starts. */
import type { Config } from '../config.ts';
import type { Progress } from '../protocol/progress.ts';
import type { LevelResult, RunSummary } from '../protocol/summary.ts';
import type { RunRecord } from '../record/record.ts';

export interface RunOptions {
  /** Made by the caller; empty for a new run. */
  readonly runDir: string;
  /** Aborts once: finish or drop the step under way, checkpoint, resolve with `ended: 'interrupted'`. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
  /** Go on from what the folder holds. */
  readonly resume: boolean;
  /** Told once the record is open, so that a process that must go at once can still flush it. */
  readonly onRecord?: (record: RunRecord) => void;
}

/** Runs to the end of `config`. Rejects with a fault when it cannot go on; the record is closed then too. */
export function startRun(_config: Config, _options: RunOptions): Promise<RunSummary> {
  return Promise.reject(new Error('the run is being wired'));
}

export interface EvaluationOptions {
  /** Model directory, absolute. */
  readonly model: string;
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

/** Success on held-out tasks, by `config.eval`. Records nothing. */
export function evaluateModel(_config: Config, _options: EvaluationOptions): Promise<LevelResult[]> {
  return Promise.reject(new Error('the evaluation is being wired'));
}
