/** Where tools can be imported from, by the name a user gives: one row a format. Knows the importers; checks no tool. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { ConfigFault } from '../../errors.ts';
import { listOf, type ReadList, textOf } from '../load.ts';
import { readOpenAi } from '../openai.ts';
import { readToolBench } from '../toolbench.ts';
import { readMcp } from './mcp.ts';
import { addressOf } from './mcp-address.ts';
import type { After } from './mcp-child.ts';
import { listMcp, type McpServer } from './mcp-server.ts';
import { readOpenApi } from './openapi.ts';
import type { Candidates } from './source.ts';

export type Format = 'openapi' | 'mcp' | 'toolbench' | 'openai';

export interface ImportOptions {
  /** Ends the wait for an MCP server. */
  readonly signal: AbortSignal;
  readonly after: After;
  /** Sent to an MCP server over HTTP. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Candidates of each source in turn. `sources`: files, for openapi folders too; for mcp an http address, a saved list, or the words of a command
 * (one text with blanks is split at them; quotes hold words together). Throws ConfigFault for a source that cannot be read at all.
 */
export async function* candidatesOf(format: Format, sources: readonly string[], options: ImportOptions): AsyncGenerator<Candidates> {
  switch (format) {
    case 'openapi':
      for (const source of sources) yield* readOpenApi(source);
      return;
    case 'toolbench':
      for (const source of sources) yield fromFile(source, readToolBench);
      return;
    case 'openai':
      for (const source of sources) yield fromFile(source, readOpenAi);
      return;
    case 'mcp':
      yield await fromMcp(sources, options);
      return;
    default:
      format satisfies never;
  }
}

function fromFile(path: string, read: ReadList): Candidates {
  const file = basename(path);
  return { file, cuts: [], ...read(listOf(textOf(path), file), file) };
}

async function fromMcp(words: readonly string[], { headers, ...options }: ImportOptions): Promise<Candidates> {
  const [first = ''] = words;
  if (words.length === 1 && first.endsWith('.json') && existsSync(first))
    return readMcp(listOf(textOf(first), basename(first)), basename(first, '.json'));
  const server: McpServer = /^https?:/i.test(first)
    ? { kind: 'address', url: addressOf(first), headers }
    : { kind: 'command', command: commandOf(words) };
  const { server: name, entries } = await listMcp(server, options);
  return readMcp(entries, name);
}

/** No shell is asked: a word is what stands between blanks or quotes. */
export function commandOf(words: readonly string[]): readonly [string, ...string[]] {
  const [only = ''] = words;
  const parts = words.length > 1 ? [...words] : [...only.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  const [file, ...args] = parts;
  if (file === undefined || file === '') throw new ConfigFault('mcp: a command or an http address is expected');
  return [file, ...args];
}
