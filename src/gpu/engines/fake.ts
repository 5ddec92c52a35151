/** Starts the fake vLLM server as a process that dies with this one. Knows how it is started and spoken to, not what it does. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EngineFault } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { FaultPlan } from './fake/faults.ts';
import type { FakeStats } from './fake/pages.ts';
import { flagsOf, type FakeOptions } from './fake/settings.ts';

export type { FaultPlan } from './fake/faults.ts';
export type { FakeStats } from './fake/pages.ts';
export type { FakeOptions } from './fake/settings.ts';

export interface LaunchOptions extends FakeOptions {
  readonly clock: Clock;
  /** 0 = a free one. */
  readonly port?: number;
  /** Milliseconds until it must listen. Default 10,000. */
  readonly patienceMs?: number;
}

export interface FakeServer {
  readonly url: string;
  readonly pid: number;
  /** Ends the process; resolves when it is gone. */
  close(): Promise<void>;
  /** Resolves when the process has ended, whoever ended it. */
  readonly gone: Promise<void>;
}

/** The words to execute for one at a port; 0 = a free one. It serves until its stdin ends. Run from source, as tests are, the process is still the built one. */
export function fakeCommand(options: FakeOptions, port: number): [string, ...string[]] {
  const file = fileURLToPath(new URL('./fake/server.js', import.meta.url)).replace(/([\\/])src([\\/]gpu[\\/]engines[\\/])/, '$1dist$2');
  return [process.execPath, file, '--port', String(port), ...flagsOf(options)];
}

/** Starts one and watches over nothing. Rejects with EngineFault where it does not listen in time. */
export function launchFake({ clock, patienceMs = 10_000, port = 0, ...options }: LaunchOptions): Promise<FakeServer> {
  return new Promise((resolve, reject) => {
    const [program, ...words] = fakeCommand(options, port);
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    const gone = new Promise<void>((settle) => {
      child.once('close', () => settle());
    });
    let heard = '';
    let complaint = '';
    const fail = (why: string): void => {
      disarm();
      child.kill('SIGKILL');
      reject(new EngineFault(`the fake server did not start: ${why}`, { raw: complaint, trouble: 'unreachable' }));
    };
    const disarm = clock.after(patienceMs, () => fail(`nothing heard of it in ${patienceMs} ms`));
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`it ended with ${code}: ${complaint.trim().split('\n').at(-1) ?? ''}`));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4000);
    });
    child.stdin.on('error', () => undefined);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
      const line = /^\{"url":"([^"]+)"\}$/m.exec(heard);
      if (line === null) return;
      disarm();
      child.removeAllListeners('exit');
      child.stdout.removeAllListeners('data').resume();
      resolve({
        url: line[1] as string,
        pid: child.pid as number,
        gone,
        close: async () => {
          child.kill('SIGKILL');
          await gone;
        },
      });
    });
  });
}

/** What the server at `url` did so far. */
export const fakeStats = async (url: string, signal: AbortSignal): Promise<FakeStats> =>
  (await (await fetch(`${url}/fake/stats`, { signal })).json()) as FakeStats;

/** Has the server at `url` go wrong as planned from now on. Rejects where the plan cannot be read. */
export async function planFaults(url: string, plan: FaultPlan, signal: AbortSignal): Promise<void> {
  const reply = await fetch(`${url}/fake/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(plan),
    signal,
  });
  if (!reply.ok) throw new EngineFault(`the fault plan was refused: ${await reply.text()}`, { trouble: 'refused' });
}
