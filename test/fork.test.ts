/** An episode played anew: what came before the turn stays as it was, and what comes after is the new seed's, policy's and simulators'. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Forked, forkOf, playFork } from '../src/actors/fork.ts';
import { trainedIn } from '../src/actors/original.ts';
import { saidAgain, toldAgain } from '../src/actors/past.ts';
import { proofOf } from '../src/cli/proof.ts';
import { configOfRun } from '../src/cli/resume.ts';
import type { Config } from '../src/config.ts';
import { pack, unpack } from '../src/protocol/codec.ts';
import type { Episode } from '../src/protocol/episode.ts';
import { RolloutGroup } from '../src/protocol/group.ts';
import type { EpisodeId, RunId } from '../src/protocol/ids.ts';
import { isSampled, traceIds, traceLength } from '../src/protocol/trace.ts';
import { createFolder, findFolder, folderOf, listFolders, type RunFolder } from '../src/record/folder.ts';
import { parentIn } from '../src/record/parent.ts';
import { framesFrom } from '../src/record/reader.ts';
import { startRecord } from '../src/record/record.ts';
import { baseModel, scriptedRun, trainedRun } from './support/recipes.ts';
import { run } from './support/runs.ts';
import { recording } from './support/sample-run.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-fork-'));
const runs = join(root, 'runs');
const { signal } = new AbortController();
const note = (): void => undefined;

const settings = {
  // Curricula that begin higher have episodes of many turns.
  scripted: { ...scriptedRun(root), steps: 1, curriculum: { start: 60 }, eval: { at: ['end' as const], tasks: 1, levels: [50] } },
  trained: { ...trainedRun(root), rollout: { ...trainedRun(root).rollout, tasks: 2, group: 4 }, eval: { at: [] } },
};

beforeAll(async () => {
  baseModel(join(root, 'model'));
  for (const config of Object.values(settings)) expect(await run(config, root)).toMatchObject({ code: 0, err: '' });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const groupsOf = (folder: RunFolder): RolloutGroup[] =>
  [...framesFrom(folder.journal)].flatMap(({ frame }) => (frame.kind === 'group.sealed' ? [RolloutGroup.parse(unpack(frame.bytes))] : []));
const episodesOf = (name: string): Episode[] => groupsOf(folderOf(join(runs, name))).flatMap(({ episodes }) => episodes);

/** One for each number of turns, so that all kinds of endings are met. */
const various = (name: string): Episode[] => [...new Map(episodesOf(name).map((each) => [each.turns.length, each])).values()];

interface Asked {
  readonly turn: number;
  readonly seed?: number;
  readonly version?: number;
  readonly change?: (config: Config) => Config;
}
async function fork(
  name: string,
  { id }: Episode,
  { change = (config) => config, ...asked }: Asked,
): Promise<Forked & { folder: RunFolder }> {
  const parent = folderOf(join(runs, name));
  const plan = forkOf(parent, change(configOfRun(parent)), { episode: id, ...asked });
  const folder = createFolder(runs, `${name}-fork`);
  return { ...(await playFork(plan, { folder, signal, note })), folder };
}

const spoken = ({ turns, traces, outcome, reward, seed, policy }: Episode) => ({ turns, traces, outcome, reward, seed, policy });

/** Ids up to the last one sampled by so many agent turns, of one trace. */
function tokensOf({ traces }: Episode, agentTurns: number): number[] {
  const trace = traces[0] ?? new Int32Array(0);
  const ids = traceIds(trace);
  let turns = 0;
  let end = 0;
  for (let i = 0; i < traceLength(trace) && turns <= agentTurns; i++) {
    if (!isSampled(trace, i)) continue;
    if (i === 0 || !isSampled(trace, i - 1)) turns++;
    if (turns <= agentTurns) end = i + 1;
  }
  return Array.from(ids.subarray(0, end));
}

describe.each(['scripted', 'trained'])('an episode of a run with an engine that is %s', (name) => {
  test('is reproduced from any of its turns by its own seed and version, byte for byte', async () => {
    const episodes = various(name).filter(({ turns }) => turns.length <= 9);
    expect(episodes.length).toBeGreaterThanOrEqual(2);
    for (const original of episodes)
      for (let turn = 0; turn <= original.turns.length; turn += name === 'trained' ? 2 : 1) {
        const { episode, isSame } = await fork(name, original, { turn });
        expect(pack(spoken(episode))).toEqual(pack(spoken(original)));
        expect(isSame).toBe(true);
      }
  });

  test('keeps the turns and tokens before the turn whatever the seed, and differs after it for some', async () => {
    const original = episodesOf(name).find(({ turns }) => turns.length >= 4) as Episode;
    let others = 0;
    for (const seed of [101, 102, 103, 104, 105, 106]) {
      const { episode, isSame } = await fork(name, original, { turn: 3, seed });
      expect(episode.turns.slice(0, 3)).toEqual(original.turns.slice(0, 3));
      const said = original.turns.slice(0, 3).filter(({ role }) => role === 'agent').length;
      expect(tokensOf(episode, said)).toEqual(tokensOf(original, said));
      if (!isSame) others++;
    }
    expect(others).toBeGreaterThan(0);
  });

  test('is a record that its own charts prove, and names its parent', async () => {
    const original = episodesOf(name)[0] as Episode;
    const { folder } = await fork(name, original, { turn: 1, seed: 3 });
    expect(proofOf(folder, undefined)).toMatchObject({ divergence: null });
    const [first] = framesFrom(folder.journal);
    expect(first?.frame).toMatchObject({ kind: 'run.started', parent: { run: name, episode: original.id, turn: 1 } });
    expect([...framesFrom(folder.journal)].at(-1)?.frame).toMatchObject({ kind: 'run.halted', reason: 'done' });
  });
});

test('another policy version says the new turns, and the old ones stay the old one’s', async () => {
  const original = episodesOf('trained').find(({ turns, policy }) => turns.length >= 4 && policy?.end === 0) as Episode;
  const { episode } = await fork('trained', original, { turn: 3, version: 1 });
  expect(episode.policy).toEqual({ start: 0, end: episode.turns.slice(3).some(({ role }) => role === 'agent') ? 1 : 0 });
  expect(episode.turns.slice(0, 3)).toEqual(original.turns.slice(0, 3));
});

test('a version that is not kept is refused with those that are', () => {
  const original = episodesOf('trained')[0] as Episode;
  const parent = findFolder(runs, 'trained');
  expect(() => forkOf(parent, configOfRun(parent), { episode: original.id, turn: 1, version: 77 })).toThrow(
    /77 of trained is not kept any more; kept are 0, /,
  );
});

test('a fork is played with the policies of the run it comes from', async () => {
  const original = episodesOf('trained').find(({ turns, policy }) => turns.length >= 4 && policy?.end === 0) as Episode;
  const child = await fork('trained', original, { turn: 3, version: 1 });
  const grandchild = await fork(child.folder.name, child.episode, { turn: 3 });
  expect(pack(spoken(grandchild.episode))).toEqual(pack(spoken(child.episode)));
  expect(() => forkOf(child.folder, configOfRun(child.folder), { episode: original.id, turn: 1, version: 77 })).toThrow(/kept are 0, 1/);
});

test('a fork has the policies of its neighbour by name, wherever else the words of its record lead', async () => {
  const started = async (home: string, name: string, of?: string): Promise<RunFolder> => {
    const folder = createFolder(home, name);
    const parent = of === undefined ? {} : { parent: { run: of as RunId, episode: 's00001.t000.e00' as EpisodeId, turn: 0 } };
    await (await startRecord(folder, { run: name as RunId, ...recording }, { version: '0', config: {}, ...parent })).close();
    return folder;
  };
  const [here, away] = [join(root, 'here'), join(root, 'away')];
  await started(away, 'run');
  const run = await started(here, 'run');
  expect(trainedIn(await started(here, 'child', 'run')).dir).toBe(run.dir);
  const lost = await started(here, 'lost', '../away/run');
  expect(trainedIn(lost).dir).toBe(lost.dir);
});

test('a fork is never the latest run, unless there is no other', async () => {
  const original = episodesOf('scripted')[0] as Episode;
  const { folder } = await fork('scripted', original, { turn: 1, seed: 2 });
  const newest = listFolders(runs).at(-1)?.name;
  expect([newest, parentIn(folder.journal)?.run]).toEqual([folder.name, 'scripted']);
  expect(['scripted', 'trained']).toContain(findFolder(runs, 'latest').name);
  const alone = join(root, 'alone');
  cpSync(folder.dir, join(alone, 'fork'), { recursive: true });
  expect(findFolder(alone, 'latest').name).toBe('fork');
});

test('a greedy attempt of an examination is played greedily again', async () => {
  const original = episodesOf('scripted').find(({ group }) => group.includes('.greedy.')) as Episode;
  const parent = findFolder(runs, 'scripted');
  const { job } = forkOf(parent, configOfRun(parent), { episode: original.id, turn: 1 });
  expect(job.sampling.temperature).toBe(0);
  expect((await fork('scripted', original, { turn: 1 })).isSame).toBe(true);
});

test('who is cancelled records that it was, and rejects', async () => {
  const original = episodesOf('trained')[0] as Episode;
  const parent = findFolder(runs, 'trained');
  const plan = forkOf(parent, configOfRun(parent), { episode: original.id, turn: 1 });
  const folder = createFolder(runs, 'cancelled');
  await expect(playFork(plan, { folder, signal: AbortSignal.abort(), note })).rejects.toMatchObject({ name: 'CancelledFault' });
  expect([...framesFrom(folder.journal)].at(-1)?.frame).toMatchObject({ kind: 'run.halted', reason: 'interrupted' });
});

test('an episode without a past asks for everything', () => {
  expect(saidAgain({}, 1)).toBeUndefined();
  expect(toldAgain({}, 'tool', { ask: 1, complaints: [], attempts: 3, late: 0 })).toBeUndefined();
});

test('a name that is no episode’s is refused', () => {
  const parent = findFolder(runs, 'scripted');
  expect(() => forkOf(parent, configOfRun(parent), { episode: 's00001' as EpisodeId, turn: 1 })).toThrow(/no sealed episode/);
});
