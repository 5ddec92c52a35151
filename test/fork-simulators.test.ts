/** An episode played anew with other simulators: who plays on is what was asked for, who played before is asked nothing, and what cannot be is refused with the reason. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Forked, forkOf, playFork } from '../src/actors/fork.ts';
import { configOfFork } from '../src/cli/fork.ts';
import { checkedChanges, forkChoices } from '../src/cli/fork-choices.ts';
import { proofOf } from '../src/cli/proof.ts';
import type { ConfigInput } from '../src/config.ts';
import { pack, unpack } from '../src/protocol/codec.ts';
import type { Episode } from '../src/protocol/episode.ts';
import { RolloutGroup } from '../src/protocol/group.ts';
import { createFolder, folderOf, type RunFolder } from '../src/record/folder.ts';
import { framesFrom } from '../src/record/reader.ts';
import { start, written } from './support/runs.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-fork-simulators-'));
const runs = join(root, 'runs');
const { signal } = new AbortController();

/** On a fake server, so that a language model is there to be asked. `coded` has code in every role. */
const modelled: ConfigInput = {
  name: 'modelled',
  seed: 1,
  steps: 1,
  policy: { model: 'nobody/has-this' },
  engine: { kind: 'fake', scripted: { skill: 0.6 } },
  roles: { task: 'lm', user: 'lm', tool: 'lm', judge: 'lm' },
  tools: 'catalogue',
  trainer: { kind: 'torch', adapter: 'lora' },
  curriculum: { start: 40 },
  rollout: { tasks: 1, group: 3, maxTokens: 1024, contextLength: 16_384, workers: 1 },
  eval: { at: ['end'], levels: [25], tasks: 1 },
};
const coded: ConfigInput = { ...modelled, name: 'coded', roles: {}, tools: 'builtin', eval: { at: [] } };

beforeAll(async () => {
  const env = { HF_HOME: join(root, 'hub') };
  const ended = await Promise.all([modelled, coded].map((config) => start([written(config, root), '--quiet'], root, env).ended));
  expect(ended.map(({ code, err }) => [code, err])).toEqual([
    [0, ''],
    [0, ''],
  ]);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const parent = (name: string): RunFolder => folderOf(join(runs, name));
const episodesOf = (name: string): Episode[] =>
  [...framesFrom(parent(name).journal)].flatMap(({ frame }) =>
    frame.kind === 'group.sealed' ? RolloutGroup.parse(unpack(frame.bytes)).episodes : [],
  );
/** With a call and its answer in it. */
const longest = (name: string): Episode =>
  episodesOf(name)
    .filter(({ id }) => id.startsWith('s'))
    .toSorted((a, b) => b.turns.length - a.turns.length)[0] as Episode;

async function fork(
  name: string,
  { id }: Episode,
  { turn, seed, set = [] }: { turn: number; seed?: number; set?: readonly string[] },
): Promise<Forked & { folder: RunFolder; asked: Record<string, number> }> {
  const plan = forkOf(parent(name), configOfFork(parent(name), id, set), { episode: id, turn, seed });
  const folder = createFolder(runs, `${name}-fork`);
  const forked = await playFork(plan, { folder, signal, note: () => undefined });
  const roles = Object.entries(forked.group.health?.roles ?? {});
  return { ...forked, folder, asked: Object.fromEntries(roles.map(([role, { asks }]) => [role, asks])) };
}
const spoken = ({ turns, traces, outcome, reward }: Episode) => ({ turns, traces, outcome, reward });

describe('an episode whose roles a language model plays', () => {
  test('is reproduced from any of its turns by its own seed where the engine is deterministic', async () => {
    const original = longest('modelled');
    expect(original.turns.length).toBeGreaterThanOrEqual(4);
    for (const turn of [0, original.turns.length - 1]) {
      const { episode, isSame } = await fork('modelled', original, { turn });
      expect([isSame, pack(spoken(episode))]).toEqual([true, pack(spoken(original))]);
    }
  });

  test('asks nobody about its past: judged anew, its judge alone is asked; from the beginning, all are', async () => {
    const original = longest('modelled');
    const { asked } = await fork('modelled', original, { turn: original.turns.length, seed: 9 });
    expect([asked['user'], asked['tool'], asked['judge']]).toEqual([0, 0, 1]);
    const anew = await fork('modelled', original, { turn: 0 });
    expect([anew.asked['user'], anew.asked['tool'], anew.asked['judge']].every((asks) => (asks ?? 0) > 0)).toBe(true);
  });

  test('plays on under another seed from exactly what was said', async () => {
    const original = longest('modelled');
    const { episode, folder } = await fork('modelled', original, { turn: 3, seed: 2 });
    expect(episode.turns.slice(0, 3)).toEqual(original.turns.slice(0, 3));
    expect(proofOf(folder, undefined).divergence).toBeNull();
  });

  test('cannot be played by code that does not know its world, nor have its task written anew', () => {
    const { id } = longest('modelled');
    expect(() => configOfFork(parent('modelled'), id, ['roles.tool=procedural'])).toThrow(/code knows only its own world/);
    expect(() =>
      configOfFork(parent('coded'), longest('coded').id, ['roles.task=lm', 'roles.user=lm', 'roles.tool=lm', 'roles.judge=lm']),
    ).toThrow(/the task of this episode is written/);
  });
});

describe('an episode whose roles code plays', () => {
  test.each([
    ['tool', ['roles.tool=lm']],
    ['judge', ['roles.judge=lm']],
    ['user', ['roles.user=lm']],
  ] as const)('has its %s played by a language model from there on, and nobody else', async (role, set) => {
    const original = longest('coded');
    const { episode, asked, folder } = await fork('coded', original, { turn: 1, set });
    expect(
      Object.entries(asked)
        .filter(([, asks]) => asks > 0)
        .map(([name]) => name),
    ).toEqual([role]);
    expect(episode.turns.slice(0, 1)).toEqual(original.turns.slice(0, 1));
    expect(configOfFork(folder, episode.id, []).roles).toMatchObject({ task: 'procedural', [role]: 'lm' });
  });

  test('is taken on by a fork of the fork, and given back to code', async () => {
    const child = await fork('coded', longest('coded'), { turn: 1, set: ['roles.tool=lm'] });
    const { asked, isSame } = await fork(child.folder.name, child.episode, { turn: 3, set: ['roles.tool=procedural'] });
    expect([asked, isSame]).toEqual([{}, true]);
  });
});

describe('an examination', () => {
  const examined = (): Episode => episodesOf('modelled').find(({ id }) => id.includes('.greedy.')) as Episode;

  test('in a world whose truth is known is played by code again, though the run’s roles are a model’s', async () => {
    const { asked, isSame } = await fork('modelled', examined(), { turn: 0 });
    expect([asked, isSame]).toEqual([{}, true]);
  });

  test('has a role played by the model where that is asked for', async () => {
    const { asked } = await fork('modelled', examined(), { turn: 0, set: ['roles.judge=lm'] });
    expect(asked['judge']).toBeGreaterThan(0);
  });
});

describe('what a page may change', () => {
  test('is offered with its meaning, and what keeps a role from another player', () => {
    const choices = forkChoices(parent('modelled'), longest('modelled').id);
    expect(choices).toMatchObject({ seed: 1, versions: [0, 1], isDeterministic: true });
    expect(choices.roles.map(({ role, now }) => [role, now])).toEqual([
      ['user', 'lm'],
      ['tool', 'lm'],
      ['judge', 'lm'],
    ]);
    for (const { refusal } of choices.roles) expect(refusal).toMatch(/^a task that a language model writes needs/);
    const temperature = choices.settings.find(({ key }) => key === 'simulation.temperature.user');
    expect(temperature).toEqual({
      key: 'simulation.temperature.user',
      value: '0.8',
      meaning: 'Of users, who differ too.',
      allowed: 'a number from 0 to 2',
    });
    expect(forkChoices(parent('coded'), longest('coded').id).roles.map(({ refusal }) => refusal)).toEqual([null, null, null]);
  });

  test('is all that it may: whatever names a file, a server or a command is not', () => {
    const offered = forkChoices(parent('modelled'), longest('modelled').id).settings.map(({ key, value }) => `${key}=${value}`);
    expect(checkedChanges(offered)).toEqual(offered);
    expect(configOfFork(parent('modelled'), longest('modelled').id, offered).simulation.temperature.user).toBe(0.8);
    const ofTheTerminal = [
      'policy.model=/etc',
      'python=/bin/sh',
      'tools=/etc/passwd',
      'record.dir=/tmp',
      'engine.kind=vllm',
      'roles.task=lm',
      'seed=1',
    ];
    const ofServers = ['engine.vllm.command=[sh]', 'engine.vllm.servers=["http://h"]', 'engine={vllm: {command: [sh]}}'];
    const refused = [...ofTheTerminal, ...ofServers, 'simulation={}', 'roles={}', '=', ''];
    for (const text of refused) expect(() => checkedChanges([text]), text).toThrow(/cannot be changed from the page/);
  });

  test('is refused with the config’s own words where it is wrong', () => {
    expect(() => configOfFork(parent('modelled'), longest('modelled').id, ['simulation.temperature.user=9'])).toThrow(
      /simulation\.temperature\.user: 9 is not allowed; expected a number from 0 to 2/,
    );
  });
});

test('a server that is gone is said to be, and where', async () => {
  const { id } = longest('coded');
  const set = [
    'engine.kind=vllm',
    'engine.vllm.servers=["http://127.0.0.1:9"]',
    'policy.model=models/tiny-base',
    'rollout.contextLength=512',
    'rollout.maxTokens=64',
  ];
  const plan = forkOf(parent('coded'), configOfFork(parent('coded'), id, set), { episode: id, turn: 1, version: 0 });
  const folder = createFolder(runs, 'gone');
  await expect(playFork(plan, { folder, signal, note: () => undefined })).rejects.toThrow(/nothing answers at http:\/\/127\.0\.0\.1:9/);
  expect([...framesFrom(folder.journal)].at(-1)?.frame).toMatchObject({ kind: 'run.halted', reason: 'fault' });
});
