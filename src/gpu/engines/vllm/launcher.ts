/**
 * A server that Troupe starts itself: watched, started again when it dies or falls silent, and ended with us. Knows a process and one question to ask it;
 * what runs and with which flags is in its command.
 */
import { createServer } from 'node:net';
import { asFault, ConfigFault, EngineFault } from '../../../errors.ts';
import type { Clock } from '../../clock.ts';
import { askOne, isAlive } from './health.ts';
import { openHttp } from './http.ts';
import { openServerLog } from './log.ts';
import { type ServerProcess, startServer } from './process.ts';

export interface LaunchOptions {
  /** For messages. Default `the vLLM server`. */
  readonly name?: string;
  /** The words to execute; the port is the launcher's to say, so that a free one can be taken. */
  readonly command: (port: number) => readonly string[];
  /** Beside the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** 0 = a free one. */
  readonly port: number;
  /** Name of the frozen base, which must answer. */
  readonly servedModel: string;
  /** Where its output is appended. */
  readonly logFile: string;
  readonly clock: Clock;
  /** Milliseconds until a started server must have answered one token. */
  readonly startMs: number;
  /** Bytes of the log file before a new one is begun. Default 16 MiB. */
  readonly logBytes?: number;
  /** Milliseconds between two questions whether it still answers; 0 = it is only watched for its death. Default 30,000. */
  readonly healthMs?: number;
  /** Milliseconds such a question may take, load included; the second in a row that is not answered ends the server. Default 120,000. */
  readonly answerMs?: number;
  /** First pause before it is started again, in ms; doubles. Default 1,000. */
  readonly backoffMs?: number;
  /** Starts in a row that may fail, or serve for less than ten minutes. Default 5. */
  readonly attempts?: number;
  /** Milliseconds from SIGTERM to SIGKILL. Default 10,000. */
  readonly graceMs?: number;
  onLine?(line: string): void;
  /** It died or fell silent, and is started again. */
  onRestart?(reason: string): void;
  /** Started again, it has answered. */
  onReturn?(): void;
  /** It will not be started again. */
  onFault?(fault: EngineFault): void;
}

export interface LaunchedServer {
  /** The same after a restart. Rejects with ConfigFault where no port could be had. */
  readonly url: string;
  /** Resolves when the server has answered one token, after a restart when it has again. Rejects with EngineFault, the last lines of its output in the message. */
  ready(): Promise<void>;
  readonly restarts: number;
  /** Process id of what holds the server, while one runs. */
  readonly pid: number | undefined;
  /** Ends the server and all its children; resolves when they are gone. */
  close(): Promise<void>;
}

/** A server that served this long before it died starts its count of failures anew. */
const SETTLED_MS = 600_000;
const POLL_MS = 250;

export async function launchVllm(options: LaunchOptions): Promise<LaunchedServer> {
  const { name = 'the vLLM server', clock, servedModel, startMs, logFile } = options;
  const { logBytes = 16 * 1024 * 1024, healthMs = 30_000, answerMs = 120_000, backoffMs = 1_000, attempts = 5, graceMs = 10_000 } = options;
  const port = await freePort(options.port);
  const command = options.command(port);
  if (command.length === 0) throw new ConfigFault('engine.vllm.command is empty');
  const url = `http://127.0.0.1:${port}`;
  const log = openServerLog(logFile, logBytes, options.onLine?.bind(options));
  const http = openHttp({ url, connections: 2, replyBytes: 1024 * 1024, clock });
  const life = new AbortController();
  let server: ServerProcess | undefined;
  let restarts = 0;
  let served = false;

  const faultOf = (what: string): EngineFault => {
    const lines = log.tail.slice(-8).map((line) => `  ${line}`);
    return new EngineFault(`${name} ${what}; its output is in ${logFile}${lines.length === 0 ? '' : `, and ends\n${lines.join('\n')}`}`, {
      raw: log.tail.join('\n').slice(-2000),
      trouble: 'unreachable',
    });
  };

  /** Resolves when it answers; rejects with what happened instead. */
  const answers = async ({ gone }: ServerProcess): Promise<void> => {
    const due = clock.now() + startMs;
    let died: string | undefined;
    const attempt = gone.then((how) => (died = how));
    for (;;) {
      const last = await askOne(http, servedModel, Math.min(answerMs, Math.max(1, due - clock.now())), life.signal).then(
        () => undefined,
        (error: unknown) => asFault(EngineFault, 'health', error).message,
      );
      if (last === undefined) return;
      if (life.signal.aborted) throw new EngineFault(`${name} was closed`, { trouble: 'refused' });
      if (died !== undefined) throw faultOf(`did not start: ${died}`);
      if (clock.now() >= due) throw faultOf(`did not answer within ${Math.round(startMs / 1000)} s (${last})`);
      await Promise.race([wait(clock, POLL_MS, life.signal), attempt]);
    }
  };

  /** Resolves with why it must be started again. */
  const fails = async ({ gone }: ServerProcess): Promise<string> => {
    let died: string | undefined;
    const attempt = gone.then((how) => (died = how));
    for (let silent = 0; ;) {
      await Promise.race([healthMs === 0 ? attempt : wait(clock, healthMs, life.signal), attempt]);
      if (died !== undefined || life.signal.aborted) return died ?? 'closed';
      silent = (await isAlive(http, servedModel, answerMs, life.signal)) ? 0 : silent + 1;
      if (silent >= 2) return `it did not answer two questions of ${Math.round(answerMs / 1000)} s`;
    }
  };

  /** One that has answered nobody yet has nothing to lose: Ctrl-C does not wait for it. */
  const ended = (mine: ServerProcess): Promise<void> => (served ? mine.end() : mine.kill());

  const live = async (): Promise<void> => {
    for (let failures = 0; !life.signal.aborted;) {
      const began = clock.now();
      const mine = startServer({ command, env: options.env, graceMs, clock, onOutput: (chunk) => log.write(chunk) });
      server = mine;
      try {
        await answers(mine);
        if (served) options.onReturn?.();
        served = true;
        settle.resolve();
        const why = await fails(mine);
        if (life.signal.aborted) return;
        settle = newSettle();
        failures = clock.now() - began > SETTLED_MS ? 1 : failures + 1;
        if (failures >= attempts) throw faultOf(`failed ${failures} times in a row: ${why}`);
        options.onRestart?.(why);
      } catch (error) {
        const fault = asFault(EngineFault, name, error) as EngineFault;
        failures += 1;
        // One that never served has a wrong flag or no memory: that does not pass by waiting.
        if (life.signal.aborted || !served || failures >= attempts) {
          await ended(mine);
          settle.reject(fault);
          if (!life.signal.aborted) options.onFault?.(fault);
          return;
        }
        options.onRestart?.(fault.message);
      }
      // It is dead, or answers nobody: there is nothing to be gentle with.
      await mine.kill();
      server = undefined;
      await wait(clock, backoffMs * 2 ** (failures - 1), life.signal);
      if (!life.signal.aborted) restarts += 1;
    }
  };

  let settle = newSettle();
  const living = live();
  return {
    url,
    ready: () => settle.promise,
    get restarts() {
      return restarts;
    },
    get pid() {
      return server?.pid;
    },
    close: async () => {
      life.abort();
      await http.close();
      if (server !== undefined) await ended(server);
      await living;
      settle.reject(new EngineFault(`${name} was closed`, { trouble: 'refused' }));
      log.close();
    },
  };
}

interface Settle {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(fault: unknown): void;
}

function newSettle(): Settle {
  let resolve!: () => void;
  let reject!: (fault: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever asks is told; that nobody asked is no error.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** Resolves early when aborted. */
function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = (): void => {
      disarm();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const disarm = clock.after(ms, wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}

/** The port asked for, or any; free just now, so that no other server is taken for ours. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => reject(new ConfigFault(`engine.vllm.port ${wanted} on 127.0.0.1 cannot be had: ${why}`));
    const probe = createServer();
    probe.once('error', (error) => refuse(error.message));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : refuse('no address')));
    });
  });
}
