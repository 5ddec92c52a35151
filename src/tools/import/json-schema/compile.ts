/** Proof that a schema can be checked against: ajv in strict mode compiles it. Knows no tool; runs no schema. */
import { Ajv } from 'ajv';
import type { JsonObject } from '../../../protocol/json.ts';

/**
 * Strict: an unknown keyword is an error, and the schema is held to draft 7 itself. Types are not demanded, since a part that allows anything has none;
 * formats are words for people here.
 */
const options = {
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  validateFormats: false,
  logger: false,
} as const;
/** Ajv keeps what it compiled of every schema; a new one forgets. */
const mostCompiled = 2000;
let ajv = new Ajv(options);
let compiled = 0;

/** Why ajv does not compile it; undefined when it does. */
export function complaintOfSchema(schema: JsonObject): string | undefined {
  if (++compiled % mostCompiled === 0) ajv = new Ajv(options);
  try {
    ajv.compile(schema);
    return undefined;
  } catch (error) {
    return `schema: ${error instanceof Error ? error.message.slice(0, 200) : 'cannot be compiled'}`;
  } finally {
    ajv.removeSchema(schema);
  }
}
