/** Reads what an MCP server lists as its tools, from the server or from a saved list. Knows the list's format; reaches no server itself. */
import { z } from 'zod';
import { JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { isHostileKey } from '../schema.ts';
import type { Rejection } from '../sieve.ts';
import { proseOf } from './json-schema/keywords.ts';
import { normalise } from './json-schema/normalise.ts';
import { within } from './json-schema/reference.ts';
import type { Candidates } from './source.ts';

const Entry = z.object({
  name: z.string().min(1),
  title: z.string().nullish(),
  description: z.string().nullish(),
  inputSchema: JsonValue.optional(),
  /** As some saved lists have it. */
  input_schema: JsonValue.optional(),
  outputSchema: JsonValue.nullish(),
  annotations: z.object({ readOnlyHint: z.boolean().nullish() }).nullish(),
});
type Entry = z.infer<typeof Entry>;

/** `server` is the tools' category, and with their number in the list their source. */
export function readMcp(entries: readonly JsonValue[], server: string): Candidates {
  const tools: ToolSpec[] = [];
  const rejected: Rejection[] = [];
  const cuts: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const source = `${server}#${index}`;
    const read = Entry.safeParse(entry);
    if (!read.success) {
      rejected.push({ name: `#${index}`, source, reason: `no MCP tool: ${read.error.issues[0]?.path.join('.') ?? ''}` });
      continue;
    }
    const tool = toolOf(read.data, server, source, cuts);
    if (typeof tool === 'string') rejected.push({ name: read.data.name, source, reason: tool });
    else tools.push(tool);
  }
  return { file: server, tools, rejected, cuts };
}

/** The tool, or why it is none. What it returns is left out where it cannot be read. */
function toolOf(entry: Entry, server: string, source: string, cuts: string[]): ToolSpec | string {
  const given = entry.inputSchema ?? entry.input_schema ?? {};
  const parameters = schemaOf(given, 'request');
  if (!parameters.ok) return parameters.reason;
  const { type = 'object' } = parameters.schema;
  if (type !== 'object') return 'parameters are no object schema';
  const output = entry.outputSchema == null ? undefined : schemaOf(entry.outputSchema, 'response');
  const returns = output?.ok === true && Object.keys(output.schema).length > 0 ? output : undefined;
  cuts.push(...new Set([...parameters.cuts, ...(returns?.cuts ?? [])]));
  const hint = entry.annotations?.readOnlyHint;
  return {
    name: entry.name,
    description: proseOf(entry.description ?? entry.title ?? '', 2000),
    parameters: { ...parameters.schema, type: 'object' },
    ...(returns === undefined ? {} : { returns: returns.schema }),
    effects: hint == null ? 'unknown' : hint ? 'read' : 'write',
    category: isHostileKey(server) ? 'mcp' : server,
    source,
  };
}

const schemaOf = (value: JsonValue, side: 'request' | 'response') => normalise({ value, base: '', open: [] }, within(value), side);
