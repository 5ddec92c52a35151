/** A viewer as a user starts it: the built command in a process of its own, over a folder of runs. Knows how it is started and ended, not what it shows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { entry } from './command-line.ts';

export interface ViewerProcess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly child: ChildProcess;
  /** On stderr so far. */
  readonly said: () => string;
  close(): Promise<void>;
}

const startMs = 60_000;

/** Resolves when it listens. Rejects with what it said where it does not come up. */
export async function startViewer(dir: string, ...flags: string[]): Promise<ViewerProcess> {
  // Goes with us, however we go: its stdin ends then.
  const args = [entry, 'view', dir, '--port', '0', '--json', '--until-stdin-ends', ...flags];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(startMs) }).then(([first]) => String(first)),
    ended.then(([code]) => Promise.reject(new Error(`the viewer ended with ${code}:\n${said}`))),
  ]);
  const { url } = JSON.parse(line) as { url: string };
  return {
    url: url.replace(/\/$/, ''),
    child,
    said: () => said,
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** Megabytes of memory that a process has now, and the most it ever had; null where the system does not tell. */
export function memoryOf({ pid }: ChildProcess): { readonly now: number; readonly peak: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const megabytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
    return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
  } catch {
    return null;
  }
}
