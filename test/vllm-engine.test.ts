/** The vLLM engine over a socket: what a server may do wrong, and which fault it becomes. The server here is a few lines of node:http that misbehave as told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../src/actors/clock.ts';
import { CancelledFault, ConfigFault, EngineFault, type EngineTrouble } from '../src/errors.ts';
import { createVllmEngine, type VllmEngine, type VllmOptions } from '../src/gpu/engines/vllm.ts';
import type { CallId, GroupId, PolicyVersion } from '../src/protocol/ids.ts';
import type { ChatRequest, TokenRequest } from '../src/protocol/inference.ts';
import type { Weights } from '../src/protocol/policy.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: Record<string, unknown>) => void;
const never = new AbortController().signal;
const base: Weights = { version: 0 as PolicyVersion, kind: 'full', dir: '/base', sha256: '' };
const lora = (version: number, dir = `/runs/v${version}`): Weights => ({
  version: version as PolicyVersion,
  kind: 'lora',
  dir,
  sha256: String(version).repeat(64).slice(0, 64),
});

let server: Server;
let url: string;
let engine: VllmEngine | undefined;
/** path → what answers it. */
let paths: Record<string, Handler>;
/** `name body` of each control request, in order. */
let seen: string[];
let sockets: number;

const send = (response: ServerResponse, status: number, body: unknown, type = 'application/json'): void => {
  response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
};
const error = (message: string, code: number) => ({ error: { message, type: 'X', param: null, code } });
const completion = ({ model, n, prompt }: Record<string, unknown>) => ({
  model,
  choices: Array.from({ length: n as number }, (_, index) => ({
    index,
    finish_reason: 'length',
    token_ids: [(prompt as number[]).length],
    logprobs: { token_logprobs: [-1] },
  })),
});
const loaded = new Map<string, string>();

beforeEach(async () => {
  seen = [];
  sockets = 0;
  loaded.clear();
  paths = {
    '/v1/completions': (_, response, body) => {
      const known = body['model'] === 'base' || loaded.has(body['model'] as string);
      return known ? send(response, 200, completion(body)) : send(response, 404, error('The model does not exist.', 404));
    },
    '/v1/models': (_, response) =>
      send(response, 200, { data: [{ id: 'base', root: '/base' }, ...[...loaded].map(([id, root]) => ({ id, root }))] }),
    '/v1/load_lora_adapter': (_, response, body) => {
      const name = body['lora_name'] as string;
      seen.push(`load ${name}`);
      if (loaded.has(name)) return send(response, 400, error('already loaded', 400));
      loaded.set(name, body['lora_path'] as string);
      return send(response, 200, 'Success', 'text/plain');
    },
    '/v1/unload_lora_adapter': (_, response, body) => {
      seen.push(`unload ${String(body['lora_name'])}`);
      return loaded.delete(body['lora_name'] as string) ? send(response, 200, 'Success') : send(response, 404, error('not found', 404));
    },
  };
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const handler = paths[(request.url ?? '').split('?')[0] as string];
      if (handler === undefined) return send(response, 404, { detail: 'Not Found' });
      return handler(request, response, text === '' ? {} : (JSON.parse(text) as Record<string, unknown>));
    });
  });
  server.on('connection', () => sockets++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await engine?.close();
  engine = undefined;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const start = (change: Partial<VllmOptions> = {}): VllmEngine =>
  (engine = createVllmEngine({
    url,
    clock: systemClock,
    weights: base,
    adapterPrefix: 'run',
    contextLength: 64,
    concurrency: 8,
    connections: 4,
    probed: false,
    verified: false,
    ...change,
  }));
const ask = (change: Partial<TokenRequest> = {}): TokenRequest => ({
  id: 'call' as CallId,
  role: 'policy',
  version: null,
  ids: Int32Array.of(1, 2, 3),
  n: 1,
  seed: 1,
  stop: [],
  maxTokens: 4,
  temperature: 1,
  priority: 0,
  group: 's00001.t000' as GroupId,
  deadlineMs: 5_000,
  ...change,
});
const talk = (change: Partial<ChatRequest> = {}): ChatRequest => ({
  id: 'chat' as CallId,
  role: 'user',
  messages: [{ role: 'user', content: 'hello' }],
  seed: 1,
  maxTokens: 8,
  temperature: 1,
  priority: 3,
  group: 's00001.t000' as GroupId,
  deadlineMs: 5_000,
  ...change,
});

const misbehaviours: [string, Handler, EngineTrouble, RegExp][] = [
  ['a failure of its own', (_, to) => send(to, 500, error('EngineCore died', 500)), 'internal', /answered 500: EngineCore died/],
  ['a full queue', (_, to) => send(to, 503, error('queue is full', 503)), 'overloaded', /answered 503: queue is full/],
  ['a rate limit', (_, to) => send(to, 429, 'slow down', 'text/plain'), 'overloaded', /answered 429: slow down/],
  ['a refusal', (_, to) => send(to, 400, error('out of vocabulary', 400)), 'refused', /answered 400: out of vocabulary/],
  ['a path it lacks', (_, to) => send(to, 404, { detail: 'Not Found' }), 'refused', /answered 404: Not Found/],
  ['a proxy alone', (_, to) => send(to, 502, '<html>Bad Gateway</html>', 'text/html'), 'unreachable', /answered 502/],
  ['a web page', (_, to) => send(to, 200, '<html>welcome</html>', 'text/html'), 'malformed', /web page/],
  [
    'half a body',
    (_, to) => send(to, 200, JSON.stringify(completion({ model: 'base', n: 1, prompt: [] })).slice(0, 40)),
    'malformed',
    /no JSON object/,
  ],
  ['a reset', (from) => from.socket.destroy(), 'unreachable', /other side closed|socket|ECONNRESET/],
  [
    'a body cut short',
    (from, to) => {
      to.writeHead(200, { 'content-length': '1000' });
      to.write('{"model"');
      setTimeout(() => from.socket.destroy(), 20);
    },
    'unreachable',
    /terminated|other side closed|socket|ECONNRESET/,
  ],
  ['silence', () => undefined, 'stalled', /no reply within \d+ ms/],
  [
    'headers and then nothing',
    (_, to) => to.writeHead(200, { 'content-length': '1000' }).flushHeaders(),
    'stalled',
    /status 200 and 0 bytes within \d+ ms/,
  ],
  [
    'a slow drip',
    (_, to) => {
      to.writeHead(200);
      const drip = setInterval(() => to.write(' '), 20);
      to.on('close', () => clearInterval(drip));
    },
    'stalled',
    /status 200 and \d+ bytes within \d+ ms/,
  ],
  [
    'a flood',
    (_, to) => {
      to.writeHead(200);
      const pour = (): void => {
        while (!to.destroyed && to.write('x'.repeat(65_536)));
      };
      to.on('drain', pour).on('error', () => undefined);
      pour();
    },
    'malformed',
    /more than 100000 bytes/,
  ],
];

test.each(misbehaviours)('%s becomes the fault that says so, and the next call is answered', async (_, handler, trouble, message) => {
  const of = start({ replyBytes: 100_000 });
  const sound = paths['/v1/completions'] as Handler;
  paths['/v1/completions'] = handler;
  const fault: unknown = await of.generate(ask({ deadlineMs: 150 }), never).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(EngineFault);
  expect((fault as EngineFault).message).toMatch(message);
  expect((fault as EngineFault).trouble).toBe(trouble);
  paths['/v1/completions'] = sound;
  await expect(of.generate(ask(), never)).resolves.toMatchObject({ id: 'call', version: 0 });
});

test('nobody there is unreachable, and is asked again by the next call', async () => {
  const of = start({ probed: true, url: 'http://127.0.0.1:9' });
  for (let call = 0; call < 2; call++) await expect(of.generate(ask(), never)).rejects.toMatchObject({ trouble: 'unreachable' });
});

test('no more sockets are opened than allowed, whatever is asked at once', async () => {
  const of = start({ connections: 3 });
  await of.ready();
  sockets = 0;
  await Promise.all(Array.from({ length: 40 }, (_, i) => of.generate(ask({ seed: i }), never)));
  expect(sockets).toBeLessThanOrEqual(3);
});

test('an aborted call closes its socket, one that waits for a socket never reaches the server', async () => {
  const of = start({ connections: 1 });
  await of.ready();
  let asked = 0;
  const closed = new Promise<void>((resolve) => {
    paths['/v1/completions'] = (from) => {
      asked++;
      from.socket.on('close', () => resolve());
    };
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [of.generate(ask(), first.signal), of.generate(ask(), second.signal)].map((call) =>
    expect(call).rejects.toBeInstanceOf(CancelledFault),
  );
  while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  second.abort();
  first.abort();
  await Promise.all([...calls, closed]);
  expect(asked).toBe(1);
});

test('a version is loaded under a name of its run, number and content, and requests name it', async () => {
  const of = start();
  await of.publish(lora(1));
  let model: unknown;
  const sound = paths['/v1/completions'] as Handler;
  paths['/v1/completions'] = (from, to, body) => {
    model = body['model'];
    sound(from, to, body);
  };
  expect((await of.generate(ask(), never)).version).toBe(1);
  expect(model).toBe('run-v1-111111111111');
  expect(loaded.get('run-v1-111111111111')).toBe('/runs/v1');
  await of.generate(ask({ role: 'user' }), never);
  expect(model).toBe('base');
});

test('an adapter goes when its last request has gone and one more version is published', async () => {
  const of = start();
  await of.publish(lora(1));
  const sound = paths['/v1/completions'] as Handler;
  let answer!: () => void;
  paths['/v1/completions'] = (from, to, body) => (answer = () => sound(from, to, body));
  const slow = of.generate(ask({ version: 1 as PolicyVersion }), never);
  while (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  await of.publish(lora(2));
  await of.publish(lora(3));
  expect([...loaded.keys()]).toEqual(['run-v1-111111111111', 'run-v2-222222222222', 'run-v3-333333333333']);
  answer();
  expect((await slow).version).toBe(1);
  await of.publish(lora(4));
  expect([...loaded.keys()]).toEqual(['run-v3-333333333333', 'run-v4-444444444444']);
});

test('a restarted server gets its adapters back once, however many calls notice', async () => {
  const of = start({ versions: 2 });
  await of.publish(lora(1));
  await of.publish(lora(2));
  loaded.clear();
  seen = [];
  const replies = await Promise.all(
    Array.from({ length: 8 }, (_, i) => of.generate(ask({ version: (1 + (i % 2)) as PolicyVersion }), never)),
  );
  expect(replies.map(({ version }) => version)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  expect(seen.toSorted()).toEqual(['load run-v1-111111111111', 'load run-v2-222222222222']);
});

test('an adapter that cannot be loaded leaves the version before it in place', async () => {
  const of = start();
  await of.publish(lora(1));
  paths['/v1/load_lora_adapter'] = (_, to) => send(to, 404, error('No adapter found for /runs/v2', 404));
  await expect(of.publish(lora(2))).rejects.toThrow(/loading adapter run-v2-222222222222 from \/runs\/v2.*No adapter found/);
  expect((await of.generate(ask(), never)).version).toBe(1);
});

test('an adapter that an earlier process left under the same name and path is taken over', async () => {
  const of = start({ weights: lora(5) });
  loaded.set('run-v5-555555555555', '/runs/v5');
  expect((await of.generate(ask(), never)).version).toBe(5);
  await of.close();
  expect(loaded.size).toBe(0);
});

test('whole models are refused, but for a trainer that changes nothing', async () => {
  await expect(start().publish({ ...base, version: 1 as PolicyVersion })).rejects.toThrow(/adapters only/);
  await engine?.close();
  const of = start({ unchanging: true });
  await of.publish({ ...base, version: 1 as PolicyVersion });
  expect((await of.generate(ask(), never)).version).toBe(1);
});

test('after sleep every adapter is loaded anew', async () => {
  const of = start({ sleeps: true });
  await of.publish(lora(1));
  const asked: string[] = [];
  paths['/sleep'] = (from, to) => {
    asked.push(from.url ?? '');
    send(to, 200, {});
  };
  paths['/wake_up'] = (_, to) => send(to, 200, {});
  await of.sleep?.();
  seen = [];
  await of.wake?.();
  expect(asked).toEqual(['/sleep?level=1&mode=wait']);
  expect(seen).toEqual(['unload run-v1-111111111111', 'load run-v1-111111111111']);
});

test('a chat goes to the base with its schema and without thinking, and comes back as text', async () => {
  const of = start();
  let asked: Record<string, unknown> = {};
  paths['/v1/chat/completions'] = (_, to, body) => {
    asked = body;
    send(to, 200, {
      model: 'base',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }],
      usage: {},
    });
  };
  const schema = { type: 'object' };
  expect(await of.chat?.(talk({ schema }), never)).toEqual({ id: 'chat', text: 'hi', finish: 'stop', model: 'base' });
  expect(asked).toMatchObject({
    model: 'base',
    max_tokens: 8,
    priority: 3,
    response_format: { type: 'json_schema', json_schema: { schema, strict: true } },
    chat_template_kwargs: { enable_thinking: false },
  });
});

test.each<[string, Handler, EngineTrouble]>([
  [
    'another model',
    (_, to) => send(to, 200, { model: 'run-v1', choices: [{ finish_reason: 'stop', message: { content: 'x' } }] }),
    'malformed',
  ],
  ['no text', (_, to) => send(to, 200, { model: 'base', choices: [{ finish_reason: 'stop', message: { content: null } }] }), 'malformed'],
  [
    'an odd end',
    (_, to) => send(to, 200, { model: 'base', choices: [{ finish_reason: 'tool_calls', message: { content: 'x' } }] }),
    'malformed',
  ],
  ['a web page', (_, to) => send(to, 200, '<html></html>', 'text/html'), 'malformed'],
  ['a failure', (_, to) => send(to, 500, error('timed out inside', 500)), 'internal'],
  ['silence', () => undefined, 'stalled'],
  ['a reset', (from) => from.socket.destroy(), 'unreachable'],
])('a chat answered by %s is a fault of its kind', async (_, handler, trouble) => {
  const of = start();
  paths['/v1/chat/completions'] = handler;
  await expect(of.chat?.(talk({ deadlineMs: 150 }), never)).rejects.toMatchObject({ name: 'EngineFault', trouble });
});

test('an aborted chat is cancelled', async () => {
  const of = start();
  const aborted = new AbortController();
  paths['/v1/chat/completions'] = () => aborted.abort();
  await expect(of.chat?.(talk(), aborted.signal)).rejects.toBeInstanceOf(CancelledFault);
});

test('a server that gives no token ids is refused for the policy with the reason, and taken for simulators', async () => {
  paths['/v1/completions'] = (_, to) => send(to, 200, { model: 'base', choices: [{ index: 0, finish_reason: 'stop', text: 'x' }] });
  paths['/v1/chat/completions'] = (_, to) =>
    send(to, 200, { model: 'base', choices: [{ index: 0, finish_reason: 'stop', message: { content: '{"w":"eel"}' } }] });
  const refused: unknown = await start({ probed: true })
    .ready()
    .catch((fault: unknown) => fault);
  expect(refused).toBeInstanceOf(ConfigFault);
  expect((refused as ConfigFault).message).toMatch(/cannot serve the policy:\n.*tokens in, tokens out: .*no token_ids.*return_token_ids/s);
  await engine?.close();
  const of = start({ probed: true, serves: 'simulators' });
  await of.ready();
  expect(await of.chat?.(talk(), never)).toMatchObject({ text: '{"w":"eel"}' });
});

test('pressure is refused once after a server threw requests out or a call met a full queue', async () => {
  const of = start();
  let preemptions = 0;
  paths['/metrics'] = (_, to) =>
    send(to, 200, `vllm:num_requests_running 3\nvllm:num_requests_waiting 2\nvllm:num_preemptions_total ${preemptions}\n`, 'text/plain');
  expect(await of.pressure?.(never)).toMatchObject({ waiting: 2, refused: false });
  preemptions = 1;
  expect(await of.pressure?.(never)).toMatchObject({ refused: true });
  expect(await of.pressure?.(never)).toMatchObject({ refused: false });
  paths['/v1/completions'] = (_, to) => send(to, 503, error('full', 503));
  await expect(of.generate(ask(), never)).rejects.toBeInstanceOf(EngineFault);
  expect(await of.pressure?.(never)).toMatchObject({ refused: true });
});

test('the script of a fake server travels with the request', async () => {
  const of = start({ script: ({ n }) => Array.from({ length: n }, (_, k) => [k, 3]) });
  let asked: Record<string, unknown> = {};
  const sound = paths['/v1/completions'] as Handler;
  paths['/v1/completions'] = (from, to, body) => {
    asked = body;
    sound(from, to, body);
  };
  await of.generate(ask({ n: 2 }), never);
  expect(asked['vllm_xargs']).toEqual({ script: '[[0,3],[1,3]]' });
});
