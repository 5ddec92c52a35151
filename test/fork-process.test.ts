/** Forks as a page has them played: each a process of its own, which is heard, ends when it is told to, and never outlives its time or its viewer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type SimulatedClock, simulatedClock } from '../src/actors/clock.ts';
import { forkPort } from '../src/cli/fork-process.ts';
import { unpack } from '../src/protocol/codec.ts';
import { RolloutGroup } from '../src/protocol/group.ts';
import { folderOf } from '../src/record/folder.ts';
import { writerOf } from '../src/record/lock.ts';
import { framesFrom } from '../src/record/reader.ts';
import type { ForkRequest, ForkState } from '../src/viewer/contract.ts';
import type { ForkWatch } from '../src/viewer/ports.ts';
import { entry } from './support/command-line.ts';
import { baseModel, scriptedRun } from './support/recipes.ts';
import { run } from './support/runs.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-fork-process-'));
const runs = join(root, 'runs');
const episode = 's00001.t000.e02';
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The program, but that whoever is asked in a fork thinks for longer than any test waits. */
const slow = join(root, 'slow.mjs');

beforeAll(async () => {
  baseModel(join(root, 'model'));
  expect(await run({ ...scriptedRun(root), steps: 1, eval: { at: [] } }, root)).toMatchObject({ code: 0 });
  const sets = ['engine.scripted.slow=1', 'engine.scripted.slowMs=50000'].flatMap((set) => ['--set', set]);
  writeFileSync(
    slow,
    `const at = process.argv.indexOf('--');
if (at > 0) process.argv.splice(at, 0, ...${JSON.stringify(sets)});
await import(${JSON.stringify(pathToFileURL(entry).href)});`,
  );
});

interface Heard {
  run: string | null;
  readonly said: string[];
}
function watching(signal = new AbortController().signal): ForkWatch & { readonly heard: Heard } {
  const heard: Heard = { run: null, said: [] };
  return { signal, begun: (name) => void (heard.run = name), said: (text) => void heard.said.push(text), heard };
}
const real = forkPort(runs, { program: [entry] });
const lastOf = (name: string): unknown => [...framesFrom(folderOf(join(runs, name)).journal)].at(-1)?.frame;
const asked = (changes: Partial<ForkRequest> = {}): ForkRequest => ({ run: 'scripted', episode, turn: 1, ...changes });

/** In place of the program: a script of ours, which begins by telling its process id. */
function scripted(body: string, clock?: SimulatedClock): ReturnType<typeof forkPort> {
  const file = join(root, `program-${readdirSync(root).length}.mjs`);
  writeFileSync(file, `console.error('pid ' + process.pid);\n${body}`);
  return forkPort(runs, { program: [file], ...(clock === undefined ? {} : { clock }) });
}
const pidIn = ({ said }: Heard): number => Number(said.find((text) => text.startsWith('pid '))?.slice(4));
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
/** Does nothing, whatever it is told. */
const deaf = "process.on('SIGTERM', () => {}); process.on('SIGINT', () => {}); setInterval(() => {}, 1000);";

describe('a fork in a process of its own', () => {
  test('is played as asked, and told where it is recorded', async () => {
    const watch = watching();
    await real.play(asked({ turn: 2, seed: 9, set: ['engine.scripted.skill=0'] }), watch);
    expect(watch.heard.run).toMatch(/^scripted-fork/);
    const frames = [...framesFrom(folderOf(join(runs, watch.heard.run as string)).journal)].map(({ frame }) => frame);
    expect(frames[0]).toMatchObject({
      parent: { run: 'scripted', episode, turn: 2 },
      config: { seed: 9, engine: { scripted: { skill: 0 } } },
    });
    expect(frames.flatMap((frame) => (frame.kind === 'group.sealed' ? RolloutGroup.parse(unpack(frame.bytes)).episodes : []))).toHaveLength(
      1,
    );
  });

  test.each([
    [{ version: 5 }, /^policy version 5 of scripted is not kept any more; kept are 0, 1/],
    [{ run: '../runs/scripted' }, /^there is no run/],
    [{ set: ['engine.scripted.skill=7'] }, /engine\.scripted\.skill: 7 is not allowed; expected a number from 0 to 1/],
    [{ set: ['record.dir=/tmp'] }, /^record\.dir cannot be changed from the page/],
    [{ set: ['roles.tool=lm'] }, /a language model plays it on a server only/],
  ])('that cannot be played as %j is refused in the words of the command, and leaves no folder', async (changes, reason) => {
    const before = readdirSync(runs);
    await expect(real.play(asked(changes), watching())).rejects.toThrow(reason);
    expect(readdirSync(runs)).toEqual(before);
  });

  test('that is cancelled ends well: its record says that it was interrupted', async () => {
    const cancel = new AbortController();
    const watch = watching(cancel.signal);
    const played = forkPort(runs, { program: [slow] }).play(asked(), watch);
    await expect.poll(() => watch.heard.run, { timeout: 20_000 }).not.toBeNull();
    cancel.abort();
    await expect(played).rejects.toThrow('it was cancelled');
    expect(lastOf(watch.heard.run as string)).toMatchObject({ kind: 'run.halted', reason: 'interrupted' });
  });

  test('that does not end at its deadline is killed, and said to be late with what it last said', async () => {
    const clock = simulatedClock();
    const watch = watching();
    const played = scripted(`${deaf} console.error('the server starts');`, clock).play(asked(), watch);
    const refused = expect(played).rejects.toThrow(/had not ended after 720 s .*it last said: the server starts/);
    await expect.poll(() => watch.heard.said.at(-1), { timeout: 20_000 }).toBe('the server starts');
    clock.advance(719_999);
    expect(isAlive(pidIn(watch.heard))).toBe(true);
    clock.advance(1);
    clock.advance(5000);
    await refused;
    expect([isAlive(pidIn(watch.heard)), clock.armed]).toEqual([false, 0]);
  });

  test.each([
    [
      "console.error('EngineFault: no server answers\\n  because: refused'); process.exitCode = 4;",
      /^no server answers\nbecause: refused$/,
    ],
    ["process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);", /^pid \d+$/],
    ["console.log('not json');", /^pid \d+$/],
  ])('that fails rejects with what it said last: %s', async (body, reason) => {
    await expect(scripted(body).play(asked(), watching())).rejects.toThrow(reason);
  });
});

describe('a viewer that goes', () => {
  /** One that listens, with a fork that is being played and the process that plays it. */
  async function playing(): Promise<{ viewer: ChildProcess; pid: number; fork: string }> {
    const viewer = spawn(process.execPath, [slow, 'view', runs, '--port', '0', '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(createInterface(viewer.stdout), 'line')) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const home = new URL(url).origin;
    const cookie = ((await fetch(home)).headers.get('set-cookie') ?? '').split(';')[0] as string;
    const response = await fetch(`${home}/api/actions/fork`, {
      method: 'POST',
      headers: { origin: home, cookie },
      body: JSON.stringify(asked()),
    });
    expect(response.status).toBe(202);
    const state = async (): Promise<ForkState> => ((await (await fetch(`${home}/api/forks`)).json()) as ForkState[])[0] as ForkState;
    await expect.poll(async () => (await state()).run, { timeout: 20_000 }).not.toBeNull();
    const fork = (await state()).run as string;
    return { viewer, fork, pid: writerOf(join(runs, fork)) as number };
  }

  test('by Ctrl-C ends its fork first, and leaves no process behind', async () => {
    const { viewer, pid, fork } = await playing();
    expect(isAlive(pid)).toBe(true);
    viewer.kill('SIGINT');
    const [code] = (await once(viewer, 'exit')) as [number];
    expect([code, isAlive(pid)]).toEqual([0, false]);
    expect(lastOf(fork)).toMatchObject({ kind: 'run.halted', reason: 'interrupted' });
  });

  test('by SIGKILL takes its fork with it', async () => {
    const { viewer, pid, fork } = await playing();
    viewer.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
    expect(lastOf(fork)).toMatchObject({ kind: 'run.halted', reason: 'interrupted' });
  });
});
