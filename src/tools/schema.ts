/** Foreign JSON Schemas made safe: only keywords we understand, only local references, bounded depth. Knows no tool and compiles nothing. */
import type { JsonObject, JsonValue } from '../protocol/json.ts';

/** A schema we can check values against, or why not. */
export type SafeSchema = { readonly ok: true; readonly schema: JsonObject } | { readonly ok: false; readonly reason: string };

const maxDepth = 12;
/** Bounds what references can blow up to: a schema of nested references grows exponentially without one. */
const maxNodes = 2000;

const scalarKeywords = [
  'type',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'description',
  'enum',
  'const',
  'format',
  'default',
  'examples',
];
const types = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
/** Keys that would reach a prototype when copied into an ordinary object. */
export const isHostileKey = (key: string): boolean => key === '__proto__' || key === 'constructor' || key === 'prototype';

export const isRecord = (value: unknown): value is { [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isScalar = (value: JsonValue): boolean => value === null || typeof value !== 'object';

/**
 * The part of `schema` that we check, and the words that describe it: whitelisted keywords, references inlined. `pattern` is left out: a regular expression from outside is
 * never run. Fails on outside references, circles, and schemas too deep or too large.
 */
export function safeSchema(schema: JsonValue): SafeSchema {
  let nodes = 0;
  const fail = (reason: string): never => {
    throw new Unsafe(reason);
  };
  const copy = (node: JsonValue | undefined, depth: number, open: readonly string[]): JsonObject => {
    if (depth > maxDepth) return fail('schema too deep');
    if (++nodes > maxNodes) return fail('schema too large');
    if (node === true || node === undefined) return {};
    if (!isRecord(node)) return fail('schema is no object');
    const reference = node['$ref'];
    if (reference !== undefined) {
      if (typeof reference !== 'string' || !reference.startsWith('#/')) return fail('reference outside the schema');
      if (open.includes(reference)) return fail('circular reference');
      return copy(resolve(schema, reference) ?? fail('reference to nothing'), depth + 1, [...open, reference]);
    }
    const safe: JsonObject = {};
    for (const keyword of scalarKeywords) {
      const value = node[keyword] === undefined ? undefined : scalar(keyword, node[keyword]);
      if (value !== undefined) safe[keyword] = value;
    }
    if (node['properties'] !== undefined) {
      if (!isRecord(node['properties'])) return fail('properties is no object');
      const properties: JsonObject = {};
      for (const [name, value] of Object.entries(node['properties'])) {
        if (isHostileKey(name)) return fail(`property named ${name}`);
        properties[name] = copy(value, depth + 1, open);
      }
      safe['properties'] = properties;
    }
    const { additionalProperties: others } = node;
    if (others !== undefined) safe['additionalProperties'] = isRecord(others) ? copy(others, depth + 1, open) : others !== false;
    if (Array.isArray(node['required'])) safe['required'] = node['required'].filter((name) => typeof name === 'string');
    if (isRecord(node['items'])) safe['items'] = copy(node['items'], depth + 1, open);
    for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
      const list = node[keyword];
      if (Array.isArray(list)) safe[keyword] = list.map((part) => copy(part, depth + 1, open));
    }
    return safe;
  };
  const scalar = (keyword: string, value: JsonValue): JsonValue | undefined => {
    switch (keyword) {
      case 'type':
        for (const type of Array.isArray(value) ? value : [value])
          if (typeof type !== 'string' || !types.has(type)) fail(`type ${JSON.stringify(type)}`);
        return value;
      case 'enum':
        return Array.isArray(value) && value.length > 0 ? value : fail('enum without values');
      case 'const':
        return value;
      case 'description':
        return (typeof value === 'string' ? value : '').slice(0, 500);
      // OpenAPI 3.0 has flags here.
      case 'exclusiveMinimum':
      case 'exclusiveMaximum':
        return typeof value === 'number' ? value : undefined;
      case 'multipleOf':
        return typeof value === 'number' && value > 0 ? value : undefined;
      // Words for the reader; nothing is checked against them.
      case 'format':
        return typeof value === 'string' ? value.slice(0, 40) : undefined;
      case 'default':
        return isScalar(value) ? value : undefined;
      case 'examples':
        return Array.isArray(value) && value.every(isScalar) ? value.slice(0, 3) : undefined;
      default:
        return typeof value === 'number' ? value : fail(`${keyword} is no number`);
    }
  };
  try {
    return { ok: true, schema: copy(schema, 0, []) };
  } catch (error) {
    if (error instanceof Unsafe) return { ok: false, reason: error.message };
    throw error;
  }
}

class Unsafe extends Error {}

function resolve(root: JsonValue, reference: string): JsonValue | undefined {
  let node: JsonValue | undefined = root;
  for (const part of reference.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isRecord(node) || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}
