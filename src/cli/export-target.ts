/** What an export is of: a run, one of its groups or one of its episodes, and which of its members a filter lets pass. Knows no format. */
import { ConfigFault } from '../errors.ts';
import type { Member } from '../record/exports/member.ts';
import { type Filter, filterOf, folded } from '../record/filter.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
import { bandOf } from '../record/projections/fates.ts';
import { saidIn } from '../record/projections/said.ts';
import type { ViewerPorts } from '../viewer/ports.ts';
import { groupAt } from '../viewer/recall.ts';
import { rowsOf } from '../viewer/rows.ts';
import { RunIndex } from '../viewer/run-index.ts';
import { printableLine } from './printable.ts';

export interface TargetFlags {
  readonly dir: string;
  /** Given: the argument names a group or an episode of it. */
  readonly run?: string;
}

export interface Target {
  readonly folder: RunFolder;
  /** Of an episode, a group or a step; null: the whole run. */
  readonly id: string | null;
}

/** `s00001.t003`, `s00001.t003.e05`, and those of evaluations: a run's name does not end so. */
const idForm = /\.t\d+(?:\.e\d+)?$/;

/** Throws ConfigFault where there is no such run. */
export function targetOf(argument: string, { dir, run }: TargetFlags): Target {
  if (run !== undefined) return { folder: findFolder(dir, run), id: argument };
  if (idForm.test(argument)) return { folder: findFolder(dir, 'latest'), id: argument };
  return { folder: findFolder(dir, argument), id: null };
}

/** Throws ConfigFault saying where the filter cannot be read. */
export function filterIn(text: string | undefined): Filter {
  const filter = filterOf(text ?? '');
  if (filter.kind === 'filter') return filter;
  throw new ConfigFault(`--filter ${printableLine(text ?? '')}: ${printableLine(filter.message)} (at character ${filter.at + 1})`);
}

/**
 * The sealed members of a target that pass, by group and member; one group is held at a time. Throws ConfigFault where nothing is called so, RecordFault where the journal cannot be read.
 * A journal that is damaged in places is read around them, and `warn` is told.
 */
export function* membersOf(
  { folder, id }: Target,
  filter: Filter,
  { advantages }: Pick<ViewerPorts, 'advantages'>,
  warn: (text: string) => void,
): Generator<Member> {
  const index = new RunIndex(folder);
  index.update(() => true);
  const trouble = index.trouble(false);
  if (trouble !== null) warn(printableLine(trouble));
  const { config } = index;
  const wanted = [...index.groups()]
    .filter(([group, rows]) => id === null || id === group || id.startsWith(`${group}.`) || id === rows[0]?.step)
    .map(([group]) => group)
    .toSorted();
  let named = 0;
  for (const name of wanted) {
    const at = index.place(name)?.sealed ?? null;
    if (at === null) continue;
    const group = groupAt(folder, at);
    const learnt = advantages(group, config);
    const rows = new Map(rowsOf(group, bandOf(config)).map((row) => [row.member, row]));
    for (const [place, episode] of group.episodes.entries()) {
      if (id !== null && id !== name && id !== episode.id && id !== group.step) continue;
      named++;
      const row = rows.get(episode.member);
      if (row === undefined || !(filter.matches(row) ?? filter.matchesSaid(row, folded(saidIn(episode))))) continue;
      yield { run: folder.name, group, episode, advantage: learnt[place] ?? null };
    }
  }
  if (id !== null && named === 0) throw new ConfigFault(`nothing sealed is called ${printableLine(id)} in ${folder.name}${sample(wanted)}`);
}

const sample = (groups: readonly string[]): string => (groups.length === 0 ? '' : `; ${groups[0]} has no such member`);
