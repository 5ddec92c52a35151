/** A viewer over a folder of its own, with a page of two files, and requests as raw as a browser's enemies would send them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/actors/clock.ts';
import type { ForkRequest } from '../../src/viewer/contract.ts';
import { pairedGain } from '../../src/learning/evaluation.ts';
import type { ForkWatch, ViewerPorts } from '../../src/viewer/ports.ts';
import { startViewer, type Viewer, type ViewerOptions } from '../../src/viewer/server.ts';

export interface ViewerWorld {
  readonly root: string;
  readonly ports: ViewerPorts;
  /** What was asked to be forked. */
  readonly forks: ForkRequest[];
  /** What a fork waits for. */
  setFork(wait: (watch: ForkWatch) => Promise<void>): void;
  start(changes?: Partial<ViewerOptions>): Promise<Viewer>;
  remove(): void;
}

export function viewerWorld(): ViewerWorld {
  const root = mkdtempSync(join(tmpdir(), 'troupe-viewer-'));
  const page = join(root, 'page');
  const charts = join(root, 'charts.json');
  const forks: ForkRequest[] = [];
  let wait: (watch: ForkWatch) => Promise<void> = () => Promise.resolve();
  mkdirSync(join(root, 'runs'));
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(page, 'assets/page.js'), 'export {};');
  writeFileSync(join(root, 'secret.json'), '{}');
  writeFileSync(charts, '[]');
  const ports: ViewerPorts = {
    clock: systemClock,
    note: () => undefined,
    tokenText: () => (ids) => ids.map((id) => `<${id}>`),
    resultText: ({ result }) => JSON.stringify(result),
    advantages: ({ episodes }) => episodes.map(({ reward }) => reward),
    levels: () => [],
    gain: pairedGain,
    fork: {
      choices: () => ({ seed: 0, versions: [0], isDeterministic: true, roles: [], settings: [] }),
      play: async (asked, watch) => {
        forks.push(asked);
        await wait(watch);
      },
    },
  };
  return {
    root,
    ports,
    forks,
    setFork: (next) => {
      wait = next;
    },
    start: (changes = {}) => startViewer({ dir: join(root, 'runs'), host: '127.0.0.1', port: 0, page, charts, ...changes }, ports),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** With exactly these headers, Host included: fetch() forbids some of them, as browsers do. */
export function ask(viewer: Viewer, path: string, { method = 'GET', headers = {}, body = '' } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: viewer.port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

export const json = async <T>(viewer: Viewer, path: string): Promise<T> => JSON.parse((await ask(viewer, path)).text) as T;

/** What a browser would send back. */
export const cookieOf = ({ headers }: Answer): string => (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
