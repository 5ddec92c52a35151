/** Asks an MCP server for its list of tools, over a child's pipes or over HTTP. It lists; it never calls a tool, and offers the server nothing to call. */
import {
  Client,
  SdkError,
  SdkErrorCode,
  StreamableHTTPClientTransport,
  type Transport,
  type VersionNegotiationOptions,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import { asFault, ConfigFault, type TroupeFault } from '../../errors.ts';
import { JsonValue } from '../../protocol/json.ts';
import { checkShape, sayable } from '../shape.ts';
import { type After, ChildTransport } from './mcp-child.ts';
import { fetchFrom } from './mcp-address.ts';

export type McpServer =
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]] }
  | { readonly kind: 'address'; readonly url: URL; readonly headers: Readonly<Record<string, string>> };

export interface McpList {
  /** As the server calls itself. */
  readonly server: string;
  readonly entries: readonly JsonValue[];
}

export interface McpWait {
  /** Ends the wait. */
  readonly signal: AbortSignal;
  readonly after: After;
  /** Milliseconds for the question which revision of the protocol a server speaks: old ones may not answer it at all. */
  readonly probeMs?: number;
}

const mostPages = 100;
const mostTools = 10_000;
/** The client has a timeout of its own for each request; ours is the signal. */
const longest = 2 ** 31 - 1;

const Page = z.looseObject({ tools: z.array(z.unknown()).max(mostTools), nextCursor: z.string().nullish() });

/** Throws ConfigFault when the server cannot be started or reached, answers no list, or `signal` ends the wait. The server is ended either way. */
export async function listMcp(server: McpServer, { signal, after, probeMs = 5000 }: McpWait): Promise<McpList> {
  const what = `MCP server ${server.kind === 'command' ? server.command.join(' ') : server.url.href}`;
  try {
    return await attempt(server, { mode: 'auto', probe: { timeoutMs: probeMs } }, signal, after);
  } catch (error) {
    // The newest revision first; a server that is silent when asked for it is asked again in the one that everybody speaks.
    if (signal.aborted || !unanswered(error)) throw faultOf(what, error);
  }
  try {
    return await attempt(server, { mode: 'legacy' }, signal, after);
  } catch (error) {
    throw faultOf(what, error);
  }
}

async function attempt(server: McpServer, revision: VersionNegotiationOptions, signal: AbortSignal, after: After): Promise<McpList> {
  const transport = server.kind === 'command' ? new ChildTransport(server.command, after) : overHttp(server);
  try {
    return await untilAborted(signal, () => ask(transport, revision, signal));
  } catch (error) {
    throw new Unlisted(error, transport instanceof ChildTransport ? transport.words : '');
  } finally {
    await transport.close().catch(() => undefined);
  }
}

/** What went wrong, and what the server had said on stderr by then. */
class Unlisted extends Error {
  readonly words: string;
  constructor(cause: unknown, words: string) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.words = words;
  }
}

function faultOf(what: string, error: unknown): TroupeFault {
  if (!(error instanceof Unlisted)) return asFault(ConfigFault, what, error);
  const { cause, message, words } = error;
  return new ConfigFault(`${what}: ${message}`, { cause, ...(words.trim() === '' ? {} : { raw: words.trim() }) });
}

const overHttp = ({ url, headers }: Extract<McpServer, { kind: 'address' }>): Transport =>
  new StreamableHTTPClientTransport(url, {
    fetch: fetchFrom(url),
    requestInit: { headers },
    reconnectionOptions: { maxRetries: 0, initialReconnectionDelay: 1000, maxReconnectionDelay: 1000, reconnectionDelayGrowFactor: 1 },
  });

async function ask(transport: Transport, revision: VersionNegotiationOptions, signal: AbortSignal): Promise<McpList> {
  const client = new Client({ name: 'troupe', version: '1' }, { versionNegotiation: revision });
  const options = { signal, timeout: longest };
  await client.connect(transport, options);
  const entries: JsonValue[] = [];
  const cursors = new Set<string>();
  let cursor: string | undefined;
  do {
    // Not listTools: it refuses the whole list for one bad tool, and we report each.
    const page = await client.request({ method: 'tools/list', params: cursor === undefined ? {} : { cursor } }, Page, options);
    checkShape(page.tools as JsonValue, 'tools/list', 'refused');
    entries.push(...(sayable(page.tools as JsonValue) as JsonValue[]));
    cursor = page.nextCursor ?? undefined;
    if (cursor !== undefined && (cursors.has(cursor) || cursors.size >= mostPages)) throw new ConfigFault('its list of tools does not end');
    if (entries.length > mostTools) throw new ConfigFault(`more than ${mostTools} tools`);
    if (cursor !== undefined) cursors.add(cursor);
  } while (cursor !== undefined);
  return { server: client.getServerVersion()?.name.slice(0, 60) ?? 'mcp', entries };
}

/** A server that neither answers nor ends cannot hold us: the signal ends the wait, whatever the client is waiting for. */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) throw new Error(late);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(new Error(late));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const late = 'no list in the time given';

/** The question for the revision was not answered, or answered by hanging up. */
const unanswered = (error: unknown): boolean =>
  error instanceof Unlisted &&
  error.cause instanceof SdkError &&
  (error.cause.code === SdkErrorCode.RequestTimeout || error.cause.code === SdkErrorCode.EraNegotiationFailed);
