/**
 * One server's HTTP: bounded sockets, bounded replies, one deadline over the whole exchange. It knows bytes and statuses, and neither paths nor fields.
 * undici's handler interface is used as it is: streams and fetch cost several times as much a call, and it alone lets a reply be refused while it arrives.
 */
import { type Dispatcher, Pool } from 'undici';
import { CancelledFault, EngineFault, type TroupeFault } from '../../../errors.ts';
import type { Clock } from '../../clock.ts';

export interface HttpOptions {
  /** `http://127.0.0.1:8000`; a path in it goes before every path that is asked, a closing `/v1` is left out. */
  readonly url: string;
  /** Sockets at most; exchanges beyond it wait for one, within their deadline. */
  readonly connections: number;
  /** A longer reply is refused while it arrives. */
  readonly replyBytes: number;
  readonly clock: Clock;
}

interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  /** Milliseconds from now until the last byte of the reply: the wait for a socket, the connection and a stalled body included. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly text: string;
}

export interface Http {
  readonly url: string;
  /** Resolves with whatever status the server gave. Rejects with EngineFault (absent, unreachable, stalled, malformed) or CancelledFault; either way the socket is let go at once. */
  send(exchange: Exchange): Promise<HttpReply>;
  /** Rejects what is pending and what comes after. */
  close(): Promise<void>;
}

/**
 * An exchange under way. It forgets whose it was when it ends: a Set that is added to and deleted from all the time leaves its outgrown tables behind, each pointing to
 * the next, and what one of them holds when it is old survives every collection of the nursery after it, the reply's text too.
 */
interface Pending {
  fail: (fault: TroupeFault) => void;
}

const noOne = (): void => {};

/** Below the 5 s after which vLLM's own server closes an idle socket: a request written to a socket that is just closing is lost. */
const KEEP_ALIVE_MS = 4_000;
const CONNECT_MS = 10_000;

export function openHttp({ url, connections, replyBytes, clock }: HttpOptions): Http {
  const { origin, pathname } = new URL(url);
  const prefix = pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
  // The total deadline covers what undici's two timeouts would, and undici's are shorter than a queue may be long.
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_MS },
  });
  const open = new Set<Pending>();
  let closed = false;

  const send = ({ method, path, body, deadlineMs, signal }: Exchange): Promise<HttpReply> =>
    new Promise((resolve, reject) => {
      const where = `${method} ${origin}${prefix}${path}`;
      if (closed) return reject(new EngineFault(`${where}: the connection is closed`, { trouble: 'refused' }));
      if (signal?.aborted === true) return reject(new CancelledFault(`${where} was cancelled`));
      let controller: Dispatcher.DispatchController | undefined;
      let settled = false;
      let status = 0;
      let size = 0;
      const chunks: Buffer[] = [];

      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        disarm();
        open.delete(pending);
        pending.fail = noOne;
        signal?.removeEventListener('abort', cancel);
        return true;
      };
      const fail = (fault: TroupeFault): void => {
        if (!settle()) return;
        chunks.length = 0;
        reject(fault);
        // Closing the socket is how vLLM learns that nobody waits any more. One still in undici's queue has none: it is stopped when it gets one.
        controller?.abort(fault);
      };
      const cancel = (): void => fail(new CancelledFault(`${where} was cancelled`));
      const heard = (): string => (status === 0 ? 'no reply' : `status ${status} and ${size} bytes`);
      const disarm = clock.after(deadlineMs, () =>
        fail(new EngineFault(`${where}: ${heard()} within ${Math.round(deadlineMs)} ms`, { trouble: 'stalled' })),
      );
      const pending: Pending = { fail };
      open.add(pending);
      signal?.addEventListener('abort', cancel, { once: true });

      pool.dispatch(
        { path: prefix + path, method, headers: body === undefined ? ACCEPTS : SENDS, body: body ?? null },
        {
          onRequestStart: (started) => {
            controller = started;
            if (settled) started.abort(new CancelledFault(`${where} was cancelled`));
          },
          onResponseStart: (_, code) => {
            status = code;
          },
          onResponseData: (_, chunk) => {
            size += chunk.length;
            if (size > replyBytes) fail(new EngineFault(`${where}: a reply of more than ${replyBytes} bytes`, { trouble: 'malformed' }));
            else chunks.push(chunk);
          },
          onResponseEnd: () => {
            if (settle()) resolve({ status, text: textOf(chunks) });
          },
          onResponseError: (_, error) =>
            fail(new EngineFault(`${where}: ${reasonOf(error)}`, { cause: error, trouble: isUnheard(error) ? 'absent' : 'unreachable' })),
        },
      );
    });

  return {
    url: origin + prefix,
    send,
    close: async () => {
      if (closed) return;
      closed = true;
      for (const pending of open) pending.fail(new EngineFault(`${origin}: the engine was closed`, { trouble: 'refused' }));
      await pool.destroy();
    },
  };
}

const ACCEPTS = ['accept', 'application/json'];
const SENDS = [...ACCEPTS, 'content-type', 'application/json'];

const textOf = (chunks: readonly Buffer[]): string =>
  (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8');

/** The connection could not be made: the request never left. */
function isUnheard(error: Error): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT'].includes(code);
}

/** A refused connection to `localhost` is several failures in one, with no message of its own. */
function reasonOf(error: Error): string {
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first instanceof Error ? first.message : error.name;
}
