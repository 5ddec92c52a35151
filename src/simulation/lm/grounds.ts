/**
 * Whether everything an observation says is in the world, in the call or in the tool's own schema. Where a record is what the call is about, its fields must be told as they stand;
 * what no such record says may be said by a look-up, since somebody must be the first. Knows no language: names and values alone.
 */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { ToolSpec } from '../../protocol/tool.ts';
import { isRecord } from '../../tools/schema.ts';
import type { ToolView } from '../contract.ts';
import { type Heard, heardIn, isSaid, wordsOf } from '../hearing.ts';
import { type Place, isAskedByField, isEqual, recordsFor, recordsIn, related, scalars } from './touched.ts';

export interface Grounds {
  /** The records the call is about, as they are afterwards. */
  readonly sources: readonly Place[];
  /** Others that the patch touches. */
  readonly written: readonly Place[];
  /** What no source says may be made up: a new record would hold it, an old one need not. */
  readonly reading: boolean;
}

/** Objects and bare values of the observation with what stands directly in them. Root values and those of a bare list have the name the schema gives. */
interface Row {
  readonly fields: readonly { readonly name: string | undefined; readonly value: string | number | boolean }[];
}

/** The first thing said that nothing bears out, in words; undefined when all is. */
export function ungrounded(view: ToolView, observation: JsonValue, { sources, written, reading }: Grounds): string | undefined {
  const rows = [...rowsOf(observation, nameOfRoot(view.tool.returns))];
  for (const { fields } of rows) {
    const wrong = conflict(fields, sources);
    if (wrong !== undefined) return wrong;
  }
  const known = knowledge(view, sources, written, observation);
  for (const { name, value } of rows.flatMap(({ fields }) => fields)) {
    if (typeof value === 'boolean' || isKnown(known, value) || (isRemark(name) && isBorneOut(known, value))) continue;
    const isStated = sources.some((place) => statedBy(place, name).some((stated) => typeof stated === typeof value));
    if (reading && sources.length > 0 && name !== undefined && !isStated) continue;
    return `${name === undefined ? 'the observation' : name} says ${JSON.stringify(value).slice(0, 120)}, which is in no record it could come from: put it into the world or leave it out`;
  }
  return undefined;
}

/** Each row must agree with one of the sources in all that this one says. */
function conflict(fields: Row['fields'], sources: readonly Place[]): string | undefined {
  const checked = fields.filter(({ name }) => name !== undefined);
  if (checked.length === 0 || sources.length === 0) return undefined;
  let first: string | undefined;
  for (const source of sources) {
    const wrong = checked.find(({ name, value }) => {
      const stated = statedBy(source, name).filter((other) => typeof other === typeof value);
      return stated.length > 0 && !stated.some((other) => isEqual(other, value, true));
    });
    if (wrong === undefined) return undefined;
    first ??= `${wrong.name} is not ${JSON.stringify(wrong.value).slice(0, 120)} in ${source.collection}/${source.id}`;
  }
  return first;
}

/** What a record says under a name, at its top or one level down; its id under `id` or a name that ends so. */
function statedBy({ id, record }: Place, name: string | undefined): JsonValue[] {
  if (name === undefined) return [];
  const wanted = plainName(name);
  const at = (fields: JsonObject): JsonValue[] =>
    Object.entries(fields).flatMap(([field, value]) => (plainName(field) === wanted ? [value] : []));
  const top = at(record).flatMap((value) => (Array.isArray(value) ? value : [value]));
  const stated = top.length > 0 ? top : Object.values(record).flatMap((value) => (isRecord(value) ? at(value) : []));
  return stated.length > 0 || !/id$/.test(wanted) ? stated : [id];
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

function* rowsOf(value: JsonValue, name: string | undefined): Generator<Row> {
  if (Array.isArray(value)) {
    for (const part of value) yield* rowsOf(part, name);
  } else if (!isRecord(value)) {
    if (value !== null) yield { fields: [{ name, value }] };
  } else {
    const fields = Object.entries(value);
    yield {
      fields: fields.flatMap(([field, part]) =>
        typeof part === 'object' || part === null ? [] : [{ name: field, value: part as string | number | boolean }],
      ),
    };
    for (const [field, part] of fields) if (typeof part === 'object' && part !== null) yield* rowsOf(part, field);
  }
}

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
