/** Where a run can be watched: the address of a viewer that is up for its folder, one of the run's own, or the command that starts one. Starts nothing unless it is told to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { boundary, ThreadFault } from '../errors.ts';
import type { RunFolder } from '../record/folder.ts';
import { systemClock } from '../actors/clock.ts';

/** Ports a viewer takes where none was asked for. */
export const firstPort = 4600;
export const lastPort = 4619;

/** A viewer that is there answers at once; nobody is made to wait for one that is not. */
const probeMs = 300;
/** How many of the ports are asked. */
const probed = 8;
const startMs = 15_000;

const About = z.object({ name: z.literal('troupe'), dir: z.string() });
const Started = z.object({ url: z.string() });

/** Of the run's page in a viewer that is up; null where there is none. */
export async function addressOf(folder: RunFolder): Promise<string | null> {
  const dir = realpathSync(dirname(folder.dir));
  const ports = Array.from({ length: probed }, (_, index) => firstPort + index);
  const found = await Promise.all(ports.map((port) => shows(port, dir)));
  const at = found.indexOf(true);
  return at === -1 ? null : `http://127.0.0.1:${ports[at]}/runs/${encodeURIComponent(folder.name)}`;
}

async function shows(port: number, dir: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/about`, { signal: AbortSignal.timeout(probeMs) });
    const about = About.safeParse(await response.json());
    return about.success && realpathSync(about.data.dir) === dir;
  } catch {
    // Nobody there, or somebody else.
    return false;
  }
}

export interface OwnViewer {
  readonly url: string;
  close(): void;
}

/** A viewer in a process of its own, so that it can neither slow nor end the run. Rejects with ThreadFault where it does not come up. */
export async function openViewer(folder: RunFolder): Promise<OwnViewer> {
  return boundary(ThreadFault, 'the viewer did not start', async () => {
    const args = [process.argv[1] as string, 'view', folder.dir, '--json', '--quiet', '--until-stdin-ends'];
    // Of the same session as the run, or its lower priority would not count beside it. It goes when its stdin does.
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const close = (): void => {
      child.stdin.end();
      child.stdout.destroy();
      child.unref();
    };
    child.stdin.on('error', () => undefined);
    const lines = createInterface(child.stdout);
    const late = new AbortController();
    const recall = systemClock.after(startMs, () => late.abort());
    try {
      const line = await Promise.race([
        once(lines, 'line', { signal: late.signal }).then(([first]) => String(first)),
        once(child, 'exit', { signal: late.signal }).then(([code]) => Promise.reject(new Error(`it ended with ${code}`))),
        once(child, 'error', { signal: late.signal }).then(([error]) => Promise.reject(error as Error)),
      ]);
      child.unref();
      return { url: Started.parse(JSON.parse(line)).url, close };
    } catch (error) {
      close();
      throw error;
    } finally {
      recall();
      late.abort();
    }
  });
}
