/** `view` and the link to it, as a user meets them in the terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressOf, firstPort } from '../src/cli/viewer-link.ts';
import { lockRun } from '../src/record/lock.ts';
import type { Viewer } from '../src/viewer/server.ts';
import { entry } from './support/command-line.ts';
import { type Process, start } from './support/runs.ts';
import { sampleRun } from './support/sample-run.ts';
import { type ViewerWorld, viewerWorld } from './support/viewer.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-view-'));
beforeAll(() => sampleRun(root));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Started {
  readonly v: number;
  readonly url: string;
  readonly dir: string;
  readonly port: number;
  readonly pid: number;
}

/** The line a viewer prints once it listens. */
async function lineOf({ child, ended }: Process): Promise<Started> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(JSON.parse(text.split('\n')[0] as string) as Started);
    });
    void ended.then(({ err }) => reject(new Error(err)));
  });
}

/** Listens at a free port until it is closed. */
async function occupy(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, server };
}

/** Of each thread, where the system tells: field 19 of its `stat`, 17th after its name. */
function priorities({ pid }: Pick<ChildProcess, 'pid'>): number[] {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return [15];
  return readdirSync(tasks).map((thread) => Number(readFileSync(`${tasks}/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]));
}

describe('view', () => {
  test('prints one line with its address, serves it, and ends well at Ctrl-C', async () => {
    const view = start(['view', 'runs', '--port', '0', '--json'], root);
    const line = await lineOf(view);
    expect(line).toMatchObject({ v: 1, url: `http://127.0.0.1:${line.port}/`, dir: join(root, 'runs'), pid: view.child.pid });
    const live = await fetch(`${line.url}api/live`);
    expect(await (await fetch(`${line.url}api/runs`)).json()).toMatchObject([{ run: 'sample', steps: 2 }]);
    view.child.kill('SIGINT');
    expect(await view.ended).toMatchObject({ code: 0, signal: null });
    await live.text();
  });

  test('goes when the run goes that opened it', async () => {
    const view = start(['view', 'runs', '--port', '0', '--json', '--until-stdin-ends'], root);
    // Its stdin is closed from the start.
    expect((await view.ended).code).toBe(0);
  });

  test('stays at a Ctrl-C that was meant for the run that opened it, and yields to it in every thread', async () => {
    const args = [entry, 'view', 'runs', '--port', '0', '--json', '--until-stdin-ends'];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const { url } = JSON.parse(String((await once(createInterface(child.stdout), 'line'))[0])) as Started;
    child.kill('SIGINT');
    expect((await fetch(`${url}api/runs`)).status).toBe(200);
    const yielded = priorities(child);
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect(Math.min(...yielded)).toBeGreaterThanOrEqual(15);
  });

  test.skipIf(process.platform !== 'linux')('started by hand, yields from when a run is being written', async () => {
    const view = start(['view', 'runs', '--port', '0', '--json'], root);
    const { url } = await lineOf(view);
    const runs = (): Promise<Response> => fetch(`${url}api/runs`);
    await runs();
    expect(Math.max(...priorities(view.child))).toBe(getPriority());
    const lock = lockRun(join(root, 'runs/sample'));
    await runs();
    expect(Math.min(...priorities(view.child))).toBeGreaterThanOrEqual(15);
    lock.release();
    view.child.kill('SIGINT');
    expect((await view.ended).code).toBe(0);
  });

  test('says what is in the way, and what to do', async () => {
    const { port, server } = await occupy();
    const said = await Promise.all(
      [
        ['view', 'nowhere'],
        ['view', 'runs', '--port', String(port)],
        ['view', 'runs', '--host', '203.0.113.7', '--port', '0'],
      ].map((args) => start(args, root).ended),
    );
    server.close();
    expect(said.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(said.map(({ err }) => err)).toEqual([
      expect.stringMatching(/there is no folder .*nowhere.*configs\/quickstart\.yaml.*view <dir>/),
      expect.stringMatching(new RegExp(`port ${port} .* is taken .*--port <n>`)),
      expect.stringMatching(/203\.0\.113\.7 is no address of this machine/),
    ]);
  });

  test('of one run opens that run’s page, and warns of its damaged journal', async () => {
    const hurt = await sampleRun(join(root, 'hurt'));
    const file = join(hurt.journal, '000001.journal');
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 0xff;
    writeFileSync(file, bytes);
    const view = start(['view', join('hurt', 'runs', 'sample'), '--port', '0'], root);
    await view.said('damaged at byte');
    view.child.kill('SIGTERM');
    const { out, err, code } = await view.ended;
    expect([code, out]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/runs\/sample\n$/)]);
    expect(err).toMatch(/run sample: .*000001\.journal is damaged at byte \d+: .*repair <run>/);
  });
});

describe('a run', () => {
  test('--view opens a viewer of its own, which goes with it; the closing lines say how to look again', async () => {
    const run = start(['run', join(process.cwd(), 'configs/smoke.yaml'), '--view', '--set', 'steps=1', '--set', 'name=seen'], root);
    await run.said('watch it: http://127.0.0.1:');
    const { code, err, out } = await run.ended;
    expect(code).toBe(0);
    const url = /watch it: (\S+)/.exec(err)?.[1] ?? '';
    expect(url).toMatch(/\/runs\/seen$/);
    expect(out).toMatch(/^look at it: node dist\/run\.js view runs\/seen$/m);
    const status = (): Promise<unknown> =>
      fetch(url).then(
        (response) => response.status,
        () => 'gone',
      );
    await expect.poll(status, { timeout: 5000 }).toBe('gone');
  });

  test('is told the address of a viewer that is up for its folder, and of no other', async () => {
    const [ours, other] = [viewerWorld(), viewerWorld()];
    const folder = await sampleRun(ours.root);
    expect(await addressOf(folder)).toBeNull();
    const viewers: Viewer[] = [];
    for (const world of [other, ours]) viewers.push(await atFreePort(world));
    expect(await addressOf(folder)).toBe(`http://127.0.0.1:${viewers[1]?.port}/runs/sample`);
    await Promise.all(viewers.map((viewer) => viewer.close()));
    for (const world of [ours, other]) world.remove();
  });

  /** Of the few that are asked. */
  async function atFreePort(world: ViewerWorld): Promise<Viewer> {
    for (let port = firstPort; ; port++) {
      try {
        return await world.start({ port });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port > firstPort + 10) throw error;
      }
    }
  }
});
