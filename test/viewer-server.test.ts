/** Who may ask the viewer for what, and what it has done: Host, Origin and token, files and addresses, actions. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CancelledFault, ConfigFault } from '../src/errors.ts';
import type { ForkState } from '../src/viewer/contract.ts';
import type { Viewer } from '../src/viewer/server.ts';
import { sampleRun } from './support/sample-run.ts';
import { type Answer, ask, cookieOf, json, viewerWorld } from './support/viewer.ts';

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

describe('who may act', () => {
  const body = JSON.stringify({ run: 'sample', episode: 's00001.t000.e00', turn: 1 });
  const right = (): string => `127.0.0.1:${viewer.port}`;
  const hosts = ['right', 'rebound.example', '127.0.0.1.rebound.example', '0.0.0.0'] as const;
  const origins = ['right', 'http://evil.example', 'null', 'https', 'other port', ''] as const;
  const tokens = ['right', 'wrong', 'of another start', ''] as const;
  const matrix = hosts.flatMap((host) => origins.flatMap((origin) => tokens.map((token) => ({ host, origin, token }))));

  let stale = '';
  beforeAll(async () => {
    const other = await world.start();
    stale = other.token;
    await other.close();
  });
  const headersOf = async ({ host, origin, token }: (typeof matrix)[number]): Promise<Record<string, string>> => {
    const cookie = cookieOf(await ask(viewer, '/'));
    const name = cookie.split('=')[0];
    return {
      host: host === 'right' ? right() : host,
      ...(origin === ''
        ? {}
        : {
            origin:
              origin === 'right'
                ? `http://${right()}`
                : origin === 'https'
                  ? `https://${right()}`
                  : origin === 'other port'
                    ? 'http://127.0.0.1:1'
                    : origin,
          }),
      ...(token === '' ? {} : { cookie: token === 'right' ? cookie : `${name}=${token === 'wrong' ? 'x' : stale}` }),
    };
  };

  test(`is a page of this viewer: of ${matrix.length} pairings of Host, Origin and token, one is not refused`, async () => {
    world.forks.length = 0;
    const statuses = await Promise.all(
      matrix.map(async (cell) => ({
        cell,
        status: (await ask(viewer, '/api/actions/fork', { method: 'POST', headers: await headersOf(cell), body })).status,
      })),
    );
    expect(statuses.filter(({ status }) => status !== 403)).toEqual([
      { cell: { host: 'right', origin: 'right', token: 'right' }, status: 202 },
    ]);
    expect(world.forks).toEqual([{ run: 'sample', episode: 's00001.t000.e00', turn: 1 }]);
  });

  test('cancels under the same rule, and acts at no address that is read', async () => {
    const act = async (cell: (typeof matrix)[number], method: string, path: string): Promise<number> =>
      (await ask(viewer, path, { method, headers: await headersOf(cell) })).status;
    const statuses = await Promise.all(matrix.map(async (cell) => ({ cell, status: await act(cell, 'DELETE', '/api/actions/fork/77') })));
    // It may ask; there is no such fork.
    expect(statuses.filter(({ status }) => status !== 403)).toEqual([
      { cell: { host: 'right', origin: 'right', token: 'right' }, status: 404 },
    ]);
    const own = { host: 'right', origin: 'right', token: 'right' } as const;
    world.forks.length = 0;
    for (const path of ['/api/actions/fork', '/api/actions/fork/1', '/api/forks'])
      expect([200, 404]).toContain(await act(own, 'GET', path));
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      for (const path of ['/api/forks', '/api/runs', '/api/runs/sample', '/api/runs/sample/export/openai', '/api/runs/sample/heat'])
        expect([method, path, await act(own, method, path)]).toEqual([method, path, 404]);
    expect(world.forks).toEqual([]);
  });

  test('reads only under a name of this machine', async () => {
    const status = async (host: string): Promise<number> => (await ask(viewer, '/api/runs', { headers: { host } })).status;
    expect(await Promise.all(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST:99'].map(status))).toEqual([200, 200, 200, 200]);
    expect(
      await Promise.all(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1', '0.0.0.0'].map(status)),
    ).toEqual([403, 403, 403, 403, 403]);
  });

  test('reads with the token of the link only, where others can reach the viewer', async () => {
    const open = await world.start({ host: '0.0.0.0' });
    const token = new URL(open.url).searchParams.get('token') ?? '';
    expect(token).toBe(open.token);
    const [bare, wrong, link] = await Promise.all(['/', '/?token=x', `/?token=${token}`].map((path) => ask(open, path)));
    expect([bare?.status, wrong?.status, link?.status]).toEqual([403, 403, 302]);
    expect(link?.headers['location']).toBe('/');
    const cookie = cookieOf(link as Answer);
    expect((await ask(open, '/api/runs')).status).toBe(403);
    expect((await ask(open, '/api/runs', { headers: { cookie } })).status).toBe(200);
    expect((await ask(open, '/api/runs', { headers: { cookie, host: 'evil.example' } })).status).toBe(403);
    expect((await ask(open, '/api/runs', { headers: { cookie, host: '192.168.1.7:80' } })).status).toBe(403);
    await open.close();
  });

  test('keeps its token from scripts and from other sites', async () => {
    expect((await ask(viewer, '/')).headers['set-cookie']).toEqual([
      expect.stringMatching(/^troupe-\d+=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect((await ask(viewer, '/api/runs')).headers['set-cookie']).toBeUndefined();
  });

  test('gets the same strict headers with every answer', async () => {
    for (const path of ['/', '/assets/page.js', '/api/runs', '/api/runs/nope', '/nowhere']) {
      const { headers } = await ask(viewer, path);
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
      expect(headers['content-security-policy']).not.toMatch(/unsafe|http|\*/);
      expect([headers['x-content-type-options'], headers['referrer-policy'], headers['x-frame-options']]).toEqual([
        'nosniff',
        'no-referrer',
        'DENY',
      ]);
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});

describe('an action', () => {
  const post = async (body: string): Promise<Answer> => {
    const host = `127.0.0.1:${viewer.port}`;
    return ask(viewer, '/api/actions/fork', {
      method: 'POST',
      headers: { host, origin: `http://${host}`, cookie: cookieOf(await ask(viewer, '/')) },
      body,
    });
  };
  const asked = JSON.stringify({ run: 'sample', episode: 'e', turn: 0, seed: 7, version: 1 });
  afterEach(() => {
    world.setFork(() => Promise.resolve());
  });

  test('that is not one is refused before anybody is asked', async () => {
    world.forks.length = 0;
    const bodies = [
      '',
      '{',
      '[]',
      '{"run":"a"}',
      '{"run":"a","episode":"b","turn":-1}',
      '{"run":"a","episode":"b","turn":0,"then":"rm"}',
      '{"run":"a","episode":"--help","turn":0}',
      '{"run":"a","episode":"b","turn":0,"set":"seed=1"}',
    ];
    expect((await Promise.all(bodies.map(post))).map(({ status }) => status)).toEqual(bodies.map(() => 400));
    expect((await post(JSON.stringify({ run: 'a'.repeat(70_000) }))).status).toBe(413);
    expect(world.forks).toEqual([]);
  });

  const latest = async (): Promise<ForkState> => (await json<readonly ForkState[]>(viewer, '/api/forks'))[0] as ForkState;
  const cancel = async (id: number | string): Promise<Answer> => {
    const host = `127.0.0.1:${viewer.port}`;
    return ask(viewer, `/api/actions/fork/${id}`, {
      method: 'DELETE',
      headers: { host, origin: `http://${host}`, cookie: cookieOf(await ask(viewer, '/')) },
    });
  };

  test('that fails says why, and the next one goes', async () => {
    world.setFork(() => Promise.reject(new ConfigFault('version 3 is not kept')));
    expect((await post(asked)).status).toBe(202);
    await expect.poll(latest).toMatchObject({ state: 'failed', said: 'version 3 is not kept', run: null });
    world.setFork(({ begun, said }) => {
      begun('sample-fork');
      said('a server starts');
      return Promise.resolve();
    });
    expect((await post(asked)).status).toBe(202);
    await expect
      .poll(latest)
      .toMatchObject({ state: 'done', run: 'sample-fork', said: 'a server starts', request: JSON.parse(asked) as object });
  });

  test('waits for no other: one is played at a time, and who comes meanwhile is told which', async () => {
    let end = (): void => undefined;
    world.setFork(() => new Promise((resolve) => (end = resolve)));
    expect((await post(asked)).status).toBe(202);
    expect(await latest()).toMatchObject({ state: 'playing' });
    const second = await post(asked);
    expect([second.status, second.text]).toEqual([429, expect.stringContaining('another fork is being played, of e in sample')]);
    end();
    await expect.poll(latest).toMatchObject({ state: 'done' });
    world.setFork(() => Promise.resolve());
    expect((await post(asked)).status).toBe(202);
  });

  test('can be cancelled while it is played, and no other can', async () => {
    world.setFork(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new CancelledFault('it was cancelled')))),
    );
    const { id } = JSON.parse((await post(asked)).text) as ForkState;
    expect((await ask(viewer, `/api/actions/fork/${id}`, { method: 'DELETE' })).status).toBe(403);
    expect((await latest()).state).toBe('playing');
    expect([(await cancel(id + 1)).status, (await cancel('x')).status, (await cancel(id)).status]).toEqual([404, 404, 200]);
    await expect.poll(latest).toMatchObject({ id, state: 'cancelled' });
    expect((await cancel(id)).status).toBe(404);
  });

  test('that is being played ends when the viewer does', async () => {
    const other = await world.start();
    let isAborted = false;
    world.setFork(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            isAborted = true;
            reject(new CancelledFault('it was cancelled'));
          }),
        ),
    );
    const host = `127.0.0.1:${other.port}`;
    const headers = { host, origin: `http://${host}`, cookie: cookieOf(await ask(other, '/')) };
    expect((await ask(other, '/api/actions/fork', { method: 'POST', headers, body: asked })).status).toBe(202);
    await other.close();
    expect(isAborted).toBe(true);
  });
});

describe('files and addresses', () => {
  test('of pages get the document; every other one that is no file is not there', async () => {
    const status = async (path: string): Promise<number> => (await ask(viewer, path)).status;
    const pages = [
      '/',
      '/runs/sample',
      '/runs/a%20b',
      '/runs/sample/groups/s1.t1',
      '/runs/sample/episodes/s1.t1.e0?turn=3',
      '/compare?a=1&b=2',
      '/charts/episode',
      '/charts',
    ];
    expect(await Promise.all(pages.map(status))).toEqual(pages.map(() => 200));
    const others = ['/nowhere', '/index.html', '/runs', '/runs/a/b', '/assets/', '/assets/none.js', '/api', '/api/nothing'];
    expect(await Promise.all(others.map(status))).toEqual(others.map(() => 404));
  });

  test('outside the page’s folder cannot be asked for', async () => {
    for (const path of [
      '/../secret.json',
      '/assets/../../secret.json',
      '/%2e%2e/secret.json',
      '/assets/..%2f..%2fsecret.json',
      '//secret.json',
    ])
      expect((await ask(viewer, path)).status).toBe(404);
  });

  test('that a browser has already are not sent again', async () => {
    const first = await ask(viewer, '/assets/page.js');
    expect(first).toMatchObject({
      status: 200,
      text: 'export {};',
      headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' },
    });
    expect(await ask(viewer, '/assets/page.js', { headers: { 'if-none-match': String(first.headers['etag']) } })).toMatchObject({
      status: 304,
      text: '',
    });
  });

  test('say how to build the page where it was not built', async () => {
    const bare = await world.start({ page: join(world.root, 'none'), charts: join(world.root, 'none.json') });
    expect(await ask(bare, '/')).toMatchObject({ status: 500, text: expect.stringContaining('npm run build') as string });
    expect(await ask(bare, '/api/charts')).toMatchObject({ status: 404, text: expect.stringContaining('npm run build') as string });
    await bare.close();
  });

  test('at a port that is taken are served by nobody: the error says so', async () => {
    await expect(world.start({ port: viewer.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
