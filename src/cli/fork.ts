/** A fork as it is asked for: finds out what may be changed, makes the new run's folder beside its parent, and plays. How it is shown is the asker's. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import type { ForkAsked, Forked } from '../actors/fork.ts';
import { configAsPlayed, groupOf } from '../actors/original.ts';
import { lacksModel } from '../actors/stand-in.ts';
import type { Config } from '../config.ts';
import { boundarySync, ConfigFault, RecordFault } from '../errors.ts';
import type { EpisodeId } from '../protocol/ids.ts';
import { createFolder, type RunFolder } from '../record/folder.ts';
import { requireModel } from './require-model.ts';
import { configOfRun } from './resume.ts';
import { changeConfig } from './settings/read.ts';

export interface Forking extends ForkAsked {
  readonly parent: RunFolder;
  /** `key=value` each. */
  readonly set: readonly string[];
  readonly signal: AbortSignal;
  note(text: string): void;
  /** It can be played, and is recorded there from now on. */
  begun(folder: RunFolder): void;
}

export interface ForkedRun extends Forked {
  readonly folder: RunFolder;
  readonly seed: number;
  readonly version: number;
}

/** What the episode was played with, changed. Throws ConfigFault, as a config file's is. */
export function configOfFork(parent: RunFolder, episode: EpisodeId, set: readonly string[]): Config {
  const played = configAsPlayed(configOfRun(parent), groupOf(episode));
  const config = changeConfig(played, set);
  if (config.roles.task !== played.roles.task)
    throw new ConfigFault('roles.task: the task of this episode is written; its user, its tools and its judge can be played by others');
  return config;
}

/** Nothing is written unless it can be played. */
export async function createFork({ parent, set, signal, note, begun, ...asked }: Forking): Promise<ForkedRun> {
  const config = configOfFork(parent, asked.episode, set);
  if (!lacksModel(config)) requireModel(config.policy.model);
  // Loaded only now: proving a record needs no engine.
  const { forkOf, playFork } = await import('../actors/fork.ts');
  const fork = forkOf(parent, config, asked);
  const folder = createFolder(dirname(parent.dir), `${parent.name}-fork`);
  boundarySync(RecordFault, `cannot write ${folder.config}`, () => writeFileSync(folder.config, stringify(fork.config)));
  begun(folder);
  const forked = await playFork(fork, { folder, signal, note });
  return { ...forked, folder, seed: fork.config.seed, version: fork.weights.version };
}
