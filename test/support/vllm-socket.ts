/** A server of a few lines of node:http that speaks what the vLLM engine needs, and misbehaves as a test tells it. No model, no timing: engines/fake has both. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/actors/clock.ts';
import { createVllmEngine, type VllmEngine, type VllmOptions } from '../../src/gpu/engines/vllm.ts';
import type { CallId, GroupId, PolicyVersion } from '../../src/protocol/ids.ts';
import type { ChatRequest, TokenRequest } from '../../src/protocol/inference.ts';
import type { Weights } from '../../src/protocol/policy.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, body: Record<string, unknown>) => void;

export interface SocketServer {
  readonly url: string;
  /** Path → what answers it; a test replaces one to make it misbehave. */
  readonly paths: Record<string, Handler>;
  /** Adapters by name, with their directories. */
  readonly loaded: Map<string, string>;
  /** `load name` and `unload name`, in order. */
  readonly seen: string[];
  /** Sockets opened so far. */
  readonly sockets: number;
  close(): Promise<void>;
}

export const never = new AbortController().signal;
export const base: Weights = { version: 0 as PolicyVersion, kind: 'full', dir: '/base', sha256: '' };
export const lora = (version: number): Weights => ({
  version: version as PolicyVersion,
  kind: 'lora',
  dir: `/runs/v${version}`,
  sha256: String(version).repeat(64).slice(0, 64),
});

export const send = (response: ServerResponse, status: number, body: unknown, type = 'application/json'): void => {
  response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
};
/** An error body as vLLM writes it. */
export const error = (message: string, code: number) => ({ error: { message, type: 'X', param: null, code } });
/** One token a choice: the length of the prompt. */
export const completion = ({ model, n, prompt }: Record<string, unknown>) => ({
  model,
  choices: Array.from({ length: n as number }, (_, index) => ({
    index,
    finish_reason: 'length',
    token_ids: [(prompt as number[]).length],
    logprobs: { token_logprobs: [-1] },
  })),
});

export async function startSocketServer(): Promise<SocketServer> {
  const loaded = new Map<string, string>();
  const seen: string[] = [];
  let sockets = 0;
  const paths: Record<string, Handler> = {
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
  const server = createServer((request, response) => {
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
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    loaded,
    seen,
    get sockets() {
      return sockets;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const engineAt = (url: string, change: Partial<VllmOptions> = {}): VllmEngine =>
  createVllmEngine({
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
  });
export const ask = (change: Partial<TokenRequest> = {}): TokenRequest => ({
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
export const talk = (change: Partial<ChatRequest> = {}): ChatRequest => ({
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
