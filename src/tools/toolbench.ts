/** Reads ToolBench JSON: instructions that each carry an `api_list`, or one flat list of APIs. Text only: nothing is ever called. Knows no other format and loads nothing. */
import { z } from 'zod';
import { JsonValue } from '../protocol/json.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { ToolSpec } from '../protocol/tool.ts';
import type { Rejection } from './sieve.ts';
import { isHostileKey } from './schema.ts';

const Parameter = z.object({
  name: z.string().min(1),
  type: z.string().nullish(),
  description: z.string().nullish(),
  enum: z.array(JsonValue).nullish(),
});
const Api = z.object({
  category_name: z.string().default('Other'),
  tool_name: z.string(),
  api_name: z.string().min(1),
  api_description: z.string().nullish(),
  required_parameters: z.array(Parameter).default([]),
  optional_parameters: z.array(Parameter).default([]),
  method: z.string().nullish(),
  template_response: JsonValue.optional(),
});
type Api = z.infer<typeof Api>;

/** Each API once, however many instructions name it; `file#instruction.api` of its first mention is its source. */
export function readToolBench(entries: readonly JsonValue[], file: string): { tools: ToolSpec[]; rejected: Rejection[] } {
  const tools: ToolSpec[] = [];
  const rejected: Rejection[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const list = typeof entry === 'object' && entry !== null && 'api_list' in entry ? entry['api_list'] : [entry];
    for (const [place, api] of (Array.isArray(list) ? list : []).entries()) {
      const source = `${file}#${index}.${place}`;
      const read = Api.safeParse(api);
      if (!read.success) {
        rejected.push({ name: `#${index}.${place}`, source, reason: `no API description: ${read.error.issues[0]?.path.join('.') ?? ''}` });
        continue;
      }
      // What is asked of the caller makes an API, not its sample response, which the crawls disagree about.
      const { template_response: _, ...identity } = read.data;
      const key = JSON.stringify(identity);
      if (seen.has(key)) continue;
      seen.add(key);
      const hostile = [...read.data.required_parameters, ...read.data.optional_parameters].find(({ name }) => isHostileKey(name));
      if (hostile !== undefined) rejected.push({ name: read.data.api_name, source, reason: `parameter named ${hostile.name}` });
      else tools.push(toolOf(read.data, source));
    }
  }
  return { tools, rejected };
}

function toolOf(api: Api, source: string): ToolSpec {
  const properties: JsonObject = {};
  for (const { name, type, description, enum: values } of [...api.required_parameters, ...api.optional_parameters]) {
    properties[name] = {
      ...schemaOf(type ?? 'STRING'),
      ...(values != null && values.length > 0 ? { enum: values } : {}),
      ...prose(type, description),
    };
  }
  const returns = api.template_response === undefined ? undefined : returnsOf(api.template_response, 0);
  const method = (api.method ?? '').toUpperCase();
  return {
    name: `${api.tool_name}_${api.api_name}`,
    description: (api.api_description ?? '').slice(0, 2000),
    parameters: { type: 'object', properties, required: api.required_parameters.map(({ name }) => name), additionalProperties: false },
    ...(returns === undefined ? {} : { returns }),
    effects: method === 'GET' ? 'read' : method === '' ? 'unknown' : 'write',
    category: isHostileKey(api.category_name) ? 'Other' : api.category_name,
    source,
    licence: 'Apache-2.0',
  };
}

/** The source's words, and the source's type where it had no values to make one of. */
function prose(type: string | null | undefined, description: string | null | undefined): JsonObject {
  const { description: known } = schemaOf(type ?? 'STRING');
  const words = [typeof known === 'string' ? known : '', description ?? ''].filter((part) => part !== '').join(': ');
  return words === '' ? {} : { description: words.slice(0, 500) };
}

/**
 * ToolBench types as JSON Schema. ENUM names its values in prose at best, so it becomes a string; so do dates and whatever else is unknown,
 * since that is what a query string carries. ARRAY and OBJECT say nothing of what is inside.
 */
function schemaOf(type: string): JsonObject {
  switch (type.toUpperCase()) {
    case 'NUMBER':
    case 'FLOAT':
      return { type: 'number' };
    case 'INTEGER':
    case 'INT':
      return { type: 'integer' };
    case 'BOOLEAN':
      return { type: 'boolean' };
    case 'ARRAY':
    case 'LIST':
      return { type: 'array' };
    case 'OBJECT':
    case 'MAP':
      return { type: 'object' };
    case 'STRING':
      return { type: 'string' };
    default:
      return { type: 'string', description: type.slice(0, 60) };
  }
}

const deepest = 4;

/** A template says `{"count": "int", "name": "str"}`; beyond four levels we do not say what comes. */
function returnsOf(template: JsonValue, depth: number): JsonObject {
  if (depth >= deepest) return {};
  if (Array.isArray(template)) return { type: 'array', ...(template[0] === undefined ? {} : { items: returnsOf(template[0], depth + 1) }) };
  if (typeof template === 'object' && template !== null) {
    const fields = Object.entries(template).filter(([name]) => name !== '_list_length' && !isHostileKey(name));
    return {
      type: 'object',
      properties: Object.fromEntries(fields.slice(0, 40).map(([name, value]) => [name, returnsOf(value, depth + 1)])),
    };
  }
  const type = typeof template === 'string' ? templateTypes.get(template) : undefined;
  return type === undefined ? {} : { type };
}

const templateTypes: ReadonlyMap<string, string> = new Map([
  ['int', 'integer'],
  ['float', 'number'],
  ['bool', 'boolean'],
  ['str', 'string'],
]);
