/** How one tool behaves on records, as data, and what a call of it comes to. Reads and changes explicit records; never sees what the user wants. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolCall } from '../../protocol/tool.ts';
import type { Patch, World } from '../../protocol/world.ts';
import { seedOf } from '../../random.ts';
import type { Deed } from './families.ts';
import { type Domain, fits, holds, valueOf } from './values.ts';

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

/** A rule, and for a tool under its own name how a record is shown as its return schema wants it. */
export interface Behaviour {
  readonly rule: Rule;
  /** A record as a result. Absent: the result is the value given. */
  readonly show?: (record: JsonObject) => JsonValue;
  /** The fields it shows. A new record has them beside what it was made from, and a record without them is none of this tool's: whatever a result says stands in its record. */
  readonly shown?: Readonly<Record<string, Domain>>;
}

export const rulesCollection = 'rules';

export interface Done {
  /** What the call gives: one scalar, whatever the result looks like. */
  readonly value: JsonValue;
  /** The value, or a record that shows it. */
  readonly result: JsonValue;
  readonly patch: Patch;
}

/** What a call does to the world; undefined where no record fits. */
export function act({ rule, show, shown = {} }: Behaviour, { arguments: args }: ToolCall, world: World): Done | undefined {
  const { collection } = rule;
  const records = Object.hasOwn(world.entities, collection) ? (world.entities[collection] ?? {}) : {};
  const done = (record: JsonObject, id: string, patch: (value: JsonValue) => Patch): Done => {
    const value = fieldOf(rule, record, id);
    return { value, result: show === undefined ? value : show({ ...record, [rule.gives]: value }), patch: patch(value) };
  };
  if (rule.deed === 'create') {
    // By what it was made from, so that independent calls commute; a second equal record gets a name of its own.
    const made = seedOf(rule.salt, JSON.stringify(Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))));
    let id = `n${made.toString(36)}`;
    for (let copy = 2; records[id] !== undefined; copy++) id = `n${made.toString(36)}.${copy}`;
    const record: JsonObject = { ...args };
    for (const [field, domain] of Object.entries(shown)) record[field] ??= valueOf(domain, seedOf(rule.salt, field, id));
    return done(record, id, (value) => [{ op: 'put', collection, id, record: { ...record, [rule.gives]: value } }]);
  }
  const wanted = rule.deed === 'find' ? Object.keys(args) : rule.keys;
  const fields = Object.entries(shown);
  const found = Object.entries(records).find(
    ([, record]) =>
      wanted.every((key) => record[key] === args[key]) && fields.every(([field, domain]) => holds(domain, record[field] ?? null)),
  );
  if (found === undefined) return undefined;
  const [id, record] = found;
  switch (rule.deed) {
    case 'find':
      return done(record, id, () => []);
    case 'remove':
      return done(record, id, () => [{ op: 'delete', collection, id }]);
    case 'change':
      return done({ ...record, ...args }, id, () => [{ op: 'merge', collection, id, fields: { ...args } }]);
    default:
      return rule.deed satisfies never;
  }
}

/** A field that was never written has a value of its own, which follows from the record's id; so has one that another tool of the category uses for something else. */
function fieldOf(rule: Rule, record: JsonObject, id: string): JsonValue {
  const value = record[rule.gives];
  return value !== undefined && fits(rule.domain, value) ? value : valueOf(rule.domain, seedOf(rule.salt, rule.gives, id));
}
