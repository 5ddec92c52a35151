/** Where the model directory of a run lies. Knows checkpoints, not what is in a model. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listCheckpoints, readCheckpoint } from '../gpu/checkpoint.ts';
import type { StepId } from '../protocol/ids.ts';
import type { RunFolder } from '../record/folder.ts';
import { configOfRun } from './resume.ts';

export interface RunModel {
  /** A Hugging Face model directory. */
  readonly dir: string;
  /** null = the model the run started from: nothing was committed yet, or the trainer makes no models (the scripted one). */
  readonly step: StepId | null;
  readonly version: number;
}

/** Of the newest checkpoint that verifies. */
export function newestModel(folder: RunFolder): RunModel {
  for (const step of listCheckpoints(folder.checkpoints).toReversed()) {
    const checkpoint = readCheckpoint(folder.checkpoints, step);
    if (checkpoint !== null && existsSync(join(checkpoint.dir, 'weights', 'config.json')))
      return { dir: join(checkpoint.dir, 'weights'), step, version: checkpoint.manifest.version };
  }
  return { dir: configOfRun(folder).policy.model, step: null, version: 0 };
}
