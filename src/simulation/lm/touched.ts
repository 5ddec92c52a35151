/**
 * Which records a call is about: where its tool looks, which records agree with its arguments, which of the world it need not see. Reads worlds; says nothing of answers.
 * A world may say in its collection `rules` where a tool looks and by which arguments; else the tool's category names the collection, or it may be any.
 */
import { canonical } from '../../protocol/json.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { World } from '../../protocol/world.ts';
import { seedOf } from '../../random.ts';
import type { ToolView } from '../contract.ts';
import { nameWords } from '../hearing.ts';
import { occurrenceKey } from '../state.ts';

export interface Place {
  readonly collection: string;
  readonly id: string;
  readonly record: JsonObject;
}

/** How each tool behaves, where the world says so itself. No tool reads or changes it as a record. */
export const rulesName = 'rules';

const own = <T>(table: { readonly [key: string]: T } | undefined, key: string): T | undefined =>
  table !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;

/** Houses and mailboxes have rules too: those are records like others. */
const isRule = ({ deed, collection }: JsonObject): boolean => typeof deed === 'string' && typeof collection === 'string';

/** The world's own rule of a tool. */
export function ruleOf({ entities }: World, name: string): JsonObject | undefined {
  const rule = own(own(entities, rulesName), name);
  return rule !== undefined && isRule(rule) ? rule : undefined;
}

const places = ({ entities }: World, collections: readonly string[]): Place[] =>
  collections.flatMap((collection) => Object.entries(own(entities, collection) ?? {}).map(([id, record]) => ({ collection, id, record })));

/** Every record of the world but the rules. */
export const recordsIn = (world: World): Place[] =>
  places(world, Object.keys(world.entities)).filter(({ collection, record }) => collection !== rulesName || !isRule(record));

/** The collection a tool works on, where that is known. */
function homeOf({ tool, world }: Pick<ToolView, 'tool' | 'world'>): string | undefined {
  const named = ruleOf(world, tool.name)?.['collection'];
  if (typeof named === 'string') return named;
  return Object.hasOwn(world.entities, tool.category) ? tool.category : undefined;
}

/** The records of the tool's own collection; none where that is not known. */
export function recordsAt(view: Pick<ToolView, 'tool' | 'world'>): Place[] {
  const home = homeOf(view);
  return home === undefined ? [] : places(view.world, [home]);
}

/** The records a tool may be about. */
export const recordsFor = (view: Pick<ToolView, 'tool' | 'world'>): Place[] =>
  homeOf(view) === undefined ? recordsIn(view.world) : recordsAt(view);

/** The records a tool is surely about: those of its own collection, else of collections that its name, category or description speaks of. */
export function recordsOf(view: Pick<ToolView, 'tool' | 'world'>): Place[] {
  const { tool, world } = view;
  if (homeOf(view) !== undefined) return recordsAt(view);
  const words = new Set([tool.name, tool.category, tool.description].flatMap(stemsOf));
  return recordsIn(world).filter(({ collection }) => stemsOf(collection).some((stem) => words.has(stem)));
}
const stemsOf = (text: string): string[] => nameWords(text.slice(0, 400)).map((word) => word.replace(/ies$/, 'y').replace(/s$/, ''));

/** The arguments by which a tool that changes things finds its record: those the world's rule names, else those it must be given. Scalars only. */
export function keyArguments({ tool, call, world }: ToolView): JsonObject {
  const { required } = tool.parameters;
  const keys = ruleOf(world, tool.name)?.['keys'];
  const names = Array.isArray(keys) ? keys : Array.isArray(required) ? required : [];
  return Object.fromEntries(
    Object.entries(call.arguments).filter(
      ([name, value]) => names.includes(name) && (typeof value === 'string' || typeof value === 'number'),
    ),
  );
}

/** Equal as values; `loose`: letter case and blanks around aside, and a number equals its numeral. */
export function isEqual(one: JsonValue | undefined, other: JsonValue | undefined, loose = false): boolean {
  if (one === undefined || other === undefined) return false;
  if (!loose || typeof one === 'object' || typeof other === 'object') return canonical(one) === canonical(other);
  return plain(one) === plain(other);
}
const plain = (value: string | number | boolean): string => {
  const text = String(value).trim().toLowerCase();
  return /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? String(Number(text)) : text;
};

/** Does the record hold this argument, in the field of its name, or as its id? */
export const holds = ({ record, id }: Place, name: string, value: JsonValue, loose = false): boolean =>
  isEqual(own(record, name), value, loose) || (typeof value === 'string' && isEqual(id, value, loose));

/** Records that hold every argument. */
export function agreeing(records: readonly Place[], args: JsonObject, loose = false): readonly Place[] {
  const given = Object.entries(args);
  return records.filter((place) => given.every(([name, value]) => holds(place, name, value, loose)));
}

/** Of each collection, the records that hold every argument which names a field there, or an id; none where no argument does. */
export function resembling(records: readonly Place[], args: JsonObject): readonly Place[] {
  const known = new Map<string, Set<string>>();
  for (const place of records) {
    const names = known.get(place.collection) ?? new Set();
    known.set(place.collection, names);
    for (const [name, value] of Object.entries(args))
      if (Object.hasOwn(place.record, name) || isEqual(place.id, value, true)) names.add(name);
  }
  return records.filter((place) => {
    const names = [...(known.get(place.collection) ?? [])];
    return names.length > 0 && names.every((name) => holds(place, name, args[name] as JsonValue, true));
  });
}

/** Does any argument name a field of these records? Then a record could have agreed with it. */
export const isAskedByField = (records: readonly Place[], args: JsonObject): boolean =>
  records.some(({ record }) => Object.keys(args).some((name) => Object.hasOwn(record, name)));

/** Records these refer to by id, and records that refer to them. */
export function related(world: World, found: readonly Place[]): Place[] {
  const ids = new Set(found.map(({ id }) => id));
  const named = new Set(found.flatMap(({ record }) => scalars(record)).filter((value) => typeof value === 'string'));
  return recordsIn(world).filter(
    (place) =>
      !ids.has(place.id) && (named.has(place.id) || scalars(place.record).some((value) => typeof value === 'string' && ids.has(value))),
  );
}

/** Strings and numbers in a value, whatever holds them. */
export function scalars(value: JsonValue): (string | number)[] {
  if (typeof value === 'string' || typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part: JsonValue) => scalars(part));
}

/** Shorter texts are in too many others by chance. */
const leastShared = 3;

/** Records that share a value with the arguments, or one's text holds the other's. */
function touching(records: readonly Place[], args: JsonObject): Place[] {
  const wanted = scalars(args).map((value) => String(value).trim().toLowerCase());
  return records.filter(({ id, record }) =>
    [id, ...scalars(record)].some((value) => {
      const text = String(value).trim().toLowerCase();
      return wanted.some(
        (other) =>
          text === other || (text.length >= leastShared && other.includes(text)) || (other.length >= leastShared && text.includes(other)),
      );
    }),
  );
}

/**
 * Names the part of the world that the answer to a read may depend on: what it touches, and all the records its tool is surely about, since a record that comes new may be among them.
 * Where neither is known that is the whole world. 14 hex digits.
 */
export function touchedHash({ tool, call, world }: ToolView): string {
  const everywhere = recordsIn(world);
  const found = [...recordsOf({ tool, world }), ...touching(everywhere, call.arguments)];
  const seen = found.length === 0 ? everywhere : found;
  const linked = related(world, seen);
  const lines = [...seen, ...linked].map(({ collection, id, record }) => canonical([collection, id, record]));
  return seedOf(canonical(ruleOf(world, tool.name)), ...new Set(lines.sort()))
    .toString(16)
    .padStart(14, '0');
}

/** What a tool is shown: the whole world where it has room, else the records it needs most, and in the collection `elsewhere` how many others there are, by name. */
export function shownWorld(view: ToolView, characters: number): World {
  const { tool, call, world } = view;
  const key = occurrenceKey(call);
  const count = own(world.occurrences, key);
  const occurrences = count === undefined ? {} : { [key]: count };
  if (sizeOf(world.entities) <= characters) return { entities: world.entities, occurrences };
  const all = recordsIn(world);
  const touched = touching(all, call.arguments);
  const ranked = [...new Set([...touched, ...related(world, touched), ...recordsFor(view), ...all].map((place) => placeOf(place)))];
  const rule = ruleOf(world, tool.name);
  const entities: Record<string, Record<string, JsonObject>> = rule === undefined ? {} : { [rulesName]: { [tool.name]: rule } };
  const byName = new Map(all.map((place) => [placeOf(place), place]));
  const hidden: Place[] = [];
  let left = characters - sizeOf(entities);
  for (const name of ranked) {
    const place = byName.get(name) as Place;
    const size = sizeOf(place.record) + place.id.length + 6;
    if (size > left) hidden.push(place);
    else {
      left -= size;
      (entities[place.collection] ??= {})[place.id] = place.record;
    }
  }
  const index = indexOf(hidden);
  return {
    entities: index === undefined || Object.hasOwn(entities, elsewhere) ? entities : { ...entities, [elsewhere]: { index } },
    occurrences,
  };
}

const elsewhere = 'elsewhere';
const placeOf = ({ collection, id }: Place): string => canonical([collection, id]);
const sizeOf = (value: JsonObject | World['entities']): number => JSON.stringify(value).length;

/** Ids of one collection shown in the index. */
const mostIds = 12;

function indexOf(hidden: readonly Place[]): JsonObject | undefined {
  if (hidden.length === 0) return undefined;
  const ids = new Map<string, string[]>();
  for (const { collection, id } of hidden) ids.set(collection, [...(ids.get(collection) ?? []), id]);
  return Object.fromEntries(
    [...ids].map(([collection, names]) => [
      collection,
      `${names.length} more: ${names.slice(0, mostIds).join(', ')}${names.length > mostIds ? ', …' : ''}`,
    ]),
  );
}
