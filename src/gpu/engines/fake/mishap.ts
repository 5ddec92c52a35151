/** Does what a fault's name says, to a good reply or in its place. Knows sockets and bodies, and draws nothing. */
import type { ServerResponse } from 'node:http';
import type { FaultKind } from './faults.ts';
import { internal, tooBusy, badRequest, type Refusal } from './refusal.ts';

/** Instead of an answer; undefined: the request is answered, whatever `garbled` then makes of it. */
export function refusalFor(kind: FaultKind): Refusal | undefined {
  if (kind === 'error') return internal();
  if (kind === 'overload') return tooBusy();
  return kind === 'refuse' ? badRequest('a fault was asked for') : undefined;
}

export interface Delivery {
  readonly response: ServerResponse;
  readonly hugeBytes: number;
  after(ms: number, call: () => void): () => void;
}

const json = (length: number): Record<string, string | number> => ({ 'content-type': 'application/json', 'content-length': length });

const page = '<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>';

const instead: Partial<Record<FaultKind, (delivery: Delivery) => void>> = {
  reset: ({ response }) => response.socket?.resetAndDestroy(),
  hang: () => undefined,
  html: ({ response }) => response.writeHead(200, { 'content-type': 'text/html', 'content-length': page.length }).end(page),
  empty: ({ response }) => response.writeHead(200, json(0)).end(),
  huge: ({ response, hugeBytes }) => pour(response, hugeBytes),
};

/** Kinds that need no reply of the model. True: it is done. */
export function misdeliver(kind: FaultKind, delivery: Delivery): boolean {
  instead[kind]?.(delivery);
  return instead[kind] !== undefined;
}

const spoiling: Partial<Record<FaultKind, (bytes: Buffer, delivery: Delivery) => void>> = {
  stall: (bytes, { response }) => response.writeHead(200, json(bytes.length)).write(firstHalf(bytes)),
  cut: (bytes, { response }) =>
    response.writeHead(200, json(bytes.length)).write(firstHalf(bytes), () => response.socket?.resetAndDestroy()),
  drip: (bytes, { response, after }) => drip(response, bytes, after),
  truncated: (bytes, { response }) => {
    const half = firstHalf(bytes);
    response.writeHead(200, json(half.length)).end(half);
  },
};

const firstHalf = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);

/** Kinds that spoil the sending of a good reply, or the reply itself. */
export function deliver(kind: FaultKind, text: string, delivery: Delivery): void {
  const spoil = spoiling[kind];
  if (spoil !== undefined) return spoil(Buffer.from(text), delivery);
  const spoilt = Buffer.from(garbled(kind, text));
  delivery.response.writeHead(200, json(spoilt.length)).end(spoilt);
}

interface AnyChoice {
  index: number;
  finish_reason: string;
  token_ids: number[] | null;
  prompt_token_ids?: number[] | null;
  logprobs: { token_logprobs: unknown[] } | null;
}

function garbled(kind: FaultKind, text: string): string {
  const body = JSON.parse(text) as { model: string; choices: AnyChoice[] };
  const [first] = body.choices;
  if (first === undefined) return text;
  if (kind === 'missing-ids') first.token_ids = null;
  if (kind === 'missing-logprobs') first.logprobs = null;
  if (kind === 'wrong-ids') first.token_ids = first.token_ids?.slice(1) ?? null;
  if (kind === 'missing-choice') body.choices.pop();
  // The last one gives way, so that their number is right; a single one is joined by its double.
  if (kind === 'duplicate-choice') body.choices.splice(Math.max(1, body.choices.length - 1), 1, first);
  if (kind === 'wrong-model') body.model = 'someone-else';
  if (kind === 'wrong-prompt') for (const choice of body.choices) choice.prompt_token_ids?.splice(0, 1);
  if (kind === 'wrong-finish') first.finish_reason = 'exhausted';
  if (kind === 'null-logprob' || kind === 'nan') first.logprobs?.token_logprobs.splice(0, 1, null);
  const written = JSON.stringify(kind === 'wrong-shape' ? [body] : body);
  // Python's json writes it so, and no JSON parser reads it.
  return kind === 'nan' ? written.replace('"token_logprobs":[null', '"token_logprobs":[NaN') : written;
}

const dripMs = 100;

function drip(response: ServerResponse, bytes: Buffer, after: Delivery['after']): void {
  response.writeHead(200, json(bytes.length));
  let at = 0;
  const next = (): void => {
    if (response.destroyed) return;
    if (at >= bytes.length) return void response.end();
    response.write(bytes.subarray(at, ++at));
    after(dripMs, next);
  };
  next();
}

/** White space is what JSON may begin with, so that only its length tells. */
function pour(response: ServerResponse, size: number): void {
  const chunk = Buffer.alloc(256 * 1024, 0x20);
  response.writeHead(200, json(size));
  let left = size;
  const next = (): void => {
    while (left > 0 && !response.destroyed) {
      const part = chunk.subarray(0, Math.min(left, chunk.length));
      left -= part.length;
      if (!response.write(part)) return void response.once('drain', next);
    }
    if (!response.destroyed) response.end();
  };
  next();
}
