/** One server process behind its warden: started, read, ended. Knows no port and no protocol, and starts nothing again. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../clock.ts';
import { artifact } from '../embedded/artifact.ts';

export interface ServerProcess {
  /** Of the warden. */
  readonly pid: number | undefined;
  /** Resolves with how it ended, when it has. */
  readonly gone: Promise<string>;
  /** Ends the server and all its children; resolves when they are gone. */
  end(): Promise<void>;
  /** The same by SIGKILL at once: for one that answers nobody. */
  kill(): Promise<void>;
}

export interface ProcessOptions {
  /** The words to execute, without a shell. */
  readonly command: readonly string[];
  /** Beside the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Of its two outputs, as they come. */
  onOutput(chunk: Buffer): void;
}

/** How long a process may take to go after SIGKILL. */
const KILL_MS = 5_000;
/** How long its children may be seen after it. */
const LINGER_MS = 1_000;

export function startServer({ command, env, graceMs, clock, onOutput }: ProcessOptions): ServerProcess {
  const warden = spawn(process.execPath, [fileURLToPath(artifact('../vllm/warden.js')), String(graceMs), ...command], {
    // Away from our terminal's Ctrl-C; its stdin is what tells it that we live.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  // It may end before we close it.
  warden.stdin.on('error', () => undefined);
  warden.stdout.on('data', onOutput);
  warden.stderr.on('data', onOutput);
  // Also where the warden itself was killed: its group holds the server and all its children.
  warden.once('exit', () => killGroup(warden.pid));
  const gone = new Promise<string>((resolve) => {
    warden.once('error', (error) => resolve(error.message));
    warden.once('close', (code, by) => resolve(by === null ? `it ended with code ${code}` : `it was ended by ${by}`));
  });
  const within = async (ms: number): Promise<void> => {
    // Nothing outlives SIGKILL but what hangs in the kernel: that is left to it.
    const stopWaiting = clock.after(ms + KILL_MS, () => warden.kill('SIGKILL'));
    await gone;
    stopWaiting();
    // Its children got the signal when it did, and may take a moment longer to go; one that nobody collects stays as a zombie, and is not waited for for long.
    for (const due = clock.now() + LINGER_MS; isGroup(warden.pid) && clock.now() < due;)
      await new Promise<void>((resolve) => void clock.after(5, resolve));
  };
  return {
    pid: warden.pid,
    gone,
    end: () => {
      warden.stdin.end();
      return within(graceMs);
    },
    kill: () => {
      warden.stdin.end('kill');
      return within(0);
    },
  };
}

function isGroup(leader: number | undefined): boolean {
  try {
    return leader !== undefined && process.kill(-leader, 0);
  } catch {
    return false;
  }
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
