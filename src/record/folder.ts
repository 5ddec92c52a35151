/** A run's folder: where each thing lies, and how a run is found by name. Knows paths, not what is in the files. */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigFault, RecordFault } from '../errors.ts';
import { parentIn } from './parent.ts';

export interface RunFolder {
  readonly dir: string;
  /** The folder's own name is the run's name. */
  readonly name: string;
  readonly journal: string;
  readonly checkpoints: string;
  /** One directory per published policy version. */
  readonly policies: string;
  readonly config: string;
  readonly summary: string;
  readonly episodes: string;
  readonly metrics: string;
  readonly timings: string;
  /** Of processes this run started. */
  readonly logs: string;
}

export function folderOf(dir: string): RunFolder {
  const at = resolve(dir);
  return {
    dir: at,
    name: basename(at),
    journal: join(at, 'journal'),
    checkpoints: join(at, 'checkpoints'),
    policies: join(at, 'policies'),
    config: join(at, 'config.yaml'),
    summary: join(at, 'summary.json'),
    episodes: join(at, 'episodes.jsonl'),
    metrics: join(at, 'metrics.jsonl'),
    timings: join(at, 'timings.jsonl'),
    logs: join(at, 'logs'),
  };
}

/** Makes an empty run folder; where `name` is taken, `name-2`, `name-3`, …. Throws RecordFault where it cannot be made or written. */
export function createFolder(parent: string, name: string): RunFolder {
  for (let n = 1; ; n++) {
    const dir = resolve(parent, n === 1 ? name : `${name}-${n}`);
    if (existsSync(dir)) continue;
    try {
      mkdirSync(dirname(dir), { recursive: true });
      mkdirSync(dir);
      accessSync(dir, constants.W_OK);
    } catch (error) {
      // Somebody was quicker with this name: take the next.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST' && existsSync(dir)) continue;
      throw new RecordFault(`cannot make the run folder ${dir}: ${reasonOf(error)}`, { cause: error });
    }
    const folder = folderOf(dir);
    mkdirSync(folder.journal);
    return folder;
  }
}

/** A run by path, by name under `parent`, or `latest`: the newest that is no fork, which is a look at a run and not the next one. Throws ConfigFault naming what is there. */
export function findFolder(parent: string, run: string): RunFolder {
  if (run === 'latest') {
    const folders = listFolders(parent);
    const last = folders.findLast(({ journal }) => parentIn(journal) === null) ?? folders.at(-1);
    if (last === undefined) throw new ConfigFault(`no run in ${resolve(parent)}`);
    return last;
  }
  for (const dir of [resolve(run), resolve(parent, run)]) {
    if (isRun(dir)) return folderOf(dir);
  }
  const names = listFolders(parent).map((folder) => folder.name);
  const there = names.length === 0 ? `there is no run in ${resolve(parent)}` : `in ${resolve(parent)}: ${names.slice(-10).join(', ')}`;
  throw new ConfigFault(`no run "${run}"; ${there}`);
}

/** Every run under `parent`, oldest first. One that is removed meanwhile is none. */
export function listFolders(parent: string): RunFolder[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .flatMap((name) => {
      const dir = join(parent, name);
      const since = beginningOf(dir);
      return since === null ? [] : [{ dir, since }];
    })
    .toSorted((a, b) => a.since - b.since || (a.dir < b.dir ? -1 : 1))
    .map(({ dir }) => folderOf(dir));
}

const isRun = (dir: string): boolean => beginningOf(dir) !== null;

/** Milliseconds; null of what is no run. In one look: between two it may be removed. */
function beginningOf(dir: string): number | null {
  const stat = statSync(join(dir, 'journal'), { throwIfNoEntry: false });
  return stat?.isDirectory() === true ? stat.birthtimeMs : null;
}

const elsewhere = 'choose another with --set record.dir=<folder>';
const reasons: Readonly<Record<string, string>> = {
  ENOTDIR: `a part of the path is a file; ${elsewhere}`,
  EEXIST: `a part of the path is a file; ${elsewhere}`,
  EACCES: `no permission to write there; ${elsewhere}`,
  EPERM: `no permission to write there; ${elsewhere}`,
  EROFS: `the file system is read-only; ${elsewhere}`,
  ENOSPC: 'no space left on the device',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? ''] ?? message;
}
