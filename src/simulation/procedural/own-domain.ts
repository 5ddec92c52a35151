/** What a value of a foreign schema may be, as values this world can draw and a user can say. Knows scalars and formats; nothing of tools. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { complaintOf } from '../validate.ts';
import { kindOf } from './families.ts';
import { people, things } from './lexicon.ts';
import type { Domain } from './values.ts';

/** Values of one domain, at most: they are drawn from, and need not be all there are. */
const poolSize = 12;

/** The domain of a scalar schema, or in words what else it is. `name`: of the parameter or field. The schema is safe: references inlined, no patterns. */
export function ownDomain(schema: JsonObject, name: string): Domain | string {
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) {
    const [first] = choices.map((part) => ownDomain(part as JsonObject, name)).filter((domain) => typeof domain !== 'string');
    return first ?? 'one of several shapes';
  }
  const type = typeOf(schema);
  const values: readonly JsonValue[] = schema['const'] !== undefined ? [schema['const']] : ((schema['enum'] as JsonValue[]) ?? []);
  const scalars = values.filter((value) => typeof value === (type === 'integer' ? 'number' : type) && value !== '');
  switch (type) {
    case 'boolean':
      return { kind: 'flag' };
    case 'string':
      if (values.length > 0) return scalars.length > 0 ? { kind: 'choice', values: scalars.slice(0, poolSize) } : 'without a usable value';
      return textDomain(schema, name);
    case 'integer':
    case 'number':
      if (values.length > 0) return scalars.length > 0 ? { kind: 'choice', values: scalars.slice(0, poolSize) } : 'without a usable value';
      return numberDomain(schema);
    default:
      return `of type ${type}`;
  }
}

/** The schema's one type; where it may also be null, the other one. Without a type, that of the enum's values, or text. */
function typeOf({ type, enum: values, const: only, properties, items }: JsonObject): string {
  const types = (Array.isArray(type) ? type : [type]).filter((name) => name !== 'null' && name !== undefined);
  if (types.length > 1) return 'several';
  if (typeof types[0] === 'string') return types[0];
  if (properties !== undefined) return 'object';
  if (items !== undefined) return 'array';
  return only !== undefined ? typeof only : Array.isArray(values) ? typeof values[0] : 'string';
}

function textDomain(schema: JsonObject, name: string): Domain | string {
  const kind =
    kindOf(name) === 'person' || /(?:^|_)(?:name|person|user|guest|owner|author|contact|payee)$/i.test(name) ? 'person' : 'thing';
  const words = kind === 'person' ? people : things;
  const format = typeof schema['format'] === 'string' ? formats[schema['format']] : undefined;
  const { minLength = 0, maxLength } = schema;
  if (format === undefined && typeof minLength === 'number' && minLength <= 1 && maxLength === undefined) return { kind };
  const pools = format === undefined ? [words, words.map((word) => word.slice(0, 2)), longWords(words)] : [words.map(format)];
  return pooled(kind, schema, pools) ?? 'text of no usable length';
}

/** Two words and more, for fields that want long texts. */
const longWords = (words: readonly string[]): string[] =>
  words.map((_, at) => Array.from({ length: 4 }, (_none, k) => words[(at + k * 7) % words.length] as string).join(' '));

function numberDomain(schema: JsonObject): Domain | string {
  const bound = (name: string, exclusive: string): number | undefined => {
    const at = schema[name] ?? schema[exclusive];
    return typeof at === 'number' ? at : undefined;
  };
  const low = bound('minimum', 'exclusiveMinimum');
  const high = bound('maximum', 'exclusiveMaximum');
  const step = typeof schema['multipleOf'] === 'number' ? schema['multipleOf'] : 1;
  const first = Math.max(low ?? Math.min(1, (high ?? 20) - 20 * step), Math.min(1, high ?? 1));
  const from = (start: number): number[] => Array.from({ length: 2 * poolSize }, (_, k) => (Math.ceil(start / step) + k) * step);
  const between =
    low === undefined || high === undefined
      ? []
      : Array.from({ length: poolSize }, (_, k) => Math.round((low + ((high - low) * (k + 1)) / (poolSize + 1)) * 1000) / 1000);
  const domain = pooled('number', schema, [from(first), between]);
  if (domain === undefined) return 'a number within no usable bounds';
  return { ...domain, ...(low === undefined ? {} : { minimum: low }), ...(high === undefined ? {} : { maximum: high }) };
}

/** The first pool of which the schema takes something. */
function pooled(kind: Domain['kind'], schema: JsonObject, pools: readonly (readonly JsonValue[])[]): Domain | undefined {
  for (const pool of pools) {
    const values = [...new Set(pool)].filter((value) => value !== '' && complaintOf(schema, value) === undefined).slice(0, poolSize);
    if (values.length > 0) return { kind, values };
  }
  return undefined;
}

const twoDigits = (n: number): string => String(n).padStart(2, '0');
/** Texts of the formats that JSON Schema and OpenAPI name, one per word and place; each is a single word, so that it can be said. */
const formats: Readonly<Record<string, (word: string, at: number) => string>> = {
  date: (_, at) => `2027-${twoDigits(1 + (at % 12))}-${twoDigits(1 + ((at * 5) % 28))}`,
  'date-time': (_, at) => `2027-${twoDigits(1 + (at % 12))}-${twoDigits(1 + ((at * 5) % 28))}T${twoDigits(8 + (at % 12))}:30:00Z`,
  time: (_, at) => `${twoDigits(8 + (at % 12))}:30:00Z`,
  duration: (_, at) => `P${1 + at}D`,
  email: (word) => `${word}@mail.test`,
  hostname: (word) => `${word}.test`,
  uri: (word) => `https://${word}.test/`,
  url: (word) => `https://${word}.test/`,
  ipv4: (_, at) => `192.0.2.${1 + at}`,
  ipv6: (_, at) => `2001:db8::${1 + at}`,
  uuid: (_, at) => `00000000-0000-4000-8000-${String(at + 1).padStart(12, '0')}`,
};
