/** What the viewer answers: runs, groups, episodes, prompts and lists as the journal has them. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Episode } from '../src/protocol/episode.ts';
import type {
  EpisodeList,
  EpisodePage,
  EventOutline,
  EventWindow,
  GroupPage,
  PromptPage,
  Refusal,
  RunCard,
  RunPage,
  StripOutline,
  TokenStrip,
} from '../src/viewer/contract.ts';
import { pack } from '../src/protocol/codec.ts';
import type { EpisodeId, RunId } from '../src/protocol/ids.ts';
import { createFolder } from '../src/record/folder.ts';
import { startRecord } from '../src/record/record.ts';
import type { Viewer } from '../src/viewer/server.ts';
import { playDrawn } from './support/drawn-groups.ts';
import { openSample, recording, sampleGroup, sampleRun, sealed } from './support/sample-run.ts';
import { ask, json, viewerWorld } from './support/viewer.ts';

const world = viewerWorld();
let viewer: Viewer;
beforeAll(async () => {
  await sampleRun(world.root);
  viewer = await world.start();
});
afterAll(async () => {
  await viewer.close();
  world.remove();
});

describe('what is answered', () => {
  test('tells runs, one run, its groups and its episodes as the journal has them', async () => {
    expect(await json<RunCard[]>(viewer, '/api/runs')).toMatchObject([
      { run: 'sample', steps: 2, ofSteps: 200, difficulty: 7, trouble: null },
    ]);
    const run = await json<RunPage>(viewer, '/api/runs/sample');
    expect(run.metrics.map(({ step }) => step)).toEqual(['s00001', 's00002']);
    expect(run).toMatchObject({ run: 'sample', config: { name: 'sample' }, halted: null, actors: [], evaluations: [] });
    const group = await json<GroupPage>(viewer, '/api/runs/sample/groups/s00002.t001');
    expect(group).toMatchObject({ step: 's00002', status: 'sealed', zeroVariance: false, missing: [{ member: 2 }] });
    expect(group.members.map(({ reward, advantage }) => [reward, advantage])).toEqual([
      [1, 1],
      [-1, -1],
    ]);
    const episode = await json<EpisodePage>(viewer, '/api/runs/sample/episodes/s00002.t001.e01');
    expect(episode).toMatchObject({
      group: 's00002.t001',
      member: 1,
      reward: -1,
      advantage: -1,
      outcome: { kind: 'scored' },
      parent: null,
      events: 0,
    });
    expect(episode.siblings.map(({ id }) => id)).toEqual(['s00002.t001.e00', 's00002.t001.e01']);
    expect(episode.strips).toEqual([{ tokens: 5, sampled: 2 }]);
  });

  test('tells the tokens of a trace by window, and how the rest is laid out', async () => {
    const at = '/api/runs/sample/episodes/s00002.t001.e01/strips';
    const columns = { sampled: [false, true], version: [0, 0] };
    expect(await json<TokenStrip>(viewer, `${at}/0?from=2&count=2`)).toEqual({
      ids: [3, 4],
      text: ['<3>', '<4>'],
      logprobs: [null, -0.5],
      ...columns,
    });
    expect(await json<StripOutline[]>(viewer, at)).toEqual([{ tokens: 5, stretches: [[3, 5]], widths: '33333', versions: [0], knows: [] }]);
    expect((await Promise.all(['1', 'x'].map((strip) => ask(viewer, `${at}/${strip}`)))).map(({ status }) => status)).toEqual([404, 400]);
  });

  test('tells the exact prompt of a turn, and none of turns that had none', async () => {
    const at = '/api/runs/sample/episodes/s00001.t000.e00/prompts';
    expect(await json<PromptPage>(viewer, `${at}/1`)).toEqual({
      turn: 1,
      strip: 0,
      ids: [1, 2, 3],
      text: ['<1>', '<2>', '<3>'],
      known: 0,
      sampled: { ids: [4, 5], text: ['<4>', '<5>'] },
    });
    expect((await Promise.all(['0', '2', '9', 'x'].map((turn) => ask(viewer, `${at}/${turn}`)))).map(({ status }) => status)).toEqual([
      404, 404, 404, 400,
    ]);
  });

  test('tells the events of an episode by windows and in outline, each state that of the record, in what JSON can say', async () => {
    let seed = 1;
    while ((await playDrawn(seed)).group.episodes.every(({ traces }) => traces.length === 0)) seed++;
    const { events, group } = await playDrawn(seed);
    const { folder, record } = await openSample(world.root, 'played');
    record.append({ kind: 'events', events: [...events] });
    record.append(sealed(group));
    await record.close();
    const { id } = group.episodes.find(({ traces }) => traces.length > 0) as Episode;
    const at = `/api/runs/${folder.name}/episodes/${id}`;
    const all = await json<EventWindow>(viewer, `${at}/events?count=2000`);
    const own = events.filter(({ actor }) => actor.startsWith(`${id}/`));
    expect(all.events.map(({ actor, event, state }) => [actor, event.type, state])).toEqual(
      own.map(({ actor, event, state }) => [actor, event.type, state]),
    );
    expect(all.events.every(({ agrees }) => agrees)).toBe(true);
    const sampled = all.events.find(({ event }) => event.type === 'agent.sampled')?.event;
    expect(sampled?.['ids']).toBeInstanceOf(Array);
    const part = await json<EventWindow>(viewer, `${at}/events?from=3&count=4`);
    expect(part).toMatchObject({ from: 3, events: all.events.slice(3, 7) });
    const outline = await json<EventOutline>(viewer, `${at}/outline`);
    expect(outline.type.map((type) => outline.types[type])).toEqual(own.map(({ event }) => event.type));
    expect(outline.disagree).toEqual([]);
    expect((await json<EpisodePage>(viewer, at)).events).toBe(own.length);
    rmSync(folder.dir, { recursive: true });
  });

  test('lists episodes by windows, sorted, with what there is of each value', async () => {
    const list = await json<EpisodeList>(viewer, '/api/runs/sample/episodes?sort=-reward&offset=3&limit=2');
    expect(list).toMatchObject({ total: 12, rows: [{ reward: 1 }, { reward: -1 }] });
    expect(list.facets.outcome).toEqual([
      { value: 'scored', count: 8 },
      { value: 'missing.EngineFault', count: 4 },
    ]);
    expect(list.read).toBeUndefined();
    expect((await json<EpisodeList>(viewer, '/api/runs/sample/episodes?limit=999999')).rows).toHaveLength(12);
  });

  test('lists the episodes that a filter lets pass, by what their rows say and by what was said in them', async () => {
    const groupsOf = async (filter: string): Promise<unknown> => {
      const { total, rows } = await json<EpisodeList>(viewer, `/api/runs/sample/episodes?filter=${encodeURIComponent(filter)}`);
      return { total, members: [...new Set(rows.map(({ member }) => member))] };
    };
    expect(await groupsOf('reward<0')).toEqual({ total: 4, members: [1] });
    expect(await groupsOf('text~"SHELF 7"')).toEqual({ total: 8, members: [0, 1] });
    expect(await groupsOf('text~"shelf 7" && reward==1 && step==2')).toEqual({ total: 2, members: [0] });
    expect(await groupsOf('text~"nobody says this"')).toEqual({ total: 0, members: [] });
    expect(await groupsOf('episode==null')).toEqual({ total: 4, members: [2] });
  });

  test('of a run that vanishes says so, and of the others what there is', async () => {
    const folder = await sampleRun(world.root, { name: 'fleeting' });
    expect((await ask(viewer, '/api/runs/fleeting')).status).toBe(200);
    rmSync(folder.dir, { recursive: true });
    for (const path of ['', '/episodes', '/groups/s00001.t000', '/episodes/s00001.t000.e00'])
      expect(await ask(viewer, `/api/runs/fleeting${path}`)).toMatchObject({
        status: 404,
        text: expect.stringMatching(/gone from .*runs/) as string,
      });
    const cards = await json<RunCard[]>(viewer, '/api/runs');
    expect(cards.find(({ run }) => run === 'fleeting')?.trouble).toMatch(/gone/);
    expect((await ask(viewer, '/api/runs/sample')).status).toBe(200);
  });

  test('of a fork names what it was played anew from, and how it ended though it has no summary', async () => {
    const folder = createFolder(join(world.root, 'runs'), 'sample-fork');
    const parent = { run: 'sample' as RunId, episode: 's00001.t000.e01' as EpisodeId, turn: 1 };
    const record = await startRecord(
      folder,
      { run: folder.name as RunId, ...recording },
      { version: '0', config: { steps: 0, seed: 9 }, parent },
    );
    record.append(sealed(sampleGroup(1, 0)));
    record.append({ kind: 'run.halted', reason: 'done', detail: '' });
    await record.close();
    expect((await json<RunCard[]>(viewer, '/api/runs')).find(({ run }) => run === 'sample-fork')).toMatchObject({ state: 'done', parent });
    expect((await json<EpisodePage>(viewer, '/api/runs/sample-fork/episodes/s00001.t000.e01')).parent).toEqual(parent);
    const { forks } = await json<EpisodePage>(viewer, '/api/runs/sample/episodes/s00001.t000.e01');
    const [{ turns, reward } = { turns: [], reward: 0 }] = sampleGroup(1, 0).episodes.filter(({ id }) => id === parent.episode);
    expect(forks).toMatchObject([
      { run: 'sample-fork', state: 'done', turn: 1, changed: ['seed 0 → 9'], end: { outcome: 'scored', reward, turns: turns.length } },
    ]);
    expect((await json<EpisodePage>(viewer, '/api/runs/sample/episodes/s00001.t000.e00')).forks).toEqual([]);
    rmSync(folder.dir, { recursive: true });
  });

  test('names the forks that it can read, and is there whatever becomes of another', async () => {
    const parent = { run: 'sample' as RunId, episode: 's00001.t000.e01' as EpisodeId, turn: 1 };
    for (const name of ['sample-fork', 'sample-fork-strange']) {
      const folder = createFolder(join(world.root, 'runs'), name);
      const record = await startRecord(folder, { run: name as RunId, ...recording }, { version: '0', config: { seed: 9 }, parent });
      const frame = sealed(sampleGroup(1, 0));
      record.append(
        name === 'sample-fork' || frame.kind !== 'group.sealed' ? frame : { ...frame, bytes: pack({ members: 'of a later version' }) },
      );
      await record.close();
    }
    const { forks } = await json<EpisodePage>(viewer, '/api/runs/sample/episodes/s00001.t000.e01');
    expect(forks.map(({ run }) => run)).toEqual(['sample-fork']);
    for (const name of ['sample-fork', 'sample-fork-strange']) rmSync(join(world.root, 'runs', name), { recursive: true });
  });

  test('points at what is wrong in a filter', async () => {
    const answer = await ask(viewer, `/api/runs/sample/episodes?filter=${encodeURIComponent('reward<0 && rewrd>1')}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ at: 12, error: expect.stringContaining('reward') as string });
  });

  test('is a refusal in words for what is not there or cannot be understood', async () => {
    const asked: readonly (readonly [string, number])[] = [
      ['/api/runs/none', 404],
      ['/api/runs/..%2fsample', 404],
      ['/api/runs/sample/groups/none', 404],
      ['/api/runs/sample/episodes/s00001.t000.e09', 404],
      ['/api/runs/sample/episodes/none', 404],
      ['/api/runs/sample/episodes?sort=__proto__', 400],
      ['/api/runs/sample/episodes?offset=-1', 400],
      ['/api/live?run=none', 404],
    ];
    for (const [path, status] of asked) {
      const answer = await ask(viewer, path);
      expect([path, answer.status]).toEqual([path, status]);
      expect((JSON.parse(answer.text) as Refusal).error).toMatch(/\w/);
    }
  });
});
