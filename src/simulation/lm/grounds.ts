/**
 * Whether everything an observation says is in the world, in the call or in the tool's own schema. Where a record is what the call is about, its fields must be told as they stand;
 * what no record says must be put down before it is said, so that it stays so. Knows no language: names and values alone.
 */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { isRecord } from '../../tools/schema.ts';
import type { ToolView } from '../contract.ts';
import { type Heard, heardIn, isSaid, wordsOf } from '../hearing.ts';
import { complaintOf } from '../validate.ts';
import { type Place, isAskedByField, isEqual, recordsFor, recordsIn, related, scalars } from './touched.ts';

export interface Grounds {
  /** The records the call is about, as they are afterwards. */
  readonly sources: readonly Place[];
  /** Others that the patch touches. */
  readonly written: readonly Place[];
  /** What no source says may be made up without being put down: so it is in worlds with rules, where it follows from them. */
  readonly open: boolean;
}

/** One scalar of an observation. */
interface Said {
  /** The name it stands under; of a bare value or list the name its schema gives. */
  readonly name: string | undefined;
  /** The same with the name of what holds it before it: `guest_name`. */
  readonly full: string | undefined;
  readonly value: string | number | boolean;
  readonly schema: JsonObject | undefined;
}
/** An object or bare value of the observation: what stands directly in it. */
type Row = readonly Said[];

/** The first thing said that nothing bears out, in words; undefined when all is. */
export function ungrounded(view: ToolView, observation: JsonValue, { sources, written, open }: Grounds): string | undefined {
  const { returns } = view.tool;
  const rows = unambiguous([...rowsOf(observation, nameOfRoot(returns), undefined, returns)]);
  for (const row of rows) {
    const wrong = conflict(row, sources);
    if (wrong !== undefined) return wrong;
  }
  let known: Known | undefined;
  const isBorne = (name: string | undefined, value: string | number): boolean => {
    known ??= knowledge(view, sources, written, observation);
    return isKnown(known, value) || (isRemark(name) && isBorneOut(known, value));
  };
  for (const row of rows)
    for (const said of row) {
      const { name, value } = said;
      if (typeof value === 'boolean' || sources.some((place) => statedBy(place, said).some((stated) => isEqual(stated, value, true))))
        continue;
      if (isBorne(name, value)) continue;
      const mayBeNew = open && name !== undefined && !recordsIn(view.world).some(({ id }) => id === value);
      if (mayBeNew && sources.some((place) => statedBy(place, said).length === 0 && !isDenied(row, place))) continue;
      return `${name ?? 'the observation'} says ${quoted(value)}, which is in no record it could come from: put it into the world or leave it out`;
    }
  return undefined;
}

/** Each row must agree with one of the sources in all that this one says. */
function conflict(row: Row, sources: readonly Place[]): string | undefined {
  const [first] = sources;
  if (first === undefined || sources.some((place) => !isDenied(row, place))) return undefined;
  const wrong = row.find((said) => isDenied([said], first));
  return `${wrong?.name ?? 'the observation'} is not ${quoted(wrong?.value ?? null)} in ${first.collection}/${first.id}`;
}

/** Does the record say otherwise of any of it? */
const isDenied = (row: Row, place: Place): boolean =>
  row.some((said) => {
    const stated = statedBy(place, said);
    return stated.length > 0 && !stated.some((other) => isEqual(other, said.value, true));
  });
const quoted = (value: JsonValue): string => JSON.stringify(value).slice(0, 120);

/** Two objects of one observation may each have a `name`: only the first speaks of the record's own, the others of a field with their holder's name before it. */
function unambiguous(rows: readonly Row[]): Row[] {
  const holders = new Map<string, string | undefined>();
  return rows.map((row) =>
    row.map((said) => {
      if (said.name === undefined) return said;
      if (!holders.has(said.name)) holders.set(said.name, said.full);
      return holders.get(said.name) === said.full ? said : { ...said, name: said.full };
    }),
  );
}

/** What a record says of it, at its top or one level down, as far as that could be shown there. */
function statedBy({ record }: Place, { name, full, value, schema }: Said): JsonValue[] {
  if (name === undefined) return [];
  const fits = (stated: JsonValue): boolean =>
    typeof stated === typeof value && (schema === undefined || complaintOf(schema, stated) === undefined);
  const under = (wanted: string): JsonValue[] => {
    const at = (fields: JsonObject): JsonValue[] =>
      Object.entries(fields).flatMap(([field, held]) => (plainName(field) === wanted ? [held] : []));
    const top = at(record).flatMap((held) => (Array.isArray(held) ? held : [held]));
    return top.length > 0 ? top : Object.values(record).flatMap((held) => (isRecord(held) ? at(held) : []));
  };
  const own = full === undefined ? [] : under(plainName(full)).filter(fits);
  return own.length > 0 ? own : under(plainName(name)).filter(fits);
}
const plainName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** What may be said, as text and as single words. */
interface Known {
  readonly text: Heard;
  readonly words: ReadonlySet<string>;
}

/** Everything that may be said: of the sources where there are any, else of the whole world, unless the call named a field and nothing agreed. */
function knowledge(view: ToolView, sources: readonly Place[], written: readonly Place[], observation: JsonValue): Known {
  const { tool, call, world } = view;
  const near = [...sources, ...written];
  const isOpen = sources.length === 0 && !isAskedByField(recordsFor(view), call.arguments);
  const places = isOpen ? [...recordsIn(world), ...near] : [...near, ...related(world, near)];
  const said = [
    ...scalars(call.arguments),
    ...places.flatMap(({ id, record }) => [id, ...scalars(record)]),
    ...schemaWords(tool),
    ...listLengths(observation),
    sources.length,
    ...(tool.effects === 'read' ? [recordsFor(view).length] : []),
  ];
  const text = heardIn(...said.map(String));
  return { text, words: new Set(text.split(' ')) };
}

/** As it stands somewhere, or put together from words that are all known. */
function isKnown({ text, words }: Known, value: string | number): boolean {
  if (isSaid(text, value)) return true;
  return (
    typeof value === 'string' &&
    wordsOf(value)
      .split(' ')
      .every((word) => word === '' || words.has(word))
  );
}

/** Names under which tools speak to people rather than state a fact. */
const remarks = new Set([
  'message',
  'msg',
  'status',
  'note',
  'info',
  'detail',
  'details',
  'summary',
  'result',
  'response',
  'reason',
  'error',
]);
const isRemark = (name: string | undefined): boolean => name !== undefined && remarks.has(plainName(name));
/** Of a remark only names and numbers with digits must be known: its words are its own. */
const isBorneOut = ({ words }: Known, value: string | number): boolean =>
  typeof value === 'string' &&
  wordsOf(value)
    .split(' ')
    .every((word) => !/\d/.test(word) || words.has(word));

function* rowsOf(value: JsonValue, name: string | undefined, holder: string | undefined, schema: JsonValue | undefined): Generator<Row> {
  const node = isRecord(schema) ? schema : undefined;
  if (Array.isArray(value)) {
    for (const part of value) yield* rowsOf(part, name, holder, node?.['items']);
  } else if (!isRecord(value)) {
    if (value !== null) yield [saidAs(name, holder, value, node)];
  } else {
    const properties = isRecord(node?.['properties']) ? node['properties'] : {};
    const inner = (field: string): JsonValue | undefined => (Object.hasOwn(properties, field) ? properties[field] : undefined);
    const fields = Object.entries(value);
    yield fields.flatMap(([field, part]) => (isScalar(part) ? [saidAs(field, name, part, inner(field))] : []));
    for (const [field, part] of fields) if (!isScalar(part)) yield* rowsOf(part, field, name, inner(field));
  }
}

const isScalar = (value: JsonValue): value is string | number | boolean => typeof value !== 'object';

const saidAs = (name: string | undefined, holder: string | undefined, value: Said['value'], schema: JsonValue | undefined): Said => ({
  name,
  full: name === undefined || holder === undefined ? undefined : `${holder}_${name}`,
  value,
  schema: isRecord(schema) ? schema : undefined,
});

/** A bare result is named by its schema, where the schema's words are one word. */
function nameOfRoot(returns: JsonObject | undefined): string | undefined {
  const items = isRecord(returns?.['items']) ? returns['items'] : undefined;
  return [returns?.['description'], returns?.['title'], items?.['description'], items?.['title']].find(
    (text): text is string => typeof text === 'string' && /^[\w-]{1,40}$/.test(text),
  );
}

/** The tool's own words: its description, and what its schemas name as values. */
const schemaWords = ({ description, parameters, returns }: ToolSpec): string[] => [
  description,
  ...valuesIn(parameters),
  ...valuesIn(returns ?? {}),
];

function valuesIn(schema: JsonObject): string[] {
  return Object.entries(schema).flatMap(([keyword, value]): string[] => {
    if (keyword === 'enum' || keyword === 'const' || keyword === 'default') return scalars(value).map(String);
    if (keyword === 'description' && typeof value === 'string') return [value];
    if (Array.isArray(value)) return value.flatMap((part) => (isRecord(part) ? valuesIn(part) : []));
    return isRecord(value) ? valuesIn(value) : [];
  });
}

/** How many there are of what is listed, and of what was found. */
const listLengths = (value: JsonValue): number[] =>
  Array.isArray(value) ? [value.length, ...value.flatMap(listLengths)] : isRecord(value) ? Object.values(value).flatMap(listLengths) : [];
