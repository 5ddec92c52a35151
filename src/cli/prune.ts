/** `prune <run>`: what a run's folder holds, and what of it can go. Removes only when told to, and never what `resume` needs. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { RecordFault } from '../errors.ts';
import { listCheckpoints, pruneCheckpoints, readCheckpoint } from '../gpu/checkpoint.ts';
import { findFolder, type RunFolder } from '../record/folder.ts';
import { lockRun, writerOf } from '../record/lock.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { byteSize, table } from './table.ts';

interface Holding {
  readonly what: string;
  readonly bytes: number;
  readonly verdict: string;
  /** Removes it; null = it stays. */
  readonly remove: (() => void) | null;
}

export const pruneCommand = (): Command =>
  withOutput(
    new Command('prune').description('show what a run’s folder holds and what can go').argument('<run>', 'its folder, its name, or latest'),
  )
    .option('--yes', 'remove what can go', false)
    .option('--keep <n>', 'checkpoints to keep', '1')
    .option('--dir <folder>', 'where runs lie', 'runs')
    .action((run: string, flags: Flags & { yes: boolean; keep: string; dir: string }) =>
      carryOut(flags, (terminal) => {
        const folder = findFolder(flags.dir, run);
        const pid = writerOf(folder.dir);
        if (flags.yes && pid !== null) throw new RecordFault(`the run ${folder.dir} is being written by process ${pid}; stop it first`);
        const holdings = holdingsOf(folder, Math.max(1, Number.parseInt(flags.keep, 10) || 1));
        const lock = flags.yes ? lockRun(folder.dir) : null;
        try {
          if (lock !== null) for (const { remove } of holdings) remove?.();
        } finally {
          lock?.release();
        }
        const free = holdings.reduce((sum, { remove, bytes }) => sum + (remove === null ? 0 : bytes), 0);
        if (flags.json)
          terminal.out(
            JSON.stringify({
              v: 1,
              run: folder.name,
              removed: flags.yes,
              free,
              holdings: holdings.map(({ what, bytes, verdict, remove }) => ({ what, bytes, verdict, removable: remove !== null })),
            }),
          );
        else {
          terminal.out(
            table(
              ['what', 'size', 'verdict'],
              holdings.map(({ what, bytes, verdict }) => [what, byteSize(bytes), verdict]),
            ),
          );
          terminal.out(`\n${byteSize(free)} ${flags.yes ? 'removed' : free > 0 ? 'can go: add --yes' : 'can go'}`);
        }
        return 0;
      }),
    );

function holdingsOf(folder: RunFolder, keep: number): Holding[] {
  const old = new Set(pruneCheckpoints(folder.checkpoints, { last: keep, every: 0 }, { dryRun: true }));
  // The newest that verifies stays whatever else: resume goes on from it.
  const sound = listCheckpoints(folder.checkpoints).findLast((step) => readCheckpoint(folder.checkpoints, step) !== null);
  const checkpoints = namesIn(folder.checkpoints).map((name): Holding => {
    const path = join(folder.checkpoints, name);
    const removable = name.startsWith('.') || (old.has(name as never) && name !== sound);
    const verdict = name.startsWith('.')
      ? 'left by an interrupted write'
      : name === sound
        ? 'needed to resume'
        : removable
          ? 'older than the newest'
          : 'kept';
    return {
      what: `checkpoints/${name}`,
      bytes: sizeOf(path),
      verdict,
      remove: removable ? () => rmSync(path, { recursive: true, force: true }) : null,
    };
  });
  const rest = namesIn(folder.dir)
    .filter((name) => name !== 'checkpoints' && name !== 'journal')
    .map((name): Holding => ({ what: name, bytes: sizeOf(join(folder.dir, name)), verdict: verdicts[name] ?? 'kept', remove: null }));
  const cuts = namesIn(folder.journal).filter((name) => name.endsWith('.cut'));
  const journal: Holding = {
    what: 'journal',
    bytes: sizeOf(folder.journal) - cuts.reduce((sum, name) => sum + sizeOf(join(folder.journal, name)), 0),
    verdict: 'the run itself: show, resume and all files are made from it',
    remove: null,
  };
  const damaged = cuts.map((name): Holding => {
    const path = join(folder.journal, name);
    return { what: `journal/${name}`, bytes: sizeOf(path), verdict: 'damaged, cut off by repair', remove: () => rmSync(path) };
  });
  return [journal, ...damaged, ...checkpoints, ...rest];
}

const verdicts: Readonly<Record<string, string>> = {
  'episodes.jsonl': 'made from the journal',
  'metrics.jsonl': 'made from the journal',
  'timings.jsonl': 'wall times',
  'config.yaml': 'as the run began',
  'summary.json': 'the closing line',
};

const namesIn = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir).toSorted() : []);

function sizeOf(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
