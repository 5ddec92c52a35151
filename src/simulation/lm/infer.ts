/**
 * What a tool's list does not say of it, asked of a language model once: what it does, what comes back, whether it changes anything. The model names fields and their kinds; code makes the
 * schema, so that it always compiles. Source: NeMo Gym and TRAJECT-Bench keep such a schema with each tool; how to infer one is ours.
 */
import type { ChatMessage } from '../../protocol/inference.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { Gap, Lack } from '../../tools/gaps.ts';
import { isHostileKey } from '../../tools/schema.ts';
import type { Reading } from '../contract.ts';
import { list, record, replyIn, text } from './prose/form.ts';
import { dataRule, pageOf } from './prose/page.ts';
import { toolData } from './prose/task.ts';

/** What was inferred: a value for each thing the tool lacks, and for nothing else. */
export type Inferred = Partial<Pick<ToolSpec, 'description' | 'returns' | 'effects'>>;

/** Counts up with every change of the wording. */
export const inferVersion = 1;

const system = `You complete the description of a tool that programs call. The data holds the tool as its list describes it; something is missing there, and you say what it most likely is, from its name, its parameters and what else there is. ${dataRule}

What may be asked for:
- description: what the tool does, in one plain sentence.
- effects: "read" if a call only looks something up or computes something, "write" if it creates, changes, removes, sends, books or pays anything.
- result: what one call returns: "object" (one thing with fields), "list" (several such things), or a single "text", "number", "integer" or "flag".
- fields: for an object or a list, the fields of each thing, at least one and only those that matter: {name, kind, description}; kind is "text", "number", "integer", "flag" (true or false) or "texts" (a list of them). A tool that changes something returns at least an id or a flag that says so. Otherwise an empty list.

Reply with one JSON object and nothing else, with just what is asked for.`;

const asked: Readonly<Record<Lack, string>> = { description: 'description', effects: 'effects', returns: 'result and fields' };

export function inferPrompt({ tool, lacks }: Gap, complaints: readonly string[]): ChatMessage[] {
  const missing = [...lacks].sort().map((lack) => asked[lack]);
  return pageOf({ system, request: `Say of this tool: ${missing.join('; ')}.`, data: { tool: toolData(tool) }, complaints });
}

const kinds: Readonly<Record<string, JsonObject>> = {
  text: { type: 'string' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  flag: { type: 'boolean' },
  texts: { type: 'array', items: { type: 'string' } },
};
const scalars = ['text', 'number', 'integer', 'flag'];
const mostFields = 12;
const field = record({ name: text, kind: { type: 'string', enum: Object.keys(kinds) }, description: text });
const parts: Readonly<Record<Lack, JsonObject>> = {
  description: { description: text },
  effects: { effects: { type: 'string', enum: ['read', 'write'] } },
  returns: { result: { type: 'string', enum: ['object', 'list', ...scalars] }, fields: list(field, { max: mostFields }) },
};

/** By what is lacking: each schema is compiled once. */
const schemas = new Map<string, JsonObject>();
export function inferSchema({ lacks }: Gap): JsonObject {
  const key = [...lacks].sort().join(' ');
  let schema = schemas.get(key);
  if (schema === undefined) {
    const named = [...lacks].sort().flatMap((lack) => Object.entries(parts[lack]));
    schemas.set(key, (schema = record(Object.fromEntries(named))));
  }
  return schema;
}

interface Field {
  readonly name: string;
  readonly kind: string;
  readonly description: string;
}
interface Reply {
  readonly description?: string;
  readonly effects?: 'read' | 'write';
  readonly result?: string;
  readonly fields?: readonly Field[];
}

const longestDescription = 500;
const refused = (complaint: string): Reading<never> => ({ ok: false, complaint, defect: 'malformed' });

export function readInferred(said: string, gap: Gap): Reading<Inferred> {
  const found = replyIn(said, inferSchema(gap));
  if (!found.ok) return found;
  const { description, effects, result, fields = [] } = found.answer as Reply;
  if (description !== undefined && (description.trim() === '' || description.length > longestDescription))
    return refused(`the description must have 1 to ${longestDescription} characters`);
  const returns = result === undefined ? undefined : returnsOf(result, fields);
  if (returns?.ok === false) return returns;
  return {
    ok: true,
    answer: {
      ...(description === undefined ? {} : { description: description.trim() }),
      ...(effects === undefined ? {} : { effects }),
      ...(returns === undefined ? {} : { returns: returns.answer }),
    },
  };
}

function returnsOf(result: string, fields: readonly Field[]): Reading<JsonObject> {
  if (scalars.includes(result)) return { ok: true, answer: { ...kinds[result] } };
  if (fields.length === 0) return refused(`a result of kind ${result} needs at least one field`);
  const properties: JsonObject = {};
  for (const { name, kind, description } of fields) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name) || isHostileKey(name))
      return refused(`no field can be called ${JSON.stringify(name.slice(0, 80))}`);
    if (Object.hasOwn(properties, name)) return refused(`the field ${name} is given twice`);
    properties[name] = { ...kinds[kind], ...(description === '' ? {} : { description: description.slice(0, longestDescription) }) };
  }
  const thing = record(properties);
  return { ok: true, answer: result === 'list' ? { type: 'array', items: thing } : thing };
}

/** The tool with what was inferred, and its source saying so. */
export function completed({ source, ...tool }: ToolSpec, inferred: Inferred): ToolSpec {
  return { ...tool, ...inferred, source: `${source} (inferred: ${Object.keys(inferred).sort().join(', ')})` };
}
