/**
 * One writer per run: `lock.<epoch>` in the run's folder names the process that holds it. Knows nothing of journals.
 * Epochs only rise, and a file is created whole or not at all (hard link), so two processes that find the same dead holder cannot both win.
 */
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { RecordFault } from '../errors.ts';

const Holder = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** Start time of the process in kernel ticks, where the system tells it: a reused pid is then not mistaken for the holder. */
  born: z.string().nullable(),
  released: z.boolean(),
});
type Holder = z.infer<typeof Holder>;

export interface RunLock {
  /** Rises with every process that ever wrote this run. */
  readonly epoch: number;
  release(): void;
}

/** Takes the run's lock, a dead holder's too. Throws RecordFault naming the living holder. */
export function lockRun(dir: string): RunLock {
  const newest = epochsIn(dir).at(-1);
  if (newest !== undefined) refuseLiving(dir, newest);
  const epoch = (newest ?? 0) + 1;
  const file = join(dir, `lock.${epoch}`);
  const holder: Holder = { pid: process.pid, host: hostname(), born: birthOf(process.pid), released: false };
  const draft = join(dir, `lock.draft.${process.pid}`);
  try {
    writeFileSync(draft, JSON.stringify(holder));
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') refuseLiving(dir, epoch);
    throw new RecordFault(`cannot lock the run ${dir}: ${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
  const later = epochsIn(dir).at(-1) ?? epoch;
  if (later > epoch) {
    rmSync(file, { force: true });
    refuseLiving(dir, later);
    throw new RecordFault(`the run ${dir} was taken by another process just now`);
  }
  for (const older of epochsIn(dir)) if (older < epoch) rmSync(join(dir, `lock.${older}`), { force: true });
  return {
    epoch,
    // The file stays, so that epochs keep rising.
    release: () => writeFileSync(file, JSON.stringify({ ...holder, released: true })),
  };
}

/** The pid that writes the run now, or null. */
export function writerOf(dir: string): number | null {
  const newest = epochsIn(dir).at(-1);
  const holder = newest === undefined ? null : holderOf(dir, newest);
  return holder !== null && isLiving(holder) ? holder.pid : null;
}

function refuseLiving(dir: string, epoch: number): void {
  const holder = holderOf(dir, epoch);
  if (holder === null || !isLiving(holder)) return;
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
  const remedy = where === '' ? 'stop it first' : `if that process is gone, remove ${join(dir, `lock.${epoch}`)}`;
  throw new RecordFault(`the run ${dir} is being written by process ${holder.pid}${where} (epoch ${epoch}); ${remedy}`);
}

function holderOf(dir: string, epoch: number): Holder | null {
  try {
    return Holder.parse(JSON.parse(readFileSync(join(dir, `lock.${epoch}`), 'utf8')));
  } catch {
    // Gone meanwhile, or emptied by a crash of the machine: nobody holds it.
    return null;
  }
}

function isLiving(holder: Holder): boolean {
  if (holder.released) return false;
  // Another machine's processes cannot be asked.
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = statOf(holder.pid);
  if (stat?.state === 'Z') return false;
  return stat === null || holder.born === null || stat.born === holder.born;
}

const birthOf = (pid: number): string | null => statOf(pid)?.born ?? null;

/** Fields 3 and 22 of /proc/<pid>/stat; null where there is no /proc. A killed process nobody has waited for is a Z. */
function statOf(pid: number): { state: string; born: string | null } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', born: fields[19] ?? null };
  } catch {
    return null;
  }
}

function epochsIn(dir: string): number[] {
  return readdirSync(dir)
    .flatMap((name) => (/^lock\.\d+$/.test(name) ? [Number(name.slice(5))] : []))
    .toSorted((a, b) => a - b);
}
