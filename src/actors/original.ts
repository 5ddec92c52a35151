/** The episode a fork begins with: as a run's journal has it, with its group and everything its actors were told, and what it was played with. Reads, and plays nothing. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { ConfigFault, RecordFault } from '../errors.ts';
import { listCheckpoints, versionIn } from '../gpu/checkpoint.ts';
import { unpack } from '../protocol/codec.ts';
import type { Episode } from '../protocol/episode.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import { RolloutGroup } from '../protocol/group.ts';
import { type EpisodeId, episodeId, type RunId } from '../protocol/ids.ts';
import type { Seed } from '../random.ts';
import { folderOf, type RunFolder } from '../record/folder.ts';
import { parentIn } from '../record/parent.ts';
import { framesFrom } from '../record/reader.ts';

export interface Original {
  readonly run: RunId;
  readonly runSeed: Seed;
  readonly group: RolloutGroup;
  readonly original: Episode;
  /** Of its actors. */
  readonly events: readonly RecordedEvent[];
}

/** As it was sealed last. Throws ConfigFault where there is none, RecordFault for a journal that cannot be read. */
export function originalIn(folder: RunFolder, id: EpisodeId): Original {
  const name = groupOf(id);
  let started: { readonly run: RunId; readonly seed: Seed } | null = null;
  let sealed: Uint8Array | null = null;
  const events: RecordedEvent[] = [];
  for (const { frame } of framesFrom(folder.journal)) {
    if (frame.kind === 'run.started') started = { run: frame.run, seed: frame.config['seed'] as Seed };
    else if (frame.kind === 'group.sealed' && frame.envelope.group === name) sealed = frame.bytes;
    else if (frame.kind === 'events') for (const event of frame.events) if (event.actor.startsWith(`${id}/`)) events.push(event);
  }
  if (started === null) throw new RecordFault(`the run ${folder.dir} was interrupted before it began`);
  const group = sealed === null ? null : RolloutGroup.parse(unpack(sealed));
  const original = group?.episodes.find((each) => each.id === id);
  const lost = group?.missing.find(({ member }) => group !== null && id === episodeId(group.id, member));
  if (lost !== undefined) throw new ConfigFault(`${id} has no episode: ${lost.fault.kind}: ${lost.fault.message}`);
  if (group === null || original === undefined)
    throw new ConfigFault(`no sealed episode is called ${id} in ${folder.name}; names are like s00001.t003.e05`);
  return { run: started.run, runSeed: started.seed, group, original, events };
}

export const groupOf = (id: EpisodeId): string => id.slice(0, id.lastIndexOf('.e'));

/** Groups of an examination are named by its manners (examination.ts); null where it is none. */
export const sittingOf = (group: string): string | null => /^e\d+\.\w+\.(greedy|sampled)\./.exec(group)?.[1] ?? null;

/** What the episodes of a group were played with: an examination in a world whose truth is known has code in all roles, whoever plays them in the run. */
export function configAsPlayed(config: Config, group: string): Config {
  if (sittingOf(group) === null || config.eval.roles === 'same') return config;
  const roles = { task: 'procedural', user: 'procedural', tool: 'procedural', judge: 'procedural' } as const;
  return { ...config, roles, eval: { ...config.eval, roles: 'same' } };
}

/** Forks of forks are few, and no chain of them is endless. */
const generations = 1000;

/** The run whose policies can play an episode anew: a fork keeps none, and has those of the run it comes from. Where that run is gone, the fork itself. */
export function trainedIn(folder: RunFolder): RunFolder {
  let found = folder;
  for (let n = 0; n < generations; n++) {
    const parent = parentIn(found.journal);
    const next = parent === null ? null : folderOf(join(dirname(found.dir), parent.run));
    // Its neighbour by name, wherever else the words of a journal might lead.
    if (next === null || next.name !== parent?.run || !existsSync(next.dir)) return found;
    found = next;
  }
  return found;
}

/** Policy versions that are kept, lowest first, whatever the state of their files; `first` is what the run began with. */
export const versionsKept = ({ checkpoints }: RunFolder, first = 0): number[] =>
  [...new Set([first, ...listCheckpoints(checkpoints).flatMap((step) => versionIn(checkpoints, step) ?? [])])].toSorted((a, b) => a - b);
