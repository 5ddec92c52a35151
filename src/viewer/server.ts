/** The viewer's addresses: pages, data, live events and actions over one folder of runs. Knows HTTP; what is answered comes from the files beside this one. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { relative, resolve } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import { RecordFault, TroupeFault } from '../errors.ts';
import { actions } from './actions.ts';
import { readAssets, type Asset } from './assets.ts';
import type { Refusal } from './contract.ts';
import { exports } from './exports.ts';
import { Forks } from './forks.ts';
import { guardOf } from './guard.ts';
import { heats } from './heats.ts';
import { Live, listenerLimit } from './live.ts';
import type { ViewerPorts } from './ports.ts';
import { Runs } from './runs.ts';
import { views } from './views.ts';

export interface ViewerOptions {
  /** Where runs lie. */
  readonly dir: string;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Of the built page. */
  readonly page: string;
  /** JSON of all charts' geometry. */
  readonly charts: string;
}

export interface Viewer {
  /** With the token where one is needed to read. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Of this start. */
  readonly token: string;
  /** Ends every connection, and a fork that is being played. */
  close(): Promise<void>;
}

/** A request's headers and body must be there by then. */
const requestMs = 30_000;

/** Browsers open six each; listeners have a bound of their own. */
const connectionLimit = 1000;

/** Resolves when it listens; rejects with the system's error where the address is taken. */
export async function startViewer(options: ViewerOptions, ports: ViewerPorts): Promise<Viewer> {
  const { dir, host, port } = options;
  const runs = new Runs(dir, ports);
  const live = new Live(runs, ports.clock);
  const guard = guardOf(host);
  const forks = ports.fork === undefined ? null : new Forks(ports.fork, ports.clock);
  const assets = readAssets(options.page);
  const app = new Hono();

  app.use(guard.check);
  app.use(async (context, next) => {
    await next();
    // Its body is asked of nobody: a file's or a listener's place would be held until somebody took it.
    if (context.req.method === 'HEAD') await context.res.body?.cancel();
  });
  app.get('/api/about', (context) => context.json({ v: 1, name: 'troupe', dir, from: placeFromHere(dir), pid: process.pid }));
  app.route('/api', views({ runs, charts: options.charts, ports }));
  app.route('/api', heats({ runs, ports }));
  app.route('/api', exports({ runs, page: options.page, charts: options.charts, ports }));
  app.get('/api/live', async (context) => {
    if (live.listeners >= listenerLimit) return context.json({ error: 'too many pages listen already: close some' } satisfies Refusal, 503);
    const run = context.req.query('run') ?? null;
    const stream = await live.listen(run, context.req.header('last-event-id') ?? null);
    if (stream === null) return context.json({ error: `there is no run ${run} in ${dir}` } satisfies Refusal, 404);
    return context.body(stream, 200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  });
  app.post('/api/actions/*', bodyLimit({ maxSize: 64 * 1024 }));
  app.get('/api/forks', (context) => context.json(forks?.list() ?? []));
  app.route('/api/actions', actions(forks));
  app.all('/api/*', (context) => context.json({ error: 'there is nothing at this address' } satisfies Refusal, 404));
  app.get('*', (context) => {
    const asset = assets.get(context.req.path);
    if (asset !== undefined) return sent(context, asset);
    if (!isPage(context.req.path)) return context.json({ error: 'there is nothing at this address' } satisfies Refusal, 404);
    if (assets.document === null) return context.text('The page of the viewer was not built: npm run build\n', 500);
    guard.admit(context);
    // The token has done its part; an address that is copied must not carry it.
    if (context.req.query('token') !== undefined) return context.redirect(context.req.path);
    return sent(context, assets.document);
  });
  app.onError((error, context) => {
    if (error instanceof HTTPException) return context.json({ error: error.message } satisfies Refusal, error.status);
    const status = error instanceof RecordFault ? 422 : 500;
    return context.json({ error: error instanceof TroupeFault ? error.message : `unexpected: ${error.message}` } satisfies Refusal, status);
  });

  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: { requestTimeout: requestMs, headersTimeout: requestMs },
  }) as Server;
  await listening(server, port, host);
  server.maxConnections = connectionLimit;
  void runs.inspect();
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}/${guard.isOpen ? `?token=${guard.token}` : ''}`,
    host,
    port: bound,
    token: guard.token,
    close: async () => {
      const played = forks?.close();
      await new Promise<void>((resolve) => {
        live.close();
        runs.close();
        server.close(() => resolve());
        // Streams get their end written before their connections go.
        setImmediate(() => server.closeAllConnections());
      });
      await played;
    },
  };
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** As somebody would type it who stands where the viewer was started. */
function placeFromHere(dir: string): string {
  const path = relative('', dir);
  return path === '' ? '.' : path.startsWith('..') ? resolve(dir) : path;
}

/** Addresses of pages: everything else that is no file is not there. */
const pages = [/^\/$/, /^\/runs\/[^/]+$/, /^\/runs\/[^/]+\/(?:groups|episodes)\/[^/]+$/, /^\/compare$/, /^\/charts(?:\/[^/]+)?$/];
const isPage = (path: string): boolean => pages.some((page) => page.test(path));

function sent(context: Context, { bytes, type, etag }: Asset): Response {
  // Asked about again each time: a new build is seen at once, and an old one costs a header.
  context.header('cache-control', 'no-cache');
  context.header('etag', etag);
  if (context.req.header('if-none-match') === etag) return context.body(null, 304);
  return context.body(bytes, 200, { 'content-type': type });
}
