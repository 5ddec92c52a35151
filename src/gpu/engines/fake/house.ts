/** The fake server's front: sockets, paths, and who is called for which. Answers as vLLM's web framework does; knows nothing of tokens or time. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../clock.ts';
import { Adapters } from './adapters.ts';
import { createBrain } from './brain.ts';
import { textIds } from './chain.ts';
import { Faults, readPlan, type FaultKind } from './faults.ts';
import { chat, complete, type Office, type Under } from './generation.ts';
import { deliver, misdeliver, refusalFor, type Delivery } from './mishap.ts';
import { Pace } from './pace.ts';
import { metricsPage, statsOf, type Asleep, type FakeStats } from './pages.ts';
import { badRequest, internal, Refusal, unsupportedType } from './refusal.ts';
import { readJson, requireFields, type Fields } from './request.ts';
import { Schedule } from './schedule.ts';
import { settingsOf, type FakeOptions } from './settings.ts';

export interface House {
  readonly url: string;
  readonly port: number;
  stats(): FakeStats;
  close(): Promise<void>;
}

export interface HouseOptions extends FakeOptions {
  readonly clock: Clock;
  readonly port?: number;
  /** Seconds since 1970, for what vLLM stamps with the time of day. */
  readonly epoch?: number;
  /** The fault `crash`: absent, the house closes its sockets. */
  readonly crash?: () => void;
}

interface Visit {
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
  /** Throws Refusal where the body is no JSON object. */
  body(): Fields;
  readonly requestId: string | undefined;
  readonly fault: FaultKind | undefined;
}

type Handler = (visit: Visit) => void | Promise<void>;

/** Listens on 127.0.0.1. Rejects where the port is taken; throws RangeError on settings that cannot be. */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { clock, port = 0, epoch = 0, crash, ...rest } = options;
  const settings = settingsOf(rest);
  const schedule = new Schedule(settings);
  const pace = new Pace(schedule, clock, settings.timeScale);
  const adapters = new Adapters(settings, '/fake');
  const faults = new Faults(settings.seed);
  const office: Office = {
    settings,
    brain: createBrain(settings.brain),
    adapters,
    schedule,
    pace,
    serial: 0,
    unfinished: 0,
    rejected: 0,
    finishes: { stop: 0, length: 0, abort: 0 },
    epoch,
  };
  let asleep: Asleep = 'awake';
  let paused = false;
  let requests = 0;

  const generate =
    (speak: typeof complete): Handler =>
    ({ response, body, requestId, fault }) => {
      requests++;
      office.serial++;
      const under: Under = speak(office, body(), requestId, (text) => {
        if (response.destroyed) return;
        if (fault === undefined) sendText(response, 200, 'application/json', text);
        else deliver(fault, text, delivery(response));
      });
      // A closed connection is how a client takes its request back.
      response.once('close', () => under.cancel());
    };

  const delivery = (response: ServerResponse): Delivery => ({ response, hugeBytes: settings.hugeBytes, after: clock.after });

  const routes: Readonly<Record<string, Readonly<Partial<Record<'GET' | 'POST', Handler>>>>> = {
    '/v1/completions': { POST: generate(complete) },
    '/v1/chat/completions': { POST: generate(chat) },
    '/v1/models': { GET: ({ response }) => sendJson(response, { object: 'list', data: adapters.cards(epoch) }) },
    '/v1/load_lora_adapter': {
      POST: async ({ response, body }) => {
        const fields = body();
        requireFields(fields, ['lora_name', 'lora_path']);
        const said = adapters.load(String(fields['lora_name']), String(fields['lora_path']), fields['load_inplace'] === true);
        await pace.standStill(settings.loadMs);
        sendText(response, 200, undefined, said);
      },
    },
    '/v1/unload_lora_adapter': {
      POST: ({ response, body }) => {
        const fields = body();
        requireFields(fields, ['lora_name']);
        sendText(response, 200, undefined, adapters.unload(String(fields['lora_name'])));
      },
    },
    '/tokenize': {
      POST: ({ response, body }) => {
        const { prompt, messages } = body();
        const tokens = [...textIds(typeof prompt === 'string' ? prompt : JSON.stringify(messages ?? ''))];
        const words = settings.vocabulary - 8;
        sendJson(response, {
          count: tokens.length,
          max_model_len: settings.contextLength,
          tokens: tokens.map((id) => 8 + (id % words)),
          token_strs: null,
        });
      },
    },
    '/health': { GET: ({ response }) => void response.writeHead(200, { server: 'uvicorn', 'content-length': 0 }).end() },
    '/ping': { GET: ({ response }) => void response.writeHead(200, { server: 'uvicorn', 'content-length': 0 }).end() },
    '/version': { GET: ({ response }) => sendJson(response, { version: settings.version }) },
    '/load': { GET: ({ response }) => sendJson(response, { server_load: 0 }) },
    '/metrics': { GET: ({ response }) => sendText(response, 200, 'text/plain; version=1.0.0; charset=utf-8', metricsPage(office, asleep)) },
    '/is_sleeping': { GET: ({ response }) => sendJson(response, { is_sleeping: asleep !== 'awake' }) },
    '/is_paused': { GET: ({ response }) => sendJson(response, { is_paused: paused || asleep !== 'awake' }) },
    '/sleep': {
      POST: async ({ response, query }) => {
        const level = Number(query.get('level') ?? 1);
        await still(query.get('mode') ?? 'abort');
        if (level > 0) {
          asleep = level === 1 ? 'weights_offloaded' : 'discard_all';
          schedule.pool.reset();
        }
        await pace.standStill(settings.sleepMs);
        sendJson(response, { status: 'sleeping', level });
      },
    },
    '/wake_up': {
      POST: async ({ response, query }) => {
        await pace.standStill(settings.wakeMs);
        asleep = 'awake';
        pace.pause('none');
        const tags = query.getAll('tags');
        sendJson(response, { status: 'awake', tags: tags.length === 0 ? null : tags });
      },
    },
    '/pause': {
      POST: async ({ response, query }) => {
        await still(query.get('mode') ?? 'abort');
        paused = true;
        sendJson(response, { status: 'paused' });
      },
    },
    '/resume': {
      POST: ({ response }) => {
        paused = false;
        pace.pause('none');
        sendJson(response, { status: 'resumed' });
      },
    },
    '/reset_prefix_cache': { POST: ({ response }) => sendJson(response, { success: schedule.pool.reset() }) },
    '/fake/stats': { GET: ({ response }) => sendJson(response, stats()) },
    '/fake/reset': {
      POST: ({ response }) => {
        schedule.recount();
        requests = 0;
        sendJson(response, {});
      },
    },
    '/fake/faults': {
      POST: ({ response, body }) => {
        try {
          faults.plan(readPlan(body()));
        } catch (error) {
          if (error instanceof TypeError) throw badRequest(error.message);
          throw error;
        }
        sendJson(response, {});
      },
    },
  };

  /** What runs is aborted, or waited for (`wait`), or stands (`keep`); what is new waits in any case. */
  async function still(mode: string): Promise<void> {
    pace.pause(mode === 'keep' ? 'all' : 'new');
    if (mode === 'keep') return;
    if (mode === 'abort') pace.cancelAll();
    await pace.drained();
  }
  const stats = (): FakeStats => statsOf(office, requests, faults.met, sockets.size);

  const visit = async (request: IncomingMessage, response: ServerResponse, bytes: Buffer): Promise<void> => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return sendJson(response, { detail: 'Not Found' }, 404);
    const handler = route[request.method === 'POST' ? 'POST' : 'GET'];
    if (handler === undefined || (request.method !== 'GET' && request.method !== 'POST')) {
      response.setHeader('allow', Object.keys(route).join(', '));
      return sendJson(response, { detail: 'Method Not Allowed' }, 405);
    }
    const fault = faults.draw(path);
    if (fault === 'crash') return (crash ?? breakAll)();
    if (fault === 'forgotten') adapters.forget();
    const refusal = fault === undefined ? undefined : refusalFor(fault);
    if (refusal !== undefined) throw refusal;
    if (fault !== undefined && misdeliver(fault, delivery(response))) return;
    const type = request.headers['content-type'] ?? '';
    const requestId = request.headers['x-request-id'];
    await handler({
      query: new URLSearchParams(query),
      response,
      body: () => {
        if (path.startsWith('/v1/') && !type.startsWith('application/json')) throw unsupportedType();
        return readJson(bytes.toString('utf8'));
      },
      requestId: typeof requestId === 'string' ? requestId : undefined,
      fault,
    });
  };

  const server = createServer({ keepAliveTimeout: settings.keepAliveMs, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.once('end', () => {
      const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      visit(request, response, bytes).catch((error: unknown) => {
        if (response.destroyed || response.headersSent) return;
        const refusal = error instanceof Refusal ? error : internal(String(error));
        sendText(response, refusal.status, 'application/json', refusal.body());
      });
    });
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  function breakAll(): void {
    for (const socket of sockets) socket.destroy();
    server.close();
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', backlog: 8192 }, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    stats,
    close: () =>
      new Promise((resolve) => {
        pace.close();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

const sendJson = (response: ServerResponse, body: object, status = 200): void =>
  sendText(response, status, 'application/json', JSON.stringify(body));

function sendText(response: ServerResponse, status: number, type: string | undefined, text: string): void {
  const length = Buffer.byteLength(text);
  response.writeHead(status, { server: 'uvicorn', 'content-length': length, ...(type === undefined ? {} : { 'content-type': type }) });
  response.end(text);
}
