/** The page as one file: what is in it, that it is all a page asks for, and that nothing in it is anything but text. How it looks without a network is the browser stage's. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewerPorts } from '../src/cli/view-ports.ts';
import { ConfigFault } from '../src/errors.ts';
import type { EpisodePage, EventWindow, GroupPage, TokenStrip } from '../src/viewer/contract.ts';
import { standalone } from '../src/viewer/standalone.ts';
import { troupe } from './support/command-line.ts';
import { attack, hostileRun } from './support/hostile-group.ts';
import { sampleRun } from './support/sample-run.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-html-'));
const dir = join(root, 'runs');
const built = { page: 'dist/viewer/page', charts: 'dist/viewer/charts.json' };
const ports = viewerPorts(() => undefined);
beforeAll(async () => {
  await sampleRun(root);
  await hostileRun(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function fileOf(run: string, id: string): Promise<string> {
  let text = '';
  for await (const piece of standalone({ dir, run, id, ...built }, ports)) text += piece;
  return text;
}

interface Enclosed {
  readonly start: string;
  readonly answers: Record<string, unknown>;
  readonly refusals: Record<string, string>;
}

/** As a browser's parser finds it: up to the first end tag. */
const elementsOf = (file: string, name: string): { readonly head: string; readonly text: string }[] =>
  [...file.matchAll(new RegExp(`<${name}([^>]*)>([\\s\\S]*?)</${name}`, 'gi'))].map(([, head = '', text = '']) => ({ head, text }));

function enclosedIn(file: string): Enclosed {
  const data = elementsOf(file, 'script').find(({ head }) => head.includes('application/json'));
  return JSON.parse(data?.text ?? '') as Enclosed;
}

const paths = (enclosed: Enclosed, what: RegExp): string[] => Object.keys(enclosed.answers).filter((path) => what.test(path));

describe('a group as one file', () => {
  test('holds the group, every episode, every event and every prompt that was recorded', async () => {
    const enclosed = enclosedIn(await fileOf('sample', 's00001.t001'));
    const group = enclosed.answers['/api/runs/sample/groups/s00001.t001'] as GroupPage;
    expect(enclosed.start).toBe('/runs/sample/groups/s00001.t001');
    expect(group.members.map(({ id }) => id)).toEqual(['s00001.t001.e00', 's00001.t001.e01']);
    for (const { id } of group.members) {
      const at = `/api/runs/sample/episodes/${id}`;
      const page = enclosed.answers[at] as EpisodePage;
      const windows = paths(enclosed, new RegExp(`${id}/events`)).map((path) => enclosed.answers[path] as EventWindow);
      expect(windows.flatMap(({ events }) => events)).toHaveLength(page.events);
      const agents = page.turns.flatMap(({ role }, turn) => (role === 'agent' ? [`${at}/prompts/${turn}`] : []));
      expect(agents.filter((path) => path in enclosed.answers || path in enclosed.refusals)).toEqual(agents);
      expect(page.strips).toHaveLength(1);
      const strips = paths(enclosed, new RegExp(`${id}/strips/0\\?`)).map((path) => enclosed.answers[path] as TokenStrip);
      expect(strips.flatMap(({ ids }) => ids)).toHaveLength(page.strips[0]?.tokens ?? -1);
      expect(enclosed.answers).toHaveProperty([`${at}/strips`]);
    }
  });
});

describe('an episode as one file', () => {
  test('holds that episode and no other', async () => {
    const enclosed = enclosedIn(await fileOf('sample', 's00001.t001.e01'));
    expect(paths(enclosed, /episodes\/[^/]+$/)).toEqual(['/api/runs/sample/episodes/s00001.t001.e01']);
    expect(paths(enclosed, /groups\/[^/]+$/)).toEqual([]);
  });
  test('runs its own script and style alone, and may ask nobody', async () => {
    const file = await fileOf('sample', 's00001.t001.e01');
    const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(file)?.[1] ?? '';
    const [script] = elementsOf(file, 'script').filter(({ head }) => head.includes('module'));
    const [style] = elementsOf(file, 'style');
    expect(script?.text).toBe(readFileSync(join(built.page, 'assets/page.js'), 'utf8'));
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hash(script?.text ?? '')}`,
      `style-src ${hash(style?.text ?? '')}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
  });
  test('keeps hostile text as text: in no element but its data, with nothing that could end it', async () => {
    const file = await fileOf('hostile', 's00001.t000');
    const enclosed = enclosedIn(file);
    const page = enclosed.answers['/api/runs/hostile/episodes/s00001.t000.e00'] as EpisodePage;
    expect(page.turns[0]).toEqual({ role: 'user', text: attack });
    expect(page.task.query).toBe(attack);
    // One of each, as in a file with harmless text, and none that was planted.
    const harmless = await fileOf('sample', 's00001.t000');
    const tags = (text: string): number => text.match(/<[a-z!/]/gi)?.length ?? 0;
    expect(tags(file)).toBe(tags(harmless));
    expect(file).not.toContain('<script id="planted"');
    expect(file.match(/planted/g)?.length ?? 0).toBeGreaterThan(100);
  });
  test('is not begun where nothing is called so', async () => {
    await expect(fileOf('sample', 's00007.t000')).rejects.toBeInstanceOf(ConfigFault);
    await expect(fileOf('sample', 's00001.t000.e07')).rejects.toBeInstanceOf(ConfigFault);
    const out = join(root, 'nothing.html');
    const said = troupe(['export', 'html', 's00007.t000', '--run', 'sample', '--dir', dir, '--out', out], { cwd: root });
    expect(said.code).toBe(2);
    expect(said.err).toMatch(/no group s00007\.t000/);
    expect(existsSync(out)).toBe(false);
  });
});
