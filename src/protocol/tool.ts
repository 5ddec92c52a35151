/** A tool as data: what the agent is told about it, and what code checks calls and results against. */
import { z } from 'zod';
import { JsonObject, JsonValue } from './json.ts';

/** `unknown` until somebody (importer, language model) has decided; treated as `write` wherever caching is at stake. */
export const Effects = z.enum(['read', 'write', 'unknown']);
export type Effects = z.infer<typeof Effects>;

export const ToolSpec = z.strictObject({
  /** `^[A-Za-z0-9_-]{1,64}$`, unique in its list. */
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string(),
  /** JSON Schema of an object: one property per parameter. */
  parameters: JsonObject,
  /** JSON Schema of a result, where the source has one. */
  returns: JsonObject.optional(),
  effects: Effects,
  category: z.string(),
  /** Where the description comes from, e.g. `builtin:calendar` or `file.json#12`. */
  source: z.string(),
  licence: z.string().optional(),
  exampleResponse: JsonValue.optional(),
});
export type ToolSpec = z.infer<typeof ToolSpec>;

export const ToolCall = z.strictObject({ name: z.string(), arguments: JsonObject });
export type ToolCall = z.infer<typeof ToolCall>;
