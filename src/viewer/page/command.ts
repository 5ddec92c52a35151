/** What to type into a terminal to see, or to take out of a run, what the page shows. Knows routes and the program's words; no browser. */
import type { ForkRequest } from '../contract.ts';
import type { Route } from './router.ts';

const program = 'node dist/run.js';

/** Where the terminal would look for runs of itself. */
const usualDir = 'runs';

export interface Told {
  /** Where the runs lie, as a terminal would be told; null: nobody knows. */
  readonly dir: string | null;
  /** Of the table of episodes; '' = all. */
  readonly filter: string;
}

const nothing: Told = { dir: null, filter: '' };

/** A word as a shell takes it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);

const command = (...words: readonly string[]): string => [program, ...words.map(quoted)].join(' ');

const where = ({ dir }: Told): string[] => (dir === null || dir === usualDir ? [] : ['--dir', dir]);
const passing = ({ filter }: Told): string[] => (filter.trim() === '' ? [] : ['--filter', filter]);

/** Shows the same. */
export function commandOf(route: Route, told: Told = nothing): string {
  switch (route.page) {
    case 'run':
      return command('show', '--run', route.run, ...passing(told), ...where(told));
    case 'group':
      return command('show', route.group, '--run', route.run, ...where(told));
    case 'episode':
      return command('show', route.episode, '--run', route.run, ...where(told));
    case 'runs':
    case 'compare':
    case 'charts':
    case 'absent':
      return command('ls', ...(told.dir === null || told.dir === usualDir ? [] : [told.dir]));
    default:
      return route satisfies never;
  }
}

/** A format in which something is taken out of a run: `html`, `openai`, `tokens`, of what an id names or, with null, of the whole run. */
export interface Export {
  readonly format: string;
  readonly run: string;
  readonly id: string | null;
  /** Ending of the file; '' where the command names its own. */
  readonly ending: string;
}

/** Writes the same file. */
export function exportCommandOf({ format, run, id, ending }: Export, told: Told = nothing): string {
  const what = id === null ? [run] : [id, '--run', run];
  const out = ending === '' ? [] : ['--out', `${[run, ...(id === null ? [] : [id])].join('-')}.${ending}`];
  return command('export', format, ...what, ...passing(told), ...where(told), ...out);
}

/** Plays the same fork. */
export const forkCommandOf = ({ run, episode, turn, seed, version, set = [] }: ForkRequest, told: Told = nothing): string =>
  command(
    'replay',
    episode,
    '--run',
    run,
    ...where(told),
    '--from',
    `${turn}`,
    ...(seed === undefined ? [] : ['--seed', `${seed}`]),
    ...(version === undefined ? [] : ['--version', `${version}`]),
    ...set.flatMap((text) => {
      const [, player] = /^roles\.(\w+=\w+)$/.exec(text) ?? [];
      return player === undefined ? ['--set', text] : ['--simulator', player];
    }),
  );
