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

/** Of a tool under its own name: which fields of a record its results show, and how. Whatever a result says stands in its record: what is missing there is written down when it is first shown. */
export interface Showing {
  /** The tool's; where a field of the record already means something else, it has one of its own under this name. */
  readonly name: string;
  readonly fields: Readonly<Record<string, Domain>>;
  /** As the return schema wants it. Absent: the result is the value given. */
  readonly form?: (read: (field: string) => JsonValue) => JsonValue;
}

export interface Behaviour {
  readonly rule: Rule;
  readonly showing?: Showing;
}

export const rulesCollection = 'rules';

/** The fields that a record lacks for what is shown of it, under the names they would have there. `values` makes them up. */
export function lacking({ name, fields }: Showing, record: JsonObject, values: (field: string, domain: Domain) => JsonValue): JsonObject {
  const missing: JsonObject = {};
  for (const [field, domain] of Object.entries(fields)) {
    const key = keyIn(name, record, field, domain);
    if (!Object.hasOwn(record, key)) missing[key] = values(field, domain);
  }
  return missing;
}

const keyIn = (name: string, record: JsonObject, field: string, domain: Domain): string =>
  !Object.hasOwn(record, field) || holds(domain, record[field] ?? null) ? field : `${name}.${field}`;

export interface Done {
  /** What the call gives: one scalar, whatever the result looks like. */
  readonly value: JsonValue;
  /** The value, or a record that shows it. */
  readonly result: JsonValue;
  readonly patch: Patch;
}

/** What a call does to the world; undefined where no record fits. */
export function act(behaviour: Behaviour, { arguments: args }: ToolCall, world: World): Done | undefined {
  const { rule } = behaviour;
  const { collection } = rule;
  const records = Object.hasOwn(world.entities, collection) ? (world.entities[collection] ?? {}) : {};
  if (rule.deed === 'create') {
    // By what it was made from, so that independent calls commute; a second equal record gets a name of its own.
    const made = seedOf(rule.salt, JSON.stringify(Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))));
    let id = `n${made.toString(36)}`;
    for (let copy = 2; records[id] !== undefined; copy++) id = `n${made.toString(36)}.${copy}`;
    const { value, result, missing } = shownOf(behaviour, args, id);
    return { value, result, patch: [{ op: 'put', collection, id, record: { ...args, ...missing, [rule.gives]: value } }] };
  }
  const wanted = rule.deed === 'find' ? Object.keys(args) : rule.keys;
  const found = Object.entries(records).find(([, record]) => wanted.every((key) => record[key] === args[key]));
  if (found === undefined) return undefined;
  const [id, record] = found;
  const { value, result, missing } = shownOf(behaviour, rule.deed === 'change' ? { ...record, ...args } : record, id);
  switch (rule.deed) {
    case 'find':
      return { value, result, patch: Object.keys(missing).length === 0 ? [] : [{ op: 'merge', collection, id, fields: missing }] };
    case 'remove':
      return { value, result, patch: [{ op: 'delete', collection, id }] };
    case 'change':
      return { value, result, patch: [{ op: 'merge', collection, id, fields: { ...args, ...missing } }] };
    default:
      return rule.deed satisfies never;
  }
}

function shownOf(
  { rule, showing }: Behaviour,
  record: JsonObject,
  id: string,
): { readonly value: JsonValue; readonly result: JsonValue; readonly missing: JsonObject } {
  if (showing === undefined) {
    const value = fieldOf(rule, record, id);
    return { value, result: value, missing: {} };
  }
  const missing = lacking(showing, record, (field, domain) => valueOf(domain, seedOf(rule.salt, field, id)));
  const whole = { ...record, ...missing };
  const read = (field: string): JsonValue => whole[keyIn(showing.name, record, field, showing.fields[field] as Domain)] ?? null;
  const value = read(rule.gives);
  return { value, result: showing.form === undefined ? value : showing.form(read), missing };
}

/** A field that was never written has a value of its own, which follows from the record's id; so has one that another tool of the category uses for something else. */
function fieldOf(rule: Rule, record: JsonObject, id: string): JsonValue {
  const value = record[rule.gives];
  return value !== undefined && fits(rule.domain, value) ? value : valueOf(rule.domain, seedOf(rule.salt, rule.gives, id));
}
