/** One node of a schema as one plain node: references followed, `allOf` merged, nullable unions opened. Knows nothing of what lies below it. */
import { canonical, type JsonObject, type JsonValue } from '../../../protocol/json.ts';
import { isRecord } from '../../schema.ts';
import type { Located, Resolve } from './reference.ts';

/** A node without `$ref` and `allOf`. What is inside keeps its own place, since its references start from there. */
export interface FlatNode {
  /** Scalars, `type` and `nullable`; of `properties` and `items` only that they exist. */
  readonly node: JsonObject;
  readonly properties: ReadonlyMap<string, Located>;
  readonly required: ReadonlySet<string>;
  readonly items: Located | undefined;
  /** false: none but the properties; a schema for the others; undefined: any. */
  readonly additional: Located | false | undefined;
  /** Of `anyOf` and `oneOf`; empty where there is no choice. */
  readonly variants: readonly Located[];
  /** It leads back into itself; nothing of it is known here. */
  readonly circle: boolean;
}

/** A schema that cannot be read: the message says why, for people. */
export class Unreadable extends Error {}

const mostHops = 50;
const mostMembers = 200;

/** Throws Unreadable for references that lead nowhere or outside, and for what is no schema. */
export function flatten(from: Located, resolve: Resolve): FlatNode {
  const merged = new Merging();
  gather(from, resolve, merged, { members: 0 }, 0);
  return merged.done();
}

function gather(from: Located, resolve: Resolve, into: Merging, count: { members: number }, hops: number): void {
  const { value } = from;
  if (++count.members > mostMembers || hops > mostHops) throw new Unreadable('too many references in one place');
  if (value === true || value === false || value === undefined) return;
  if (!isRecord(value)) throw new Unreadable('schema is no object');
  const { $ref: reference, allOf, anyOf, oneOf } = value;
  into.add(value, from);
  if (reference !== undefined) {
    if (typeof reference !== 'string') throw new Unreadable('reference is no text');
    const target = resolve(reference, from);
    if (target.ok) gather(target.at, resolve, into, count, hops + 1);
    else if (target.circle) into.close();
    else throw new Unreadable(target.reason);
  }
  if (Array.isArray(allOf)) for (const part of allOf) gather({ ...from, value: part }, resolve, into, count, hops + 1);
  for (const choice of [oneOf, anyOf]) {
    if (!Array.isArray(choice) || choice.length === 0) continue;
    const others = choice.filter((variant) => !isNull(variant));
    if (others.length < choice.length) into.allowNull();
    const [only] = others;
    if (others.length === 1 && only !== undefined) gather({ ...from, value: only }, resolve, into, count, hops + 1);
    else into.choose(others.map((variant) => ({ ...from, value: variant })));
  }
}

const isNull = (variant: JsonValue): boolean => isRecord(variant) && variant['type'] === 'null';

/** Keywords of several nodes that all hold, in one. Where two say different things of which only one can be kept, the outer one is. */
class Merging {
  readonly #node: JsonObject = {};
  readonly #properties = new Map<string, Located>();
  readonly #required = new Set<string>();
  #items: Located | undefined;
  #additional: Located | false | undefined;
  #variants: readonly Located[] = [];
  #nullable = false;
  #circle = false;
  #owners = 0;

  add(value: JsonObject, from: Located): void {
    if (value['properties'] !== undefined) this.#owners++;
    for (const [keyword, inner] of Object.entries(value)) {
      if (keyword === 'type') this.#node['type'] = narrower(this.#node['type'], inner);
      else if (keyword === 'enum') this.#node['enum'] = common(this.#node['enum'], inner);
      else if (keyword === 'properties') this.#addProperties(inner, from);
      else if (keyword === 'required' && Array.isArray(inner)) {
        for (const name of inner) if (typeof name === 'string') this.#required.add(name);
      } else if (keyword === 'items') {
        this.#node['items'] = true;
        // After a tuple, `items` is about the rest of the list.
        if (isRecord(inner) && !Array.isArray(value['prefixItems'])) this.#items ??= { ...from, value: inner };
      } else if (keyword === 'additionalProperties') {
        if (inner === false) this.#additional ??= false;
        else if (isRecord(inner) && Object.keys(inner).length > 0) this.#additional ??= { ...from, value: inner };
      } else if (keyword === 'patternProperties') this.#node[keyword] = true;
      else if (keyword === 'nullable') this.#nullable ||= inner === true;
      else if (scalarKeywords.has(keyword)) this.#node[keyword] ??= inner;
    }
  }

  #addProperties(inner: JsonValue, from: Located): void {
    if (!isRecord(inner)) throw new Unreadable('properties is no object');
    this.#node['properties'] = {};
    for (const [name, schema] of Object.entries(inner)) {
      const before = this.#properties.get(name);
      this.#properties.set(name, before === undefined ? { ...from, value: schema } : both(before, { ...from, value: schema }));
    }
  }

  choose(variants: readonly Located[]): void {
    if (this.#variants.length === 0) this.#variants = variants;
  }
  allowNull(): void {
    this.#nullable = true;
  }
  close(): void {
    this.#circle = true;
  }

  done(): FlatNode {
    // Of merged nodes each says which properties it knows; together they would forbid one another's.
    const additional =
      this.#additional === false && (this.#owners > 1 || this.#node['patternProperties'] === true) ? undefined : this.#additional;
    return {
      node: { ...this.#node, ...(this.#nullable ? { nullable: true } : {}) },
      properties: this.#properties,
      required: this.#required,
      items: this.#items,
      additional,
      variants: this.#variants,
      circle: this.#circle,
    };
  }
}

const scalarKeywords = new Set(
  `description title const format default example examples minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
   minLength maxLength minItems maxItems readOnly writeOnly`.split(/\s+/),
);

/** Both hold, as far as one place can say it: references of the two start from the outer one's document only where they are the same. */
const both = (outer: Located, inner: Located): Located =>
  outer.base === inner.base
    ? { ...outer, value: { allOf: [outer.value, inner.value] }, open: [...new Set([...outer.open, ...inner.open])] }
    : outer;

function narrower(first: JsonValue | undefined, second: JsonValue): JsonValue {
  if (first === undefined) return second;
  return first === 'number' && second === 'integer' ? second : first;
}

function common(first: JsonValue | undefined, second: JsonValue): JsonValue {
  if (!Array.isArray(first) || !Array.isArray(second)) return first ?? second;
  const seconds = new Set(second.map(canonical));
  const shared = first.filter((value) => seconds.has(canonical(value)));
  return shared.length > 0 ? shared : first;
}
