/** Whole runs as a user starts them: the built command line in a process of its own, which may be killed at any moment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config.ts';
import { canaryGroup } from '../../src/gpu/policy-update-canary.ts';
import type { StepCommitted } from '../../src/protocol/policy.ts';
import { framesFrom } from '../../src/record/reader.ts';
import { recover } from '../../src/record/resume.ts';
import { entry } from './command-line.ts';
import { signalsIn } from './signals.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

export interface Process {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when `text` has been said on stderr; rejects when the process ends without it. */
  said(text: string): Promise<void>;
}

/** In `cwd`, without colour; `env` beside our own environment. */
export function start(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Process {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let [out, err] = ['', ''];
  let hear = (): void => undefined;
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    hear();
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as string | null, out, err }));
  return {
    child,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        hear = () => {
          if (err.includes(text)) resolve();
        };
        hear();
        void ended.then(() => reject(new Error(`it ended without saying ${text}:\n${err}`)));
      }),
  };
}

export const isAlive = ({ child }: Process): boolean => child.exitCode === null && child.signalCode === null;

/** Writes `config` as `<name>.yaml` in `cwd` and runs it to its end. */
export function run(config: ConfigInput, cwd: string, ...flags: string[]): Promise<Ended> {
  return start([written(config, cwd), '--quiet', ...flags], cwd).ended;
}

export function written(config: ConfigInput, cwd: string): string {
  const file = `${config.name}.yaml`;
  writeFileSync(join(cwd, file), stringify(config));
  return file;
}

/** What must be the same bytes for equal runs. */
export interface Remains {
  readonly episodes: string;
  readonly metrics: string;
  readonly commits: readonly StepCommitted[];
  /** Of the last checkpoint: file → sha256. */
  readonly files: Readonly<Record<string, string>>;
  /** What the trainer made of each token, by group: sha256. */
  readonly signals: Readonly<Record<string, string>>;
  readonly heldOut: unknown;
}

export function remainsOf(dir: string): Remains {
  const steps = readdirSync(join(dir, 'checkpoints')).toSorted();
  const manifest = JSON.parse(readFileSync(join(dir, 'checkpoints', steps.at(-1) as string, 'manifest.json'), 'utf8')) as {
    files: { path: string; sha256: string }[];
  };
  return {
    episodes: readFileSync(join(dir, 'episodes.jsonl'), 'utf8'),
    metrics: readFileSync(join(dir, 'metrics.jsonl'), 'utf8'),
    commits: recover(join(dir, 'journal'), () => true).commits,
    files: { steps: String(steps), ...Object.fromEntries(manifest.files.map(({ path, sha256 }) => [path, sha256])) },
    signals: Object.fromEntries(
      [...signalsIn(dir)].map(([group, { traces, version }]) => [
        group,
        traces.reduce((hash, { signals }) => hash.update(signals), createHash('sha256').update(String(version))).digest('hex'),
      ]),
    ),
    heldOut: (JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as { heldOut?: unknown }).heldOut ?? null,
  };
}

/** Model calls that were paid for more than once: replies in the journal under a key that has one already. The canary's are not counted: each process asks anew, on purpose. */
export function paidTwice(dir: string): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { frame } of framesFrom(join(dir, 'journal'))) {
    if (frame.kind !== 'call.reply' || frame.group === canaryGroup) continue;
    if (seen.has(frame.id)) twice.push(frame.id);
    seen.add(frame.id);
  }
  return twice;
}

/** Bytes in the journal; 0 where there is none yet. */
export function journalBytes(dir: string): number {
  const folder = join(dir, 'journal');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** When a process is killed. */
export type Moment =
  | { readonly kind: 'journal'; readonly bytes: number }
  | { readonly kind: 'time'; readonly ms: number }
  /** The checkpoint of this step is being written, or has just got its name. */
  | { readonly kind: 'writing' | 'named'; readonly step: string };

const name = (moment: Moment): string => Object.values(moment).join(' ');
export const nameOf = (moments: readonly Moment[]): string => moments.map(name).join(', then ');

/** Resolves with how it ended: by SIGKILL at the moment, or by itself before it. */
async function killedAt(moment: Moment, process: Process, dir: string): Promise<Ended> {
  const began = performance.now();
  const begun = journalBytes(dir);
  while (isAlive(process) && !hasCome(moment, dir, began, begun)) await new Promise((resolve) => setTimeout(resolve, 1));
  process.child.kill('SIGKILL');
  return process.ended;
}

/** Bytes and milliseconds count from the process's own start. */
function hasCome(moment: Moment, dir: string, began: number, begun: number): boolean {
  switch (moment.kind) {
    case 'journal':
      return journalBytes(dir) - begun >= moment.bytes;
    case 'time':
      return performance.now() - began >= moment.ms;
    case 'writing':
      return existsSync(join(dir, 'checkpoints', `.${moment.step}.partial`));
    case 'named':
      return existsSync(join(dir, 'checkpoints', moment.step));
    default:
      return moment satisfies never;
  }
}

const isBegun = (dir: string): boolean => journalBytes(dir) > 0 && [...framesFrom(join(dir, 'journal'))].length > 0;

/**
 * Runs `config` to its end, killed at each moment in turn and resumed after each. Returns how many of the kills came before the end.
 * A process that was killed before its journal said anything has left no run: it is started anew, as its message says.
 */
export async function survive(config: ConfigInput, cwd: string, moments: readonly Moment[]): Promise<number> {
  const dir = join(cwd, 'runs', config.name as string);
  const file = written(config, cwd);
  const next = (): readonly string[] => (isBegun(dir) ? ['resume', dir, '--quiet'] : [file, '--quiet']);
  let kills = 0;
  for (const moment of moments) {
    const { signal } = await killedAt(moment, start(next(), cwd), dir);
    if (signal === 'SIGKILL') kills++;
    if (!isBegun(dir)) rmSync(dir, { recursive: true, force: true });
  }
  const { code, err } = await start(next(), cwd).ended;
  if (code !== 0) throw new Error(`resumed after ${nameOf(moments)} it ended with ${code}:\n${err}`);
  return kills;
}
