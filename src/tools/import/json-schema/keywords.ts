/** Single keywords of a schema from outside, each made harmless or left out. Knows one node's scalars; nothing of what is inside it. */
import { canonical, type JsonObject, type JsonValue } from '../../../protocol/json.ts';
import { isRecord } from '../../schema.ts';

const mostChoices = 200;
const longestProse = 500;
const longestChoice = 200;

const typeNames: ReadonlyMap<string, string> = new Map([
  ...['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'].map((name) => [name, name] as const),
  // As people write them who did not read the standard.
  ...['file', 'str', 'text', 'date', 'datetime', 'date-time', 'uuid', 'uri', 'url', 'email', 'enum', 'binary', 'char'].map(
    (name) => [name, 'string'] as const,
  ),
  ...['int', 'int32', 'int64', 'long', 'timestamp'].map((name) => [name, 'integer'] as const),
  ...['float', 'double', 'decimal', 'numeric'].map((name) => [name, 'number'] as const),
  ['bool', 'boolean'],
  ...['list', 'tuple', 'set'].map((name) => [name, 'array'] as const),
  ...['dict', 'map', 'hash', 'struct'].map((name) => [name, 'object'] as const),
]);

/** The types a node allows; empty where it allows any. One that we do not know allows any. */
export function typesOf(node: JsonObject): string[] {
  const { type, nullable } = node;
  const given = type === undefined ? [] : Array.isArray(type) ? type : [type];
  const known = given.map((name) => (typeof name === 'string' ? typeNames.get(name.toLowerCase()) : undefined));
  const types = known.includes(undefined) ? [] : [...new Set(known as string[])];
  if (types.length === 0) {
    if (isRecord(node['properties'])) types.push('object');
    else if (node['items'] !== undefined) types.push('array');
  }
  // OpenAPI 3.0's way of saying it.
  if (nullable === true && types.length > 0 && !types.includes('null')) types.push('null');
  return types;
}

/** Everything that says something of the value itself. A bound that is no bound is left out: what remains allows at least what was allowed before. */
export function scalarsOf(node: JsonObject, types: readonly string[]): JsonObject {
  const description = proseOf(node['description'] ?? node['title']);
  const { format } = node;
  return {
    ...typePart(types),
    ...(description === '' ? {} : { description }),
    ...choices(node, types),
    ...(typeof format === 'string' && /^[A-Za-z][\w-]{0,39}$/.test(format) ? { format } : {}),
    ...bounds(node),
    ...sample('default', [node['default']], types),
    ...sample('examples', [node['example'], ...(Array.isArray(node['examples']) ? node['examples'] : [])], types),
  };
}

function typePart(types: readonly string[]): JsonObject {
  const [first] = types;
  return first === undefined ? {} : { type: types.length === 1 ? first : [...types] };
}

/** One line without control characters and marks that reorder or hide what follows. */
export const proseOf = (value: JsonValue | undefined, longest = longestProse): string =>
  typeof value !== 'string'
    ? ''
    : value
        .slice(0, longest * 4)
        .replaceAll(/[\p{Cc}\s\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]+/gu, ' ')
        .trim()
        .slice(0, longest)
        // Not half of a pair.
        .replace(/[\uD800-\uDBFF]$/, '');

const counts = ['minLength', 'maxLength', 'minItems', 'maxItems'] as const;

function bounds(node: JsonObject): JsonObject {
  const kept: JsonObject = {};
  const number = (keyword: string): number | undefined => {
    const value = node[keyword];
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  for (const keyword of counts) {
    const value = number(keyword);
    if (value !== undefined && Number.isInteger(value) && value >= 0) kept[keyword] = value;
  }
  for (const [side, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    const value = number(side);
    const beyond = number(exclusive);
    // OpenAPI 3.0 has a flag where later ones have a number.
    if (node[exclusive] === true && value !== undefined) kept[exclusive] = value;
    else if (value !== undefined) kept[side] = value;
    if (beyond !== undefined) kept[exclusive] = beyond;
  }
  const step = number('multipleOf');
  if (step !== undefined && step > 0) kept['multipleOf'] = step;
  return kept;
}

/** `enum` and `const` of scalars; numbers in quotes and the like are made of the type that is asked for. */
function choices(node: JsonObject, types: readonly string[]): JsonObject {
  const given = node['enum'] ?? (node['const'] === undefined ? undefined : [node['const']]);
  if (!Array.isArray(given) || given.length === 0 || given.length > mostChoices) return {};
  const kept = new Map<string, JsonValue>();
  for (const value of given) {
    const fitting = asType(value, types);
    if (fitting === undefined || (typeof fitting === 'string' && fitting.length > longestChoice)) return {};
    kept.set(canonical(fitting), fitting);
  }
  if (types.includes('null')) kept.set('null', null);
  return { enum: [...kept.values()] };
}

/** A short scalar that shows what is meant. */
function sample(keyword: 'default' | 'examples', candidates: readonly (JsonValue | undefined)[], types: readonly string[]): JsonObject {
  for (const candidate of candidates) {
    const value = candidate === undefined || candidate === null ? undefined : asType(candidate, types);
    if (value === undefined || (typeof value === 'string' && (value === '' || value.length > 80 || /\p{Cc}/u.test(value)))) continue;
    return { [keyword]: keyword === 'examples' ? [value] : value };
  }
  return {};
}

/** The scalar as one of the types, without loss; undefined where it is none. */
function asType(value: JsonValue, types: readonly string[]): JsonValue | undefined {
  if (value !== null && typeof value === 'object') return undefined;
  if (types.length === 0 || types.some((type) => hasType(value, type))) return value;
  if (types.includes('string') && value !== null) return String(value);
  if (typeof value !== 'string') return undefined;
  const number = /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : undefined;
  if (number !== undefined && types.some((type) => hasType(number, type))) return number;
  return types.includes('boolean') && (value === 'true' || value === 'false') ? value === 'true' : undefined;
}

function hasType(value: JsonValue, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type && value !== null;
}
