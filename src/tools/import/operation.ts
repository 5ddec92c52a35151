/** One operation of an OpenAPI document as one tool: parameters and body become one object, the first good answer becomes what it returns. Knows no file. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { isHostileKey, isRecord } from '../schema.ts';
import { carriesCredentials } from './credentials.ts';
import { proseOf } from './json-schema/keywords.ts';
import { normalise } from './json-schema/normalise.ts';
import type { Located, Resolve } from './json-schema/reference.ts';

export interface Operation {
  readonly path: string;
  /** Lower case. */
  readonly method: string;
  /** The operation object, and the path item it stands in. */
  readonly at: Located;
  readonly item: Located;
}
/** What the whole document says of each of its operations. */
export interface Service {
  readonly resolve: Resolve;
  readonly category: (operation: JsonObject) => string;
  readonly licence: string | undefined;
  /** `in:name` of parameters that its security schemes name. */
  readonly credentials: ReadonlySet<string>;
}
export type Reading =
  | { readonly ok: true; readonly tool: ToolSpec; readonly cuts: readonly string[] }
  | { readonly ok: false; readonly reason: string };

const longestDescription = 2000;
const mostParameters = 200;
/** Of an example, as JSON. */
const longestExample = 4000;

/** `source` names the operation for people. Fails where a parameter cannot be read; what comes back is left out where it cannot. */
export function readOperation(operation: Operation, service: Service, name: string, source: string): Reading {
  const { at, method, path } = operation;
  const described = isRecord(at.value) ? at.value : {};
  const sent = new Sent(path, service);
  const problem = sent.addParameters(operation) ?? sent.addBody(at);
  if (problem !== undefined) return { ok: false, reason: problem };
  const parameters = sent.schema();
  const { returns, cuts } = returnsOf(at, service.resolve);
  const words = [described['summary'], described['description']].map((text) => proseOf(text, longestDescription));
  const prose = [...new Set(words)]
    .filter((text) => text !== '')
    .join(': ')
    .slice(0, longestDescription);
  return {
    ok: true,
    tool: {
      name,
      description: `${described['deprecated'] === true ? 'Deprecated. ' : ''}${prose === '' ? `${method.toUpperCase()} ${proseOf(path, 200)}` : prose}`,
      parameters,
      ...(returns === undefined ? {} : { returns: returns.schema }),
      effects: method === 'get' || method === 'head' ? 'read' : 'write',
      category: service.category(described),
      source,
      ...(service.licence === undefined ? {} : { licence: service.licence }),
      ...(returns?.example === undefined ? {} : { exampleResponse: returns.example }),
    },
    cuts: [...new Set([...sent.cuts, ...cuts])],
  };
}

/** The one object that a caller sends, filled from path, query, headers and body. */
class Sent {
  readonly cuts: string[] = [];
  readonly #properties: JsonObject = {};
  readonly #required: string[] = [];
  readonly #path: string;
  readonly #service: Service;

  constructor(path: string, service: Service) {
    this.#path = path;
    this.#service = service;
  }

  schema(): JsonObject {
    return {
      type: 'object',
      properties: this.#properties,
      ...(this.#required.length === 0 ? {} : { required: this.#required }),
      additionalProperties: false,
    };
  }

  /** Why they cannot be read; undefined when they can. An operation's own replace the path's of the same name and place. */
  addParameters({ at, item }: Operation): string | undefined {
    const { resolve, credentials } = this.#service;
    const found = new Map<string, Located>();
    for (const owner of [item, at]) {
      const list = isRecord(owner.value) ? owner.value['parameters'] : undefined;
      if (!Array.isArray(list)) continue;
      if (list.length > mostParameters) return 'too many parameters';
      for (const entry of list) {
        const parameter = derefer({ ...owner, value: entry }, resolve);
        if (typeof parameter === 'string') return parameter;
        const { name, in: place } = parameter.value as JsonObject;
        if (typeof name !== 'string' || typeof place !== 'string' || name === '') return 'a parameter without name or place';
        if (!carriesCredentials(place, name, credentials)) found.set(`${place}:${name}`, parameter);
      }
    }
    for (const parameter of found.values()) {
      const problem = this.#addParameter(parameter);
      if (problem !== undefined) return problem;
    }
    // What the path needs, said or not.
    for (const [, name] of this.#path.slice(0, 2000).matchAll(/\{([^{}/]{1,100})\}/g))
      if (name !== undefined && !found.has(`path:${name}`)) {
        const problem = this.#put(name, 'path', { type: 'string' }, true);
        if (problem !== undefined) return problem;
      }
    return undefined;
  }

  #addParameter({ value, ...place }: Located): string | undefined {
    const {
      name,
      in: where,
      required,
      description,
      schema,
      content,
      example,
    } = value as JsonObject as { name: string; in: string } & JsonObject;
    const media = isRecord(content) ? Object.values(content)[0] : undefined;
    const given = schema ?? (isRecord(media) ? media['schema'] : undefined) ?? {};
    const read = normalise({ ...place, value: given }, this.#service.resolve, 'request');
    if (!read.ok) return read.reason;
    this.cuts.push(...read.cuts);
    const prose = proseOf(description);
    const inner = prose === '' ? read.schema : { ...read.schema, description: prose };
    const sample =
      typeof example === 'string' && example.length <= 80 && inner['examples'] === undefined && inner['type'] === 'string'
        ? { examples: [example] }
        : {};
    return this.#put(name, where, { ...inner, ...sample }, required === true || where === 'path');
  }

  /** Fields of a JSON body stand beside the other parameters; a body that is no object is one parameter, `body`. */
  addBody(at: Located): string | undefined {
    const request = isRecord(at.value) ? at.value['requestBody'] : undefined;
    if (request === undefined) return undefined;
    const { resolve } = this.#service;
    const body = derefer({ ...at, value: request }, resolve);
    if (typeof body === 'string') return body;
    const { content, required } = body.value as JsonObject;
    const media = mediaOf(content, { any: true });
    if (media === undefined) return undefined;
    const read = normalise({ ...body, value: media['schema'] ?? {} }, resolve, 'request');
    if (!read.ok) return read.reason;
    this.cuts.push(...read.cuts);
    const { schema } = read;
    const fields = schema['properties'];
    if (!isRecord(fields) || schema['anyOf'] !== undefined) return this.#put('body', 'body', schema, required === true);
    if (isRecord(schema['additionalProperties'])) this.cuts.push('further fields of a body');
    const needed = Array.isArray(schema['required']) ? schema['required'] : [];
    for (const [name, field] of Object.entries(fields)) {
      const problem = this.#put(name, 'body', field as JsonObject, required === true && needed.includes(name));
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Where two places use one name, the later one's says its place. */
  #put(name: string, place: string, schema: JsonObject, required: boolean): string | undefined {
    const key = Object.hasOwn(this.#properties, name) ? `${place}_${name}` : name;
    if (isHostileKey(key) || key.length > 100 || Object.hasOwn(this.#properties, key)) {
      if (required) return `parameter named ${key.slice(0, 20)}`;
      this.cuts.push('a property that cannot be named');
      return undefined;
    }
    this.#properties[key] = schema;
    if (required) this.#required.push(key);
    return undefined;
  }
}

/** The first JSON schema of a 2xx answer, by number, with its example. */
function returnsOf(
  at: Located,
  resolve: Resolve,
): { returns: { schema: JsonObject; example?: JsonValue } | undefined; cuts: readonly string[] } {
  const nothing = { returns: undefined, cuts: [] };
  const responses = isRecord(at.value) ? at.value['responses'] : undefined;
  if (!isRecord(responses)) return nothing;
  const codes = Object.keys(responses)
    .filter((code) => /^2(\d\d|XX)$/i.test(code))
    .sort();
  for (const code of codes) {
    const response = derefer({ ...at, value: responses[code] ?? null }, resolve);
    if (typeof response === 'string') continue;
    const media = mediaOf((response.value as JsonObject)['content'], { any: false });
    if (media?.['schema'] === undefined) continue;
    const read = normalise({ ...response, value: media['schema'] }, resolve, 'response');
    if (!read.ok || Object.keys(read.schema).length === 0) continue;
    const example = exampleOf(media);
    return { returns: { schema: read.schema, ...(example === undefined ? {} : { example }) }, cuts: read.cuts };
  }
  return nothing;
}

function exampleOf({ example, examples }: JsonObject): JsonValue | undefined {
  const first = isRecord(examples) ? Object.values(examples)[0] : undefined;
  const value = example ?? (isRecord(first) ? first['value'] : undefined);
  if (value === undefined || value === null) return undefined;
  const text = JSON.stringify(value);
  return text.length <= longestExample && !text.includes('"__proto__"') ? value : undefined;
}

/** JSON where there is some; for what is sent (`any`) forms too, and whatever comes first. */
function mediaOf(content: JsonValue | undefined, { any }: { any: boolean }): JsonObject | undefined {
  if (!isRecord(content)) return undefined;
  const types = Object.keys(content).map((type) => ({ type, plain: type.slice(0, 100).toLowerCase() }));
  const json =
    types.find(({ plain }) => /^[\w*.+-]+\/([\w.+-]+\+)?json\b/.test(plain)) ?? types.find(({ plain }) => plain.startsWith('*/*'));
  const chosen = json ?? (any ? (types.find(({ plain }) => /form/.test(plain)) ?? types[0]) : undefined);
  const media = chosen === undefined ? undefined : content[chosen.type];
  return isRecord(media) ? media : undefined;
}

/** What a reference object stands for: an object, or why there is none. */
export function derefer(from: Located, resolve: Resolve): Located | string {
  let at = from;
  for (let hops = 0; hops < 20; hops++) {
    if (!isRecord(at.value)) return 'a description is no object';
    const { $ref: reference } = at.value;
    if (typeof reference !== 'string') return at;
    const target = resolve(reference, at);
    if (!target.ok) return target.reason;
    at = target.at;
  }
  return 'too many references in one place';
}
