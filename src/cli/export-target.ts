/** What an export is of: a run, one of its groups or one of its episodes, and which of its members a filter lets pass. Knows no format. */
import { ConfigFault } from '../errors.ts';
import type { Member } from '../record/exports/member.ts';
import { type Filter, filterOf } from '../record/filter.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
import { membersIn } from '../viewer/members.ts';
import type { ViewerPorts } from '../viewer/ports.ts';
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

/** The sealed members of a target that pass (viewer/members.ts). A journal that is damaged in places is read around them, and `warn` is told. */
export function* membersOf(
  { folder, id }: Target,
  filter: Filter,
  ports: Pick<ViewerPorts, 'advantages'>,
  warn: (text: string) => void,
): Generator<Member> {
  const index = new RunIndex(folder);
  index.update(() => true);
  const trouble = index.trouble(false);
  if (trouble !== null) warn(printableLine(trouble));
  // An id that cannot be printed is nobody's.
  const asked = { id: id === null ? null : printableLine(id), filter };
  for (const members of membersIn(index, asked, ports)) yield* members;
}
