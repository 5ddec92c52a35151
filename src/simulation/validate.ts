/** Checks calls and results against a tool's schemas, in code, before any simulator is asked (rule L11). Knows nothing of worlds. */
import { Ajv, type ValidateFunction } from 'ajv';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { ToolCall, ToolSpec } from '../protocol/tool.ts';
import { safeSchema } from '../tools/schema.ts';

/** `status` is what the agent is told; `complaint` is for people and for repair prompts. */
export type CallCheck =
  | { readonly ok: true; readonly tool: ToolSpec }
  | { readonly ok: false; readonly status: 'unknownTool' | 'invalidArgument'; readonly complaint: string };

/** Is this a call of one of the tools, with arguments its schema allows? */
export function validateCall(tools: readonly ToolSpec[], call: ToolCall): CallCheck {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) return { ok: false, status: 'unknownTool', complaint: `no tool ${call.name}` };
  const complaint = complaintOf(tool.parameters, call.arguments);
  return complaint === undefined ? { ok: true, tool } : { ok: false, status: 'invalidArgument', complaint };
}

/** What is wrong with a result; undefined when it is one the tool may return. A tool without a return schema may return anything. */
export const complaintAboutResult = (tool: ToolSpec, result: JsonValue): string | undefined =>
  tool.returns === undefined ? undefined : complaintOf(tool.returns, result);

/** Why `value` does not fit `schema`; undefined when it does. A schema we cannot check fits nothing. `name`: what the value is called in the complaint. */
export function complaintOf(schema: JsonObject, value: JsonValue, name = 'arguments'): string | undefined {
  let check = checks.get(schema);
  if (check === undefined) {
    check = flatCheck(schema) ?? compiled(schema);
    checks.set(schema, check);
  }
  return check(value, name);
}

type Check = (value: JsonValue, name?: string) => string | undefined;
const checks = new WeakMap<JsonObject, Check>();

const flatKeywords = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'description',
]);
const isRecord = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The check of a scalar, or of an object of scalars, read straight from the schema; undefined for any other schema. Every task renames its parameters,
 * so compiling with ajv (about a millisecond a tool) would be paid per task. A property test holds this to what ajv says.
 */
export function flatCheck(schema: JsonObject): Check | undefined {
  if (Object.keys(schema).some((keyword) => !flatKeywords.has(keyword))) return undefined;
  if (schema['type'] !== 'object') return scalarCheck(schema);
  const { properties = {}, required = [], additionalProperties } = schema;
  if (!isRecord(properties) || !Array.isArray(required) || schema['enum'] !== undefined) return undefined;
  if (additionalProperties !== undefined && typeof additionalProperties !== 'boolean') return undefined;
  const fields = new Map<string, Check>();
  for (const [name, field] of Object.entries(properties)) {
    const check = isRecord(field) && field['type'] !== 'object' ? scalarCheck(field) : undefined;
    if (check === undefined) return undefined;
    fields.set(name, check);
  }
  return (value) => {
    if (!isRecord(value)) return 'no object';
    for (const name of required) if (typeof name === 'string' && !Object.hasOwn(value, name)) return `${name} is missing`;
    for (const [name, field] of Object.entries(value)) {
      const check = fields.get(name);
      if (check === undefined) {
        if (additionalProperties === false) return `no parameter ${name}`;
        continue;
      }
      const complaint = check(field);
      if (complaint !== undefined) return `${name}: ${complaint}`;
    }
    return undefined;
  };
}

function scalarCheck(schema: JsonObject): Check | undefined {
  const { type, enum: values, minimum, maximum, minLength } = schema;
  if (Object.keys(schema).some((keyword) => !flatKeywords.has(keyword) || keyword === 'properties' || keyword === 'required'))
    return undefined;
  if (type !== 'string' && type !== 'number' && type !== 'integer' && type !== 'boolean') return undefined;
  if (values !== undefined && (!Array.isArray(values) || values.some((value) => typeof value === 'object'))) return undefined;
  const base = type === 'integer' ? 'number' : type;
  return (value) => {
    if (typeof value !== base || (type === 'integer' && !Number.isInteger(value))) return `no ${type}`;
    if (values !== undefined && !values.includes(value)) return `none of ${JSON.stringify(values)}`;
    if (typeof value === 'number' && ((typeof minimum === 'number' && value < minimum) || (typeof maximum === 'number' && value > maximum)))
      return 'out of range';
    if (typeof value === 'string' && typeof minLength === 'number' && codePoints(value) < minLength) return 'too short';
    return undefined;
  };
}

/** JSON Schema counts code points, a string's length counts surrogates. */
const codePoints = (text: string): number => Array.from(text).length;

const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false, validateSchema: false, logger: false });

/** ajv over the safe part of the schema (tools/schema.ts): hostile keywords never reach the compiler. */
function compiled(schema: JsonObject): Check {
  const safe = safeSchema(schema);
  if (!safe.ok) return () => `a schema that cannot be checked: ${safe.reason}`;
  let validate: ValidateFunction | undefined;
  return (value, name = 'arguments') => {
    if (validate === undefined) {
      validate = ajv.compile(safe.schema);
      // Ajv would hold every schema it ever saw.
      ajv.removeSchema(safe.schema);
    }
    return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: name });
  };
}
