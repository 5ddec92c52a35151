/** The explicit state of a simulated world, and the patches by which it changes. Values only: behaviour is in simulation/state.ts. */
import { z } from 'zod';
import { JsonObject } from './json.ts';

export const World = z.strictObject({
  /** collection → id → record. */
  entities: z.record(z.string(), z.record(z.string(), JsonObject)),
  /** How often a call (tool + canonical arguments) was made: an injected transient error is a function of it, never of chance at the time. */
  occurrences: z.record(z.string(), z.int().min(0)),
});
export type World = z.infer<typeof World>;

export const PatchOperation = z.discriminatedUnion('op', [
  /** Creates or replaces one record. */
  z.strictObject({ op: z.literal('put'), collection: z.string(), id: z.string(), record: JsonObject }),
  /** Overwrites the given fields of a record that exists. */
  z.strictObject({ op: z.literal('merge'), collection: z.string(), id: z.string(), fields: JsonObject }),
  z.strictObject({ op: z.literal('delete'), collection: z.string(), id: z.string() }),
  /** Counts one more occurrence of a call. */
  z.strictObject({ op: z.literal('count'), key: z.string() }),
]);
export type PatchOperation = z.infer<typeof PatchOperation>;

export const Patch = z.array(PatchOperation);
export type Patch = z.infer<typeof Patch>;
