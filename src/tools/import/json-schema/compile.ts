/** Proof that a schema can be checked against: ajv in strict mode compiles it. Knows no tool; runs no schema. */
import { Ajv } from 'ajv';
import type { JsonObject } from '../../../protocol/json.ts';

/**
 * Strict: an unknown keyword is an error, and the schema is held to draft 7 itself. Types are not demanded, since a part that allows anything has none;
 * formats are words for people here. The code is compiled for proof and hardly ever run: to optimise it would take ten times as long as the rest.
 */
const options = {
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  validateFormats: false,
  logger: false,
  code: { optimize: false },
} as const;
/** Ajv keeps what it compiled of every schema; a new one forgets. */
const mostCompiled = 2000;
let ajv = new Ajv(options);
let compiled = 0;

/** Why it is no schema of draft 7, without compiling it; undefined when it is one. Ten times as quick, for the large schemas of what comes back. */
export function complaintOfForm(schema: JsonObject): string | undefined {
  return ajv.validateSchema(schema) === true ? undefined : `schema: ${ajv.errorsText(ajv.errors).slice(0, 200)}`;
}

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
