/** `replay` as a user types it: proves a record, says where one is wrong, and plays an episode anew. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { pack } from '../src/protocol/codec.ts';
import { proofOf } from '../src/cli/proof.ts';
import type { Frame } from '../src/protocol/frame.ts';
import type { RunId } from '../src/protocol/ids.ts';
import { folderOf } from '../src/record/folder.ts';
import { Journal } from '../src/record/journal.ts';
import { framesFrom } from '../src/record/reader.ts';
import { type Said, troupe } from './support/command-line.ts';
import { baseModel, scriptedRun } from './support/recipes.ts';
import { run } from './support/runs.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-replay-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const replay = (...args: string[]): Said => troupe(['replay', ...args], { cwd: root });
const episode = 's00001.t000.e02';

beforeAll(async () => {
  baseModel(join(root, 'model'));
  expect(await run({ ...scriptedRun(root), steps: 1, eval: { at: [] } }, root)).toMatchObject({ code: 0 });
});

/** The run `scripted` once more under another name, with the frames that `change` makes of its own. */
async function retold(name: string, change: (frame: Frame) => Frame): Promise<void> {
  const [from, to] = [join(root, 'runs/scripted'), join(root, 'runs', name)];
  cpSync(from, to, { recursive: true });
  rmSync(join(to, 'journal'), { recursive: true });
  cpSync(join(from, 'journal'), join(to, 'journal'), { recursive: true, filter: (path) => !path.includes('journal/') });
  const journal = Journal.open(join(to, 'journal'), { run: 'scripted' as RunId });
  for (const { frame } of framesFrom(join(from, 'journal'))) journal.appendPacked(pack(change(frame)));
  await journal.close();
}

describe('replay without --from', () => {
  test('proves an episode, a group, a step and the whole run', () => {
    const folder = folderOf(join(root, 'runs/scripted'));
    const counts = [episode, 's00001.t000', 's00001', undefined].map((of) => {
      const { divergence, agreeing, events } = proofOf(folder, of);
      expect([divergence, agreeing]).toEqual([null, events]);
      return events;
    });
    expect(counts.toSorted((a, b) => a - b)).toEqual(counts);
    expect(new Set(counts).size).toBe(4);
  });

  test('ends with 1 where a state is not the recorded one, and says where', async () => {
    let told = 0;
    await retold('wrong', (frame) =>
      frame.kind !== 'events'
        ? frame
        : {
            ...frame,
            events: frame.events.map((event) =>
              event.actor === `${episode}/agent` && event.event.type === 'agent.sampled' && told++ === 0
                ? { ...event, state: 'deadbeef' }
                : event,
            ),
          },
    );
    const { code, out } = replay(episode, '--run', 'wrong');
    expect(code).toBe(1);
    expect(out).toMatch(
      /first divergence: event \d+, agent\.sampled of s00001\.t000\.e02\/agent: recorded deadbeef, the chart leads to [0-9a-f]{8} \("waiting"\)/,
    );
    expect(replay(episode, '--from', '2', '--run', 'wrong').err).toMatch(/leads elsewhere now/);
  });

  test('refuses a name that nothing has, and options of what is played anew', () => {
    expect(replay('s00009', '--run', 'scripted')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/nothing recorded is called s00009/) as string,
    });
    expect(replay(episode, '--run', 'scripted', '--version', '2')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--from/) as string,
    });
  });
});

describe('replay --from', () => {
  test('plays the same again by default, and says so; the fork can be shown and proven like any run', () => {
    const { code, out } = replay(episode, '--from', '1', '--run', 'scripted');
    expect(code).toBe(0);
    expect(out).toContain('it is what it was, to the last token');
    expect(troupe(['show', episode, '--run', 'scripted-fork'], { cwd: root }).out).toContain('outcome scored');
    expect(JSON.parse(replay('--run', 'scripted-fork', '--json').out)).toMatchObject({ run: 'scripted-fork', of: null, divergence: null });
  });

  test('takes seed, version and settings, and tells in JSON what came of it', () => {
    const args = ['--from', '2', '--seed', '5', '--version', '0', '--set', 'engine.scripted.skill=0'];
    const { code, out } = replay(episode, ...args, '--run', 'scripted', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      v: 1,
      episode,
      parent: { run: 'scripted', episode, turn: 2 },
      seed: 5,
      version: 0,
      same: false,
    });
  });

  test('takes who plays on as a shorthand for roles, and says where a model cannot', () => {
    expect(replay(episode, '--from', '1', '--simulator', 'tool=lm', '--run', 'scripted')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--set roles.tool=lm: roles.tool: a language model plays it on a server only') as string,
    });
    expect(replay(episode, '--from', '1', '--simulator', 'task=lm', '--run', 'scripted').err).toMatch(/expected user=, tool= or judge=/);
  });

  test('makes a fork that ls marks with its parent and its end, and that is not gone on with', () => {
    const { out } = troupe(['ls'], { cwd: root });
    expect(out).toMatch(/^run .* fork of *$/m);
    expect(out).toMatch(new RegExp(`^scripted-fork +done .* scripted ${episode.replaceAll('.', String.raw`\.`)} from turn 1 *$`, 'm'));
    expect(troupe(['resume', 'scripted-fork'], { cwd: root })).toMatchObject({
      code: 2,
      err: expect.stringContaining(`replay ${episode} --from 1 --run scripted`) as string,
    });
  });

  test('leaves the parent as it was', () => {
    const journal = (): unknown => [...framesFrom(join(root, 'runs/scripted/journal'))].length;
    const before = [journal(), readdirSync(join(root, 'runs/scripted')).toSorted()];
    expect(replay(episode, '--from', '1', '--seed', '8', '--run', 'scripted').code).toBe(0);
    expect([journal(), readdirSync(join(root, 'runs/scripted')).toSorted()]).toEqual(before);
  });

  test.each([
    [['--from', '99'], /has turns 0 to/],
    [['--from', '1', '--set', 'rollout.temperatur=1'], /temperature/],
    [['--from', 'two'], /expected a whole number/],
  ])('refuses %j with a reason', (args, reason) => {
    const { code, err } = replay(episode, ...args, '--run', 'scripted');
    expect([code, err]).toEqual([2, expect.stringMatching(reason)]);
  });
});
