/** A tool's prompt: its schemas, the world, the call; and its reply, what comes back and how the world changes. Knows the form; who wants what never comes here, but in the ablation that shows it. */
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';
import type { Patch } from '../../../protocol/world.ts';
import { safeSchema } from '../../../tools/schema.ts';
import type { ToolView } from '../../contract.ts';
import type { Script, ToolDraft } from '../dialect.ts';
import { anyRecord, decodable, fitsGrammar, flag, list, record, replyIn, text } from './form.ts';
import { dataRule, pageOf } from './page.ts';
import { toolData } from './task.ts';

export const toolSystem = `You are the system behind one tool: you carry out a call on the records of a simulated world and say what comes back.
The data holds the tool, the world (collection, id, record) and the call, whose arguments are valid. Of a large world you see what the call may touch, and "elsewhere" counts the rest. A record in "rules" under the tool's name, where there is one, says how the tool works. ${dataRule}

Rules:
1. The records are all there is. Everything in the observation is in the arguments, in the world, or put there by your patch. Make up nothing else.
2. The observation fits the tool's "returns", where there is one.
3. A tool whose effects are "read" changes and removes nothing that exists: its patch is empty. Only where it asks for something that the service would know of itself (a forecast, a rate, a route) and no record says it, put one new record that does, and answer from it.
4. Any other tool changes just what it is for, with the arguments given: a new record by put, under an id that is not taken and looks like the others; fields of a record by merge; its end by delete.
5. Where the call names a record that is not in the world, or looks for something and nothing fits, then found is false, the observation null and the patch empty.
6. The same call on the same world has the same answer.

Reply with one JSON object and nothing else: {"found": true, "observation": ..., "patch": []}. Operations of a patch:
{"op": "put", "collection": "...", "id": "...", "record": {...}}
{"op": "merge", "collection": "...", "id": "...", "fields": {...}}
{"op": "delete", "collection": "...", "id": "..."}`;

const operation: JsonObject = {
  anyOf: [
    record({ op: { const: 'put' }, collection: text, id: text, record: anyRecord }),
    record({ op: { const: 'merge' }, collection: text, id: text, fields: anyRecord }),
    record({ op: { const: 'delete' }, collection: text, id: text }),
  ],
};
const mostOperations = 16;

const formWith = (observation: JsonObject): JsonObject =>
  record({ found: flag, observation, patch: list(operation, { max: mostOperations }) });
const anything = formWith({});

function schemaOf({ tool: { returns } }: ToolView): JsonObject {
  const safe = returns === undefined ? undefined : safeSchema(returns);
  if (safe?.ok !== true || Object.keys(safe.schema).length === 0) return anything;
  const shape = decodable(safe.schema);
  return fitsGrammar(shape) ? formWith({ anyOf: [shape, { type: 'null' }] }) : anything;
}

export const toolScript: Script<ToolView, ToolDraft> = {
  role: 'tool',
  version: 1,
  prompt: ({ tool, call, world, peek }, complaints) =>
    pageOf({
      system: toolSystem,
      request: `Carry out the call.${peek === undefined ? '' : ' What the user wants and the calls that serve them are there for your background only.'}`,
      data: {
        tool: toolData(tool),
        world: world.entities,
        ...(Object.keys(world.occurrences).length === 0 ? {} : { occurrences: world.occurrences }),
        ...(peek === undefined ? {} : { peek: { intent: peek.intent, expectedCalls: peek.expectedCalls } }),
        call: { name: call.name, arguments: call.arguments },
      },
      complaints,
    }),
  schema: schemaOf,
  read: (said) => {
    const found = replyIn(said, anything);
    if (!found.ok) return found;
    const { found: exists, observation, patch } = found.answer as unknown as { found: boolean; observation: JsonValue; patch: Patch };
    return { ok: true, answer: { found: exists, observation, patch } };
  },
  /** A count is code's own: no tool speaks of it. */
  write: ({ found, observation, patch }) => JSON.stringify({ found, observation, patch: patch.filter(({ op }) => op !== 'count') }),
};
