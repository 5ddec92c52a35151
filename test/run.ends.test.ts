/** How runs end that are not simply done: budgets, losses, a disk that fills up, things that changed while the run lay still. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ConfigInput } from '../src/config.ts';
import { entry } from './support/command-line.ts';
import { baseModel, scriptedRun } from './support/recipes.ts';
import { type Ended, paidTwice, type Remains, remainsOf, run, start, written } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-ends-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const untested: ConfigInput = { ...scriptedRun(root), eval: { at: [] } };
const dirOf = (name: string): string => join(root, 'runs', name);
const resume = (name: string, ...flags: string[]): Promise<Ended> => start(['resume', dirOf(name), '--json', ...flags], root).ended;
const summaryIn = ({ out }: Ended): unknown => JSON.parse(out);

let done: Remains;
beforeAll(async () => {
  baseModel(join(root, 'model'));
  expect((await run({ ...untested, name: 'done' }, root)).code).toBe(0);
  done = remainsOf(dirOf('done'));
});

describe('a budget', () => {
  test('of tokens ends the run cleanly after the step that spent it, and resumed it stays spent', async () => {
    const ended = await run({ ...untested, name: 'tokens', budget: { tokens: 1 } }, root, '--json');
    expect([ended.code, summaryIn(ended)]).toEqual([0, expect.objectContaining({ ended: 'budget', steps: 1 })]);
    const resumed = await resume('tokens');
    expect([resumed.code, summaryIn(resumed)]).toEqual([0, expect.objectContaining({ ended: 'budget', steps: 1 })]);
  });

  test('of minutes ends the run cleanly between two steps', async () => {
    const ended = await run({ ...untested, name: 'minutes', steps: 100_000, budget: { minutes: 0.02 } }, root, '--json');
    expect([ended.code, summaryIn(ended)]).toEqual([0, expect.objectContaining({ ended: 'budget' })]);
  });
});

test.each([
  { what: 'fails', faults: { error: 1 } },
  { what: 'hangs', faults: { hang: 1 } },
])('a run whose engine always $what pauses with the reason and 1, again when resumed, and never hangs', async ({ what, faults }) => {
  const deadlines = { turnMs: 200, episodeMs: 400, groupMs: 600, stepMs: 30_000 };
  const config: ConfigInput = {
    ...untested,
    name: what,
    engine: { kind: 'scripted', scripted: faults },
    rollout: { tasks: 2, group: 2, attempts: 1, deadlines },
  };
  for (const ended of [await run(config, root, '--json'), await resume(what)]) {
    const detail = expect.stringContaining('100.0 % of the episodes of the last step were lost') as string;
    expect([ended.code, summaryIn(ended)]).toEqual([1, expect.objectContaining({ ended: 'paused', detail })]);
  }
});

test('a disk that has no room for a checkpoint ends the run with 3, and with room again it ends as it would have', async () => {
  const file = written({ ...untested, name: 'full' }, root);
  // 1024-byte blocks that any one file may have; a write beyond fails as on a full disk.
  const { status, stderr } = spawnSync('bash', ['-c', `ulimit -f 600; exec "${process.execPath}" "${entry}" ${file} --quiet`], {
    cwd: root,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([3, expect.stringMatching(/RecordFault: .*checkpoints.*EFBIG/)]);
  expect((await resume('full')).code).toBe(0);
  expect(remainsOf(dirOf('full'))).toEqual(done);
});

describe('a run that lay still', () => {
  test('repeats the last step from its record when its checkpoint is damaged, and pays for no call again', async () => {
    cpSync(dirOf('done'), dirOf('damaged'), { recursive: true });
    const weights = join(dirOf('damaged'), 'checkpoints', 's00003', 'weights', 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] as number) ^ 1;
    writeFileSync(weights, bytes);
    expect((await resume('damaged')).code).toBe(0);
    expect(remainsOf(dirOf('damaged'))).toEqual(done);
    expect(paidTwice(dirOf('damaged'))).toEqual([]);
  });

  test('refuses to go on with other tools than it began with', async () => {
    const tools = join(root, 'tools.json');
    cpSync('test/fixtures/tools/toolbench.json', tools);
    expect((await run({ ...untested, name: 'tooled', steps: 1, tools }, root)).code).toBe(0);
    rmSync(join(dirOf('tooled'), 'checkpoints'), { recursive: true });
    writeFileSync(tools, readFileSync(tools, 'utf8').replaceAll('ferry', 'boat').replaceAll('Ferries', 'Boats'));
    const { code, err } = await resume('tooled');
    expect([code, err]).toEqual([2, expect.stringContaining('the tools or the program have changed since')]);
  });

  test('says that its model is gone', async () => {
    cpSync(join(root, 'model'), join(root, 'lent'), { recursive: true });
    expect((await run({ ...untested, name: 'orphan', steps: 1, policy: { model: join(root, 'lent') } }, root)).code).toBe(0);
    rmSync(join(root, 'lent'), { recursive: true });
    const { code, err } = await resume('orphan', '--set', 'steps=2');
    expect([code, err]).toEqual([2, expect.stringContaining('lent')]);
  });
});
