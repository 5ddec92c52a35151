/** Where the trained policy of a run lies: a whole model, or an adapter and its base. Knows checkpoints, not what is in a model. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isAdapter } from '../gpu/adapter.ts';
import { listCheckpoints, readCheckpoint } from '../gpu/checkpoint.ts';
import type { StepId } from '../protocol/ids.ts';
import type { RunFolder } from '../record/folder.ts';
import { configOfRun } from './resume.ts';

export interface RunModel {
  /** A Hugging Face model directory: the policy's, or the base of its adapter. */
  readonly dir: string;
  /** Absent where the whole model was trained. */
  readonly adapter?: string;
  /** null = the model the run started from: nothing was committed yet, or the trainer makes no models (the scripted one). */
  readonly step: StepId | null;
  readonly version: number;
}

/** Of the newest checkpoint that verifies. */
export function newestModel(folder: RunFolder): RunModel {
  for (const step of listCheckpoints(folder.checkpoints).toReversed()) {
    const checkpoint = readCheckpoint(folder.checkpoints, step);
    if (checkpoint === null) continue;
    const weights = join(checkpoint.dir, 'weights');
    const { version } = checkpoint.manifest;
    if (isAdapter(weights)) return { dir: configOfRun(folder).policy.model, adapter: weights, step, version };
    if (existsSync(join(weights, 'config.json'))) return { dir: weights, step, version };
  }
  const { model, adapter } = configOfRun(folder).policy;
  return { dir: model, ...(adapter === undefined ? {} : { adapter }), step: null, version: 0 };
}
