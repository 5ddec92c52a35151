/**
 * Forks as a page asks for them, each played by `replay` in a process of its own: a model, a server or a crash of it never sits in the viewer. It ends when its stdin does,
 * so that it goes with us however we go; one that does not, or is late, is killed. Knows the command line, not how an episode is played.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { type Clock, systemClock } from '../actors/clock.ts';
import type { Config } from '../config.ts';
import { boundary, CancelledFault, ConfigFault, ThreadFault } from '../errors.ts';
import { EpisodeId } from '../protocol/ids.ts';
import { listFolders, type RunFolder } from '../record/folder.ts';
import type { ForkRequest } from '../viewer/contract.ts';
import type { ForkPort, ForkWatch } from '../viewer/ports.ts';
import { configOfFork } from './fork.ts';
import { checkedChanges, forkChoices } from './fork-choices.ts';
import { printableLine } from './printable.ts';

/** Milliseconds to begin and to end in, beside what the episode itself may take. */
const marginMs = 120_000;
/** Milliseconds from being told to end to being killed. */
const graceMs = 5000;
/** Characters of what it says on stderr that are kept. */
const saidLimit = 16_384;

interface ForkOptions {
  /** What is put before `replay`: the program. */
  readonly program?: readonly string[];
  readonly clock?: Clock;
}

export function forkPort(dir: string, { program = [process.argv[1] as string], clock = systemClock }: ForkOptions = {}): ForkPort {
  /** One of those in `dir`, whatever else its name might lead to. */
  const runIn = (name: string): RunFolder => {
    const found = listFolders(dir).find((folder) => folder.name === name);
    if (found === undefined) throw new ConfigFault(`there is no run ${name} in ${dir}`);
    return found;
  };
  return {
    choices: (run, episode) => forkChoices(runIn(run), EpisodeId.parse(episode)),
    play: async (request, watch) => {
      const parent = runIn(request.run);
      // Before anything is started: what is wrong with a setting is said at once.
      const config = configOfFork(parent, EpisodeId.parse(request.episode), checkedChanges(request.set ?? []));
      await played([...program, ...argumentsOf(parent, request)], { deadlineMs: timeFor(config), clock }, watch);
    },
  };
}

const timeFor = ({ rollout, engine }: Config): number =>
  rollout.deadlines.groupMs + (engine.kind === 'vllm' ? engine.vllm.startMs : 0) + marginMs;

function argumentsOf(parent: RunFolder, { episode, turn, seed, version, set = [] }: ForkRequest): string[] {
  const number = (flag: string, value: number | undefined): string[] => (value === undefined ? [] : [flag, `${value}`]);
  return [
    'replay',
    '--run',
    parent.dir,
    ...number('--from', turn),
    ...number('--seed', seed),
    ...number('--version', version),
    ...set.flatMap((text) => ['--set', text]),
    '--json',
    '--until-stdin-ends',
    '--',
    episode,
  ];
}

/** What it says on stdout, a line each: where it is recorded, and that it was played. */
const Line = z.union([z.object({ begun: z.string() }), z.object({ v: z.literal(1), run: z.string() })]);

async function played(
  args: readonly string[],
  { deadlineMs, clock }: { readonly deadlineMs: number; readonly clock: Clock },
  { signal, begun, said }: ForkWatch,
): Promise<void> {
  // A group of its own: Ctrl-C is meant for the viewer, which then ends it.
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: { ...process.env, NO_COLOR: '1' } });
  // It may end before its stdin does.
  child.stdin.on('error', () => undefined);
  const heard = listen(child, { begun, said });
  let reason: 'cancelled' | 'late' | null = null;
  const recalls: (() => void)[] = [];
  const stop = (why: 'cancelled' | 'late'): void => {
    reason ??= why;
    child.stdin.end();
    recalls.push(clock.after(graceMs, () => child.kill('SIGKILL')));
  };
  const cancel = (): void => stop('cancelled');
  recalls.push(clock.after(deadlineMs, () => stop('late')));
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    const [code, killed] = (await boundary(ThreadFault, 'the process of the fork', () => once(child, 'exit'))) as [
      number | null,
      NodeJS.Signals | null,
    ];
    await heard.end();
    if (reason === 'late')
      throw new ThreadFault(
        `it was stopped: it had not ended after ${Math.round(deadlineMs / 1000)} s (rollout.deadlines.groupMs and the start of its engine)${heard.last() === '' ? '' : `; it last said: ${heard.last()}`}`,
      );
    if (reason !== null) throw new CancelledFault('it was cancelled');
    if (code !== 0 || !heard.isDone())
      throw new ThreadFault(heard.failure() ?? `its process ended with ${killed ?? code} and said nothing`);
  } finally {
    signal.removeEventListener('abort', cancel);
    for (const recall of recalls) recall();
  }
}

interface Heard {
  /** Whether it told of its end. */
  isDone(): boolean;
  last(): string;
  /** What it failed with, in its own words; null where it said nothing. */
  failure(): string | null;
  /** Resolves when all is heard that was said. */
  end(): Promise<void>;
}

function listen({ stdout, stderr }: ChildProcessByStdio<Writable, Readable, Readable>, { begun, said }: Omit<ForkWatch, 'signal'>): Heard {
  let isDone = false;
  let text = '';
  const results = createInterface(stdout);
  results.on('line', (line) => {
    const read = Line.safeParse(jsonOf(line));
    if (!read.success) return;
    if ('begun' in read.data) begun(read.data.begun);
    else isDone = true;
  });
  const words = createInterface(stderr);
  words.on('line', (line) => {
    text = `${text}${printableLine(line)}\n`.slice(-saidLimit);
    if (line.trim() !== '') said(printableLine(line));
  });
  const ends = Promise.all([once(results, 'close'), once(words, 'close')]);
  return {
    isDone: () => isDone,
    last: () => text.trimEnd().split('\n').at(-1) ?? '',
    failure: () => {
      const lines = text.trimEnd().split('\n');
      const at = lines.findLastIndex((line) => /^[A-Z]\w+Fault: /.test(line));
      const words = (at === -1 ? lines.slice(-3) : lines.slice(at)).join('\n').replace(/^[A-Z]\w+Fault: /, '');
      return words === '' ? null : words;
    },
    // Whoever it started may hold its pipes a little longer.
    end: async () => {
      let recall = (): void => undefined;
      await Promise.race([ends, new Promise<void>((resolve) => (recall = systemClock.after(500, resolve)))]);
      recall();
      stdout.destroy();
      stderr.destroy();
    },
  };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
