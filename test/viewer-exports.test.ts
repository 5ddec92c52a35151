/** Files that the viewer lets a browser save: the bytes of the command line's writers, of what was asked for, under a name that is safe, and no more of them at once than it can bear. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filterIn, membersOf, targetOf } from '../src/cli/export-target.ts';
import { csvOf } from '../src/record/exports/csv.ts';
import { figuresOf, timedFiguresOf } from '../src/record/exports/figures.ts';
import { openAiLine } from '../src/record/exports/openai.ts';
import { tfevents } from '../src/record/exports/tfevents.ts';
import { tokenLines } from '../src/record/exports/tokens.ts';
import type { RunFolder } from '../src/record/folder.ts';
import type { Refusal } from '../src/viewer/contract.ts';
import { downloadOf } from '../src/viewer/download.ts';
import { standalone } from '../src/viewer/standalone.ts';
import type { Viewer } from '../src/viewer/server.ts';
import { sampleRun } from './support/sample-run.ts';
import { type Answer, ask, viewerWorld } from './support/viewer.ts';

const world = viewerWorld();
const built = { page: 'dist/viewer/page', charts: 'dist/viewer/charts.json' };
let folder: RunFolder;
let viewer: Viewer;
beforeAll(async () => {
  folder = await sampleRun(world.root);
  viewer = await world.start(built);
});
afterAll(async () => {
  await viewer.close();
  world.remove();
});

const exported = (format: string, query: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  ask(viewer, `/api/runs/sample/export/${format}?${new URLSearchParams(query).toString()}`);
const errorOf = ({ text }: Answer): string => (JSON.parse(text) as Refusal).error;

/** As the command line would write them. */
const members = (id: string | null, filter: string) =>
  membersOf({ ...targetOf('sample', { dir: `${world.root}/runs` }), id }, filterIn(filter), world.ports, () => undefined);

describe('a file', () => {
  test.each([
    [null, ''],
    [null, 'reward<0'],
    ['s00002', ''],
    ['s00002.t001', 'text~"shelf"'],
    ['s00001.t000.e01', ''],
  ])('of %s that passes "%s" has the lines that the command line writes', async (id, filter) => {
    const query = { ...(id === null ? {} : { id }), filter };
    const all = [...members(id, filter)];
    expect(all.length).toBeGreaterThan(0);
    expect((await exported('openai', query)).text).toBe(all.map((member) => openAiLine(member, world.ports.resultText)).join(''));
    expect((await exported('tokens', query)).text).toBe(all.flatMap(tokenLines).join(''));
  });

  test('of figures has the bytes that the command line writes', async () => {
    expect((await exported('csv')).text).toBe(csvOf(figuresOf(folder)));
    const { start, steps } = timedFiguresOf(folder);
    const bytes = await fetch(`http://127.0.0.1:${viewer.port}/api/runs/sample/export/tensorboard`).then((reply) => reply.arrayBuffer());
    expect(steps.length).toBe(2);
    expect(Buffer.from(bytes).equals(Buffer.concat([...tfevents(start, steps)]))).toBe(true);
  });

  test('of a group is the page that the command line writes', async () => {
    let text = '';
    for await (const piece of standalone({ dir: `${world.root}/runs`, run: 'sample', id: 's00001.t001', ...built }, world.ports))
      text += piece;
    expect((await exported('html', { id: 's00001.t001' })).text).toBe(text);
  });

  test('is saved, never shown, under a name of letters, digits and points', async () => {
    const { headers } = await exported('html', { id: 's00001.t001' });
    expect(headers).toMatchObject({
      'content-disposition': 'attachment; filename="sample-s00001.t001.html"',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    const names = await Promise.all(
      [exported('tokens', { filter: 'reward<0' }), exported('csv'), exported('tensorboard')].map(async (answer) =>
        String((await answer).headers['content-disposition']),
      ),
    );
    expect(names).toEqual([
      'attachment; filename="sample-filtered.tokens.jsonl"',
      'attachment; filename="sample.csv"',
      expect.stringMatching(/^attachment; filename="events\.out\.tfevents\.\d+\.troupe"$/),
    ]);
  });
});

describe('what cannot be had', () => {
  test('is refused in words, before a file is begun', async () => {
    const answers = await Promise.all([
      exported('openai', { id: 's00009.t000' }),
      exported('html', { id: 's00009.t000' }),
      exported('html'),
      exported('pdf'),
      exported('csv', { id: 's00001' }),
      exported('tokens', { filter: 'reward<' }),
      ask(viewer, '/api/runs/absent/export/csv'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 400, 400, 404]);
    expect(answers.map(errorOf)[0]).toBe('nothing sealed is called s00009.t000 in sample');
    for (const { headers } of answers) expect(headers['content-disposition']).toBeUndefined();
  });

  test('is what another site asks for under a name of its own', async () => {
    const answer = await ask(viewer, '/api/runs/sample/export/csv', { headers: { host: 'rebound.example' } });
    expect(answer.status).toBe(403);
  });
});

describe('a browser that goes away', () => {
  test('or asks for the head of a file alone holds no place', async () => {
    const heads = await Promise.all(
      Array.from({ length: 12 }, (_, n) => ask(viewer, `/api/runs/sample/export/openai?${n}`, { method: 'HEAD' })),
    );
    expect(heads.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(4);
    expect((await exported('openai')).status).toBe(200);
  });

  test('leaves its place to another', async () => {
    const begin = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port: viewer.port, path: '/api/runs/sample/export/html?id=s00001.t001' }, (response) => {
          resolve(response.statusCode ?? 0);
          response.destroy();
        });
        asked.on('error', reject);
        asked.end();
      });
    // More than may be written at once, one after another: each left at its first byte.
    for (let n = 0; n < 12; n++) expect(await begin()).toBe(200);
    expect((await exported('csv')).status).toBe(200);
  });

  test('and says nothing for a minute is let go, and its source is closed', async () => {
    const timers: (() => void)[] = [];
    const clock = { now: () => 0, after: (_: number, fire: () => void) => (timers.push(fire), () => undefined) };
    const ends: string[] = [];
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) yield 'x'.repeat(70_000);
      } finally {
        ends.push('source');
      }
    }
    const body = await downloadOf(endless(), clock, () => ends.push('place'));
    const reader = body.getReader();
    await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    timers.at(-1)?.();
    await expect(reader.read().then(() => reader.read())).rejects.toThrow('nobody took the file for 60 s');
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toEqual(['place', 'source']);
  });
});
