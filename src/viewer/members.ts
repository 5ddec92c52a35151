/** The sealed members of a run, a step, a group or one episode, as exports take them, of which a filter may let pass only some. Reads each group from its place; knows no format. */
import { ConfigFault } from '../errors.ts';
import type { Episode } from '../protocol/episode.ts';
import type { FrameOf } from '../protocol/frame.ts';
import type { Member } from '../record/exports/member.ts';
import { type Filter, folded } from '../record/filter.ts';
import { bandOf } from '../record/projections/fates.ts';
import { saidIn } from '../record/projections/said.ts';
import type { ViewerPorts } from './ports.ts';
import { groupAt, signalsAt } from './recall.ts';
import { rowsOf } from './rows.ts';
import type { RunIndex } from './run-index.ts';

interface Asked {
  /** Of an episode, a group or a step; null: the whole run. */
  readonly id: string | null;
  readonly filter: Filter;
}

/**
 * By group and member, one list a group, of which one is held at a time; a list may be empty, so that whoever asks can do something else between two groups.
 * Throws ConfigFault where nothing is called so, RecordFault where the journal cannot be read.
 */
export function* membersIn(index: RunIndex, { id, filter }: Asked, { advantages }: Pick<ViewerPorts, 'advantages'>): Generator<Member[]> {
  const { config, folder } = index;
  const wanted = [...index.groups()]
    .filter(([group, rows]) => id === null || id === group || id.startsWith(`${group}.`) || id === rows[0]?.step)
    .map(([group]) => group)
    .toSorted();
  let named = 0;
  for (const name of wanted) {
    const { sealed = null, signals = null } = index.place(name) ?? {};
    if (sealed === null) continue;
    const group = groupAt(folder, sealed);
    const trained = signals === null ? null : signalsAt(folder, signals);
    const learnt = advantages(group, config);
    const rows = new Map(rowsOf(group, bandOf(config)).map((row) => [row.member, row]));
    const members = group.episodes.flatMap((episode, place) => {
      if (id !== null && id !== name && id !== episode.id && id !== group.step) return [];
      named++;
      const row = rows.get(episode.member);
      if (row === undefined || !(filter.matches(row) ?? filter.matchesSaid(row, folded(saidIn(episode))))) return [];
      return [{ run: folder.name, group, episode, advantage: learnt[place] ?? null, seen: seenOf(episode, trained) }];
    });
    if (named > 0) yield members;
  }
  if (id !== null && named === 0) throw new ConfigFault(`nothing sealed is called ${id} in ${folder.name}${sample(wanted)}`);
}

function seenOf({ id, traces }: Episode, trained: FrameOf<'group.signals'> | null): Member['seen'] {
  if (trained === null) return null;
  const own = new Map(trained.traces.filter(({ episode }) => episode === id).map(({ trace, signals }) => [trace, signals]));
  return own.size === 0 ? null : { version: trained.version, signals: traces.map((_, n) => own.get(n) ?? null) };
}

const sample = (groups: readonly string[]): string => (groups.length === 0 ? '' : `; ${groups[0]} has no such member`);
