/** The episode a fork begins with: as a run's journal has it, with its group and everything its actors were told. Reads, and plays nothing. */
import { ConfigFault, RecordFault } from '../errors.ts';
import { unpack } from '../protocol/codec.ts';
import type { Episode } from '../protocol/episode.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import { RolloutGroup } from '../protocol/group.ts';
import { type EpisodeId, episodeId, type RunId } from '../protocol/ids.ts';
import type { Seed } from '../random.ts';
import type { RunFolder } from '../record/folder.ts';
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
  const name = id.slice(0, id.lastIndexOf('.e'));
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
