/** A fork as it is asked for, by a command or by a page: finds the run, makes the new run's folder beside it, and plays. How it is shown is the asker's. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import type { ForkAsked, Forked } from '../actors/fork.ts';
import { lacksModel } from '../actors/stand-in.ts';
import { boundarySync, ConfigFault, RecordFault } from '../errors.ts';
import type { EpisodeId } from '../protocol/ids.ts';
import { createFolder, listFolders, type RunFolder } from '../record/folder.ts';
import type { ForkReply, ForkRequest } from '../viewer/contract.ts';
import { requireModel } from './require-model.ts';
import { configOfRun } from './resume.ts';
import { changeConfig } from './settings/read.ts';

export interface Forking extends ForkAsked {
  readonly parent: RunFolder;
  /** `key=value` each. */
  readonly set: readonly string[];
  readonly signal: AbortSignal;
  note(text: string): void;
}

export interface ForkedRun extends Forked {
  readonly folder: RunFolder;
  readonly seed: number;
  readonly version: number;
}

/** Nothing is written unless it can be played. */
export async function createFork({ parent, set, signal, note, ...asked }: Forking): Promise<ForkedRun> {
  const config = changeConfig(configOfRun(parent), set);
  if (!lacksModel(config)) requireModel(config.policy.model);
  // Loaded only now: proving a record needs no engine.
  const { forkOf, playFork } = await import('../actors/fork.ts');
  const fork = forkOf(parent, config, asked);
  const folder = createFolder(dirname(parent.dir), `${parent.name}-fork`);
  boundarySync(RecordFault, `cannot write ${folder.config}`, () => writeFileSync(folder.config, stringify(fork.config)));
  const forked = await playFork(fork, { folder, signal, note });
  return { ...forked, folder, seed: fork.config.seed, version: fork.weights.version };
}

/** What a page's request does. The run is one of those in `dir`, whatever else its name might lead to. */
export function forkingIn(dir: string, note: (text: string) => void, signal: AbortSignal): (request: ForkRequest) => Promise<ForkReply> {
  return async ({ run, episode, turn, seed, version }) => {
    const parent = listFolders(dir).find(({ name }) => name === run);
    if (parent === undefined) throw new ConfigFault(`there is no run ${run} in ${dir}`);
    const forked = await createFork({ parent, set: [], signal, note, episode: episode as EpisodeId, turn, seed, version });
    return { run: forked.folder.name, episode: forked.episode.id };
  };
}
