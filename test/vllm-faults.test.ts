/** What a server may do wrong, and which fault it becomes: nothing of it ends a run, and the next call is answered. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineFault, type EngineTrouble } from '../src/errors.ts';
import type { VllmEngine, VllmOptions } from '../src/gpu/engines/vllm.ts';
import {
  ask,
  completion,
  engineAt,
  error,
  type Handler,
  never,
  send,
  type SocketServer,
  startSocketServer,
  talk,
} from './support/vllm-socket.ts';

let server: SocketServer;
let engine: VllmEngine | undefined;
beforeEach(async () => {
  server = await startSocketServer();
});
afterEach(async () => {
  await engine?.close();
  engine = undefined;
  await server.close();
});
const start = (change: Partial<VllmOptions> = {}): VllmEngine => (engine = engineAt(server.url, change));

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
  const sound = server.paths['/v1/completions'] as Handler;
  server.paths['/v1/completions'] = handler;
  await of.ready();
  // Only what never ends is waited out.
  const deadlineMs = trouble === 'stalled' ? 500 : 20_000;
  const fault: unknown = await of.generate(ask({ deadlineMs }), never).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(EngineFault);
  expect((fault as EngineFault).message).toMatch(message);
  expect((fault as EngineFault).trouble).toBe(trouble);
  server.paths['/v1/completions'] = sound;
  await expect(of.generate(ask(), never)).resolves.toMatchObject({ id: 'call', version: 0 });
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
  server.paths['/v1/chat/completions'] = handler;
  await expect(of.chat?.(talk({ deadlineMs: 150 }), never)).rejects.toMatchObject({ name: 'EngineFault', trouble });
});
