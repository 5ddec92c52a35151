/**
 * The procedural tool: reads and changes explicit records, the same answer for the same call on the same world. Never sees what the user wants.
 * How each tool behaves is itself part of the world, in the collection `rules`, so any list of tools can be played: a rule is data the task writer drew.
 */
import { SimulatorFault } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolCall } from '../../protocol/tool.ts';
import type { Patch, World } from '../../protocol/world.ts';
import { seedOf } from '../../random.ts';
import type { ToolAnswer, ToolSimulator, ToolView } from '../contract.ts';
import { occurrenceKey, occurrencesOf } from '../state.ts';
import { complaintAboutResult } from '../validate.ts';
import type { Deed } from './families.ts';
import { type Domain, fits, valueOf } from './values.ts';

/** How one tool behaves. Plain data: it lives in the world. */
export interface Rule {
  readonly deed: Deed;
  /** The collection of records it works on. */
  readonly collection: string;
  /** Parameters by which `change` and `remove` find their record; `find` uses all it was given. */
  readonly keys: readonly string[];
  /** The field of the record that is the result. */
  readonly gives: string;
  readonly domain: Domain;
  /** How often the same call is answered with a transient error before it works. */
  readonly busy: number;
  readonly salt: number;
}

export const rulesCollection = 'rules';

export const proceduralTool: ToolSimulator = {
  role: 'tool',
  pose: (view) => ({ kind: 'reply', reply: answer(view) as unknown as JsonValue }),
  read: (reply, { tool }) => {
    const said = reply as unknown as ToolAnswer;
    const complaint = said.status === 'ok' ? complaintAboutResult(tool, said.observation) : undefined;
    return complaint === undefined ? { ok: true, answer: said } : { ok: false, complaint };
  },
};

/** Errors say their status alone: what the agent is told is one word. */
function answer({ call, world }: ToolView): ToolAnswer {
  const rule = world.entities[rulesCollection]?.[call.name] as Rule | undefined;
  if (rule === undefined) throw new SimulatorFault(`the world has no rule for ${call.name}`);
  if (occurrencesOf(world, call) < rule.busy)
    return { status: 'transient', observation: null, patch: [{ op: 'count', key: occurrenceKey(call) }] };
  const done = act(rule, call, world);
  return done === undefined
    ? { status: 'notFound', observation: null, patch: [] }
    : { status: 'ok', observation: done.result, patch: done.patch };
}

/** The result of a call and what it does to the world; undefined where no record fits. */
export function act(rule: Rule, { arguments: args }: ToolCall, world: World): { result: JsonValue; patch: Patch } | undefined {
  const { collection } = rule;
  if (rule.deed === 'create') {
    const record: JsonObject = { ...args };
    // By what it was made from, so that independent calls commute; a second equal record gets a name of its own.
    const made = seedOf(rule.salt, JSON.stringify(Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))));
    const records = world.entities[collection] ?? {};
    let id = `n${made.toString(36)}`;
    for (let copy = 2; records[id] !== undefined; copy++) id = `n${made.toString(36)}.${copy}`;
    const result = fieldOf(rule, record, id);
    record[rule.gives] = result;
    return { result, patch: [{ op: 'put', collection, id, record }] };
  }
  const wanted = rule.deed === 'find' ? Object.keys(args) : rule.keys;
  const found = Object.entries(world.entities[collection] ?? {}).find(([, record]) => wanted.every((key) => record[key] === args[key]));
  if (found === undefined) return undefined;
  const [id, record] = found;
  switch (rule.deed) {
    case 'find':
      return { result: fieldOf(rule, record, id), patch: [] };
    case 'remove':
      return { result: fieldOf(rule, record, id), patch: [{ op: 'delete', collection, id }] };
    case 'change':
      return { result: fieldOf(rule, { ...record, ...args }, id), patch: [{ op: 'merge', collection, id, fields: { ...args } }] };
    default:
      return rule.deed satisfies never;
  }
}

/** A field that was never written has a value of its own, which follows from the record's id; so has one that another tool of the category uses for something else. */
function fieldOf(rule: Rule, record: JsonObject, id: string): JsonValue {
  const value = record[rule.gives];
  return value !== undefined && fits(rule.domain, value) ? value : valueOf(rule.domain, seedOf(rule.salt, rule.gives, id));
}
