/** Which tools the tiny language can speak of, and why not the others. Knows schemas and kinds; draws nothing. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import type { Rejection } from '../../tools/repository.ts';
import { type Deed, deedOf, kindOf } from './families.ts';
import { type Domain, inWords, numbersWithin } from './values.ts';

export interface ExpressedParameter {
  /** As the source names it. */
  readonly name: string;
  readonly required: boolean;
  readonly domain: Domain;
  /** `type` and bounds as in the source; enum values and names are drawn per task. */
  readonly schema: JsonObject;
}
export interface Expressed {
  readonly ok: true;
  /** Required ones first kept; source order. */
  readonly parameters: readonly ExpressedParameter[];
  readonly gives: Domain;
  /** Of built-in tools; the task writer draws one for others. */
  readonly deed: Deed | undefined;
  /** What of the source is not used, for people. */
  readonly notes: readonly string[];
}
export type Expression = Expressed | { readonly ok: false; readonly reason: string };

const mostRequired = 3;
const mostParameters = 4;
const mostChoices = 8;

const known = new WeakMap<ToolSpec, Expression>();

/** What the tiny language can say of a tool. The same object is read once. */
export function express(tool: ToolSpec): Expression {
  let expression = known.get(tool);
  if (expression === undefined) {
    expression = expressed(tool);
    known.set(tool, expression);
  }
  return expression;
}

/** Splits a tool list into what tasks can be about and what they cannot, with the reason. */
export function expressible(tools: readonly ToolSpec[]): { readonly usable: readonly ToolSpec[]; readonly rejected: readonly Rejection[] } {
  const usable: ToolSpec[] = [];
  const rejected: Rejection[] = [];
  for (const tool of tools) {
    const expression = express(tool);
    if (expression.ok) usable.push(tool);
    else rejected.push({ name: tool.name, source: tool.source, reason: expression.reason });
  }
  return { usable, rejected };
}

function expressed(tool: ToolSpec): Expression {
  const { properties = {}, required } = tool.parameters;
  if (!isRecord(properties)) return { ok: false, reason: 'parameters are no object schema' };
  const needed = new Set(Array.isArray(required) ? required : []);
  if (needed.size > mostRequired) return { ok: false, reason: `more than ${mostRequired} required parameters` };
  const parameters: ExpressedParameter[] = [];
  const notes: string[] = [];
  let optionalLeft = mostParameters - needed.size;
  for (const [name, value] of Object.entries(properties)) {
    const schema = isRecord(value) ? value : {};
    const domain = domainOf(schema, tool.source.startsWith('builtin:') ? name : undefined);
    if (typeof domain === 'string') {
      if (needed.has(name)) return { ok: false, reason: `a required parameter is ${domain}` };
      notes.push(`optional ${name} is ${domain}`);
    } else if (needed.has(name)) {
      parameters.push({ name, required: true, domain, schema: scalarPart(schema) });
    } else if (optionalLeft > 0) {
      optionalLeft--;
      parameters.push({ name, required: false, domain, schema: scalarPart(schema) });
    } else notes.push(`optional ${name} is one too many`);
  }
  return { ok: true, parameters, gives: givesOf(tool), deed: deedOf(tool.name), notes };
}

/** The domain of a scalar schema, or in words what else it is. */
function domainOf(schema: JsonObject, builtinWord: string | undefined): Domain | string {
  const type = typeOf(schema);
  const values = Array.isArray(schema['enum'])
    ? schema['enum'].filter((value) => typeof value === (type === 'string' ? 'string' : 'number'))
    : [];
  if (type === 'boolean') return { kind: 'flag' };
  if (type !== 'string' && type !== 'number' && type !== 'integer') return `of type ${type}`;
  if (values.length > 0) return { kind: 'choice', values: values.slice(0, mostChoices) };
  if (type === 'string') return { kind: builtinWord === undefined ? 'thing' : kindOf(builtinWord) };
  const domain: Domain = { kind: 'number', ...bound('minimum', schema), ...bound('maximum', schema) };
  return numbersWithin(domain).length > 0 ? domain : 'a number outside 1 to 20';
}

/** The schema's one type; where it may also be null, the other one. Without a type, that of the enum's values, or text. */
function typeOf({ type, enum: values }: JsonObject): string {
  const types = (Array.isArray(type) ? type : [type]).filter((name) => name !== 'null' && name !== undefined);
  if (types.length > 1) return 'several';
  return typeof types[0] === 'string' ? types[0] : Array.isArray(values) ? typeof values[0] : 'string';
}

/** Minimum and maximum of a number stay as they are; lengths and texts of strings do not survive renaming. */
const scalarPart = (schema: JsonObject): JsonObject => ({
  type: typeOf(schema),
  ...bound('minimum', schema),
  ...bound('maximum', schema),
});

function bound(keyword: 'minimum' | 'maximum', schema: JsonObject): { minimum?: number; maximum?: number } {
  const value = schema[keyword];
  return typeof value === 'number' ? { [keyword]: value } : {};
}

/** A result is one value: the schema's own, or the first scalar of its properties. */
function givesOf(tool: ToolSpec): Domain {
  if (tool.returns === undefined) return { kind: 'thing' };
  const builtin = tool.source.startsWith('builtin:') ? inWords(tool.returns['description']) : undefined;
  const { properties } = tool.returns;
  const candidates = isRecord(properties) ? Object.values(properties) : [tool.returns];
  for (const candidate of candidates) {
    const domain = isRecord(candidate) ? domainOf(candidate, builtin) : '';
    if (typeof domain !== 'string') return domain;
  }
  return { kind: 'thing' };
}

const isRecord = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
