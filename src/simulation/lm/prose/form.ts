/**
 * What a reply must look like, as JSON Schema: the words to write schemas in, the reading of a reply against one, and foreign schemas cut down to what constrained decoding knows.
 * Knows no role.
 */
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';
import { isRecord } from '../../../tools/schema.ts';
import type { Reading } from '../../contract.ts';
import { complaintOf } from '../../validate.ts';
import { objectIn } from '../reply.ts';

export const text: JsonObject = { type: 'string' };
export const flag: JsonObject = { type: 'boolean' };
/** Said, since xgrammar takes an object without properties for an empty one. */
export const anyRecord: JsonObject = { type: 'object', additionalProperties: true };

/** An object of exactly these fields; `optional` ones may be missing. */
export const record = (properties: JsonObject, optional: readonly string[] = []): JsonObject => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

export const list = (items: JsonObject, { min, max }: { readonly min?: number; readonly max?: number } = {}): JsonObject => ({
  type: 'array',
  items,
  ...(min === undefined ? {} : { minItems: min }),
  ...(max === undefined ? {} : { maxItems: max }),
});

/** The reply a text says, once it has the form. */
export function replyIn(text: string, form: JsonObject): Reading<JsonObject> {
  const found = objectIn(text);
  if (!found.ok) return found;
  const complaint = complaintOf(form, found.answer, 'the answer');
  return complaint === undefined ? found : { ok: false, complaint, defect: 'malformed' };
}

/** Characters of a schema that is put into a grammar: compiling a larger one holds up the server. */
const grammarCharacters = 12_000;

export const fitsGrammar = (schema: JsonObject): boolean => JSON.stringify(schema).length <= grammarCharacters;

const scalarKeywords = ['type', 'enum', 'const', 'minimum', 'maximum'];

/** The shape a foreign schema demands, in the keywords that servers can constrain to; what is dropped is checked afterwards, in code. */
export function decodable(schema: JsonObject): JsonObject {
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return { anyOf: choices.map(shapeOf) };
  const { type } = schema;
  if (Array.isArray(type)) return { anyOf: type.map((one) => decodable({ ...schema, type: one })) };
  const kept = Object.fromEntries(scalarKeywords.flatMap((keyword) => (schema[keyword] === undefined ? [] : [[keyword, schema[keyword]]])));
  if (type === 'array') return { ...kept, items: shapeOf(schema['items']) };
  if (type !== 'object' && !isRecord(schema['properties'])) return kept;
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  if (Object.keys(properties).length === 0) return schema['additionalProperties'] === false ? record({}) : anyRecord;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, shapeOf(value)])),
    required: required.filter((name) => typeof name === 'string' && Object.hasOwn(properties, name)),
    additionalProperties: false,
  };
}

const shapeOf = (value: JsonValue | undefined): JsonObject => (isRecord(value) ? decodable(value) : {});
