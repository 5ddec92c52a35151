/** The vLLM engine over a socket: which model answers whom, what is loaded and unloaded when, and how a call ends early. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CancelledFault, ConfigFault, EngineFault } from '../src/errors.ts';
import type { VllmEngine, VllmOptions } from '../src/gpu/engines/vllm.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import {
  ask,
  base,
  engineAt,
  error,
  type Handler,
  lora,
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

test('nobody there is absent, and is asked again by the next call', async () => {
  const of = start({ probed: true, url: 'http://127.0.0.1:9' });
  for (let call = 0; call < 2; call++) await expect(of.generate(ask(), never)).rejects.toMatchObject({ trouble: 'absent' });
});

test('no more sockets are opened than allowed, whatever is asked at once', async () => {
  const of = start({ connections: 3 });
  await of.ready();
  const before = server.sockets;
  await Promise.all(Array.from({ length: 40 }, (_, i) => of.generate(ask({ seed: i }), never)));
  expect(server.sockets - before).toBeLessThanOrEqual(3);
});

test('an aborted call closes its socket, one that waits for a socket never reaches the server', async () => {
  const of = start({ connections: 1 });
  await of.ready();
  let asked = 0;
  const closed = new Promise<void>((resolve) => {
    server.paths['/v1/completions'] = (from) => {
      asked++;
      from.socket.on('close', () => resolve());
    };
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [of.generate(ask(), first.signal), of.generate(ask(), second.signal)].map((call) =>
    expect(call).rejects.toBeInstanceOf(CancelledFault),
  );
  await vi.waitFor(() => expect(asked).toBe(1));
  second.abort();
  first.abort();
  await Promise.all([...calls, closed]);
  expect(asked).toBe(1);
});

test('a version is loaded under a name of its run, number and content, and requests name it', async () => {
  const of = start();
  await of.publish(lora(1));
  let model: unknown;
  const sound = server.paths['/v1/completions'] as Handler;
  server.paths['/v1/completions'] = (from, to, body) => {
    model = body['model'];
    sound(from, to, body);
  };
  expect((await of.generate(ask(), never)).version).toBe(1);
  expect(model).toBe('run-v1-111111111111');
  expect(server.loaded.get('run-v1-111111111111')).toBe('/runs/v1');
  await of.generate(ask({ role: 'user' }), never);
  expect(model).toBe('base');
});

test('an adapter goes when its last request has gone and one more version is published', async () => {
  const of = start();
  await of.publish(lora(1));
  const sound = server.paths['/v1/completions'] as Handler;
  let answer: (() => void) | undefined;
  server.paths['/v1/completions'] = (from, to, body) => (answer = () => sound(from, to, body));
  const slow = of.generate(ask({ version: 1 as PolicyVersion }), never);
  await vi.waitFor(() => expect(answer).toBeDefined());
  await of.publish(lora(2));
  await of.publish(lora(3));
  expect([...server.loaded.keys()]).toEqual(['run-v1-111111111111', 'run-v2-222222222222', 'run-v3-333333333333']);
  answer?.();
  expect((await slow).version).toBe(1);
  await of.publish(lora(4));
  expect([...server.loaded.keys()]).toEqual(['run-v3-333333333333', 'run-v4-444444444444']);
});

test('a restarted server gets its adapters back once, however many calls notice', async () => {
  const of = start({ versions: 2 });
  await of.publish(lora(1));
  await of.publish(lora(2));
  server.loaded.clear();
  server.seen.length = 0;
  const replies = await Promise.all(
    Array.from({ length: 8 }, (_, i) => of.generate(ask({ version: (1 + (i % 2)) as PolicyVersion }), never)),
  );
  expect(replies.map(({ version }) => version)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
  expect(server.seen.toSorted()).toEqual(['load run-v1-111111111111', 'load run-v2-222222222222']);
});

test('a restarted server gets back what still answers; the directory of a retired version may be gone', async () => {
  const of = start();
  await of.publish(lora(1));
  const complete = server.paths['/v1/completions'] as Handler;
  const held = new AbortController();
  const straggler = new Promise<void>((resolve) => {
    server.paths['/v1/completions'] = () => resolve();
  });
  const late = expect(of.generate(ask({ version: 1 as PolicyVersion }), held.signal)).rejects.toBeInstanceOf(CancelledFault);
  await straggler;
  await of.publish(lora(2));
  server.paths['/v1/completions'] = complete;
  server.loaded.clear();
  server.seen.length = 0;
  expect((await of.generate(ask(), never)).version).toBe(2);
  expect(server.seen).toEqual(['load run-v2-222222222222']);
  held.abort();
  await late;
});

test('an adapter that cannot be loaded leaves the version before it in place', async () => {
  const of = start();
  await of.publish(lora(1));
  server.paths['/v1/load_lora_adapter'] = (_, to) => send(to, 404, error('No adapter found for /runs/v2', 404));
  await expect(of.publish(lora(2))).rejects.toThrow(/loading adapter run-v2-222222222222 from \/runs\/v2.*No adapter found/);
  expect((await of.generate(ask(), never)).version).toBe(1);
});

test('an adapter that an earlier process left under the same name and path is taken over', async () => {
  const of = start({ weights: lora(5) });
  server.loaded.set('run-v5-555555555555', '/runs/v5');
  expect((await of.generate(ask(), never)).version).toBe(5);
  await of.close();
  expect(server.loaded.size).toBe(0);
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
  server.paths['/sleep'] = (from, to) => {
    asked.push(from.url ?? '');
    send(to, 200, {});
  };
  server.paths['/wake_up'] = (_, to) => send(to, 200, {});
  await of.sleep?.();
  server.seen.length = 0;
  await of.wake?.();
  expect(asked).toEqual(['/sleep?level=1&mode=wait']);
  expect(server.seen).toEqual(['unload run-v1-111111111111', 'load run-v1-111111111111']);
});

test('a server that a dead run left asleep is woken before anything is asked of it, and loads its adapters anew', async () => {
  let asleep = true;
  server.paths['/is_sleeping'] = (_, to) => send(to, 200, { is_sleeping: asleep });
  server.paths['/wake_up'] = (_, to) => {
    asleep = false;
    send(to, 200, {});
  };
  // It kept what the dead run had loaded there.
  server.loaded.set('run-v1-111111111111', '/runs/v1');
  const load = server.paths['/v1/load_lora_adapter'] as Handler;
  server.paths['/v1/load_lora_adapter'] = (from, to, body) => (asleep ? to.destroy() : load(from, to, body));
  expect((await start({ sleeps: true, weights: lora(1) }).generate(ask(), never)).version).toBe(1);
  expect(server.seen).toEqual(['load run-v1-111111111111', 'unload run-v1-111111111111', 'load run-v1-111111111111']);
});

test('a server that we put to sleep is woken when its engine closes, and only then', async () => {
  const woken: string[] = [];
  server.paths['/sleep'] = (_, to) => send(to, 200, {});
  server.paths['/wake_up'] = (_, to) => {
    woken.push('wake');
    send(to, 200, {});
  };
  await start({ sleeps: true }).sleep?.();
  await engine?.close();
  expect(woken).toEqual(['wake']);
  const other = start({ sleeps: true });
  await other.ready();
  await other.close();
  expect(woken).toEqual(['wake']);
});

test('a chat goes to the base with its schema and without thinking, and comes back as text', async () => {
  const of = start();
  let asked: Record<string, unknown> = {};
  server.paths['/v1/chat/completions'] = (_, to, body) => {
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

test('a server that takes no priorities and no fields of vLLM’s is not sent any', async () => {
  const asked: Record<string, unknown>[] = [];
  server.paths['/v1/completions'] = (_, to) => send(to, 400, error('priority scheduling is not enabled', 400));
  server.paths['/v1/chat/completions'] = (_, to, body) => {
    asked.push(body);
    const message = { role: 'assistant', content: '{"w":"eel"}' };
    send(to, 200, { model: 'base', choices: [{ index: 0, finish_reason: 'stop', message }] });
  };
  await start({ probed: true, serves: 'simulators' }).chat?.(talk(), never);
  await engine?.close();
  server.paths['/version'] = (_, to) => send(to, 200, { version: '0.33.0' });
  await start({ probed: true, serves: 'simulators' }).chat?.(talk(), never);
  const [other, vllm] = asked.filter(({ messages }) => JSON.stringify(messages).includes('hello'));
  expect(Object.keys(other ?? {}).toSorted()).toEqual(['max_tokens', 'messages', 'model', 'n', 'seed', 'temperature', 'top_p']);
  expect(vllm).toHaveProperty('chat_template_kwargs');
  expect(vllm).not.toHaveProperty('priority');
});

test('an aborted chat is cancelled', async () => {
  const of = start();
  const aborted = new AbortController();
  server.paths['/v1/chat/completions'] = () => aborted.abort();
  await expect(of.chat?.(talk(), aborted.signal)).rejects.toBeInstanceOf(CancelledFault);
});

test('a server that gives no token ids is refused for the policy with the reason, and taken for simulators', async () => {
  server.paths['/v1/completions'] = (_, to) => send(to, 200, { model: 'base', choices: [{ index: 0, finish_reason: 'stop', text: 'x' }] });
  server.paths['/v1/chat/completions'] = (_, to) =>
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
  server.paths['/metrics'] = (_, to) =>
    send(to, 200, `vllm:num_requests_running 3\nvllm:num_requests_waiting 2\nvllm:num_preemptions_total ${preemptions}\n`, 'text/plain');
  expect(await of.pressure?.(never)).toMatchObject({ waiting: 2, refused: false });
  preemptions = 1;
  expect(await of.pressure?.(never)).toMatchObject({ refused: true });
  expect(await of.pressure?.(never)).toMatchObject({ refused: false });
  server.paths['/v1/completions'] = (_, to) => send(to, 503, error('full', 503));
  await expect(of.generate(ask(), never)).rejects.toBeInstanceOf(EngineFault);
  expect(await of.pressure?.(never)).toMatchObject({ refused: true });
});

test('the script of a fake server travels with the request', async () => {
  const of = start({ script: ({ n }) => Array.from({ length: n }, (_, k) => [k, 3]) });
  let asked: Record<string, unknown> = {};
  const sound = server.paths['/v1/completions'] as Handler;
  server.paths['/v1/completions'] = (from, to, body) => {
    asked = body;
    sound(from, to, body);
  };
  await of.generate(ask({ n: 2 }), never);
  expect(asked['vllm_xargs']).toEqual({ script: '[[0,3],[1,3]]' });
});
