/** What no text of a task may hold, whoever wrote it: marks of chat templates, placeholders, names that reach a prototype, worlds without bounds. Knows no task. */
import type { JsonValue } from '../../protocol/json.ts';
import type { World } from '../../protocol/world.ts';
import { isHostileKey, isRecord } from '../../tools/schema.ts';

/** Marks by which chat templates tell who speaks, thinks or calls. Bounded, so that no text makes it slow. */
const marks =
  /<\|[^|<>\n]{0,40}\|>|<\/?(?:think|tool|tools|tool_call|tool_calls|tool_response|function|function_results|im_start|im_end|name|pad|unk|copy|s|bos|eos)>|\[\/?INST\]|<<\/?SYS>>|<｜/i;

/** The first mark of a template that a text holds. */
export const markIn = (text: string): string | undefined => marks.exec(text)?.[0];

/** Values that stand for a value. Source: the placeholder filter of Tool-R0 (arXiv 2602.21320); the list is ours. */
const placeholders = [
  /^(?:string|number|integer|boolean|value|example|sample|placeholder|null|undefined|none given|unknown|todo|tbd|foo|bar|baz|foobar|dummy|lorem ipsum)$/i,
  /^(?:x{2,}|\?+|\.{2,}|-+|_+|n\/a)$/i,
  /^(?:your|my|some|the)[ _-](?:\w{1,20}[ _-])?(?:name|email|id|city|key|value|address|date|here)$/i,
  /^(?:example|sample|test|dummy)[ _-]?(?:value|text|name|id|string|data|\d{1,3})$/i,
  /^[<[{]{1,2}[^<>[\]{}]{0,40}[>\]}]{1,2}$/,
  /^(?:john|jane) doe$/i,
];

export const isPlaceholder = (value: string): boolean => value.length < 80 && placeholders.some((pattern) => pattern.test(value.trim()));

/** A gap that was never filled in: `[name]`, `{{city}}`, `<date>`. */
const gaps = /\[[a-z][a-z _-]{1,30}\]|\{\{?[a-z][a-z _-]{0,30}\}?\}|<[a-z][a-z _-]{1,30}>/i;
export const gapIn = (text: string): string | undefined => gaps.exec(text)?.[0];

/** A name that nobody says by chance: it has an underscore, a capital inside, or a digit beside letters. */
const isTechnical = (name: string): boolean => /_|[a-z][A-Z]|[A-Za-z]\d|\d[A-Za-z]/.test(name);

/** The first of these names that stands in the text as a word of its own; plain words are nobody's names. */
export function nameIn(text: string, names: ReadonlySet<string>): string | undefined {
  return (text.match(/[A-Za-z0-9_-]{1,64}/g) ?? []).find((word) => names.has(word) && isTechnical(word));
}

/** Every text in a value, names of fields included. */
export function* textsIn(value: JsonValue): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const part of value) yield* textsIn(part);
  else if (isRecord(value))
    for (const [key, part] of Object.entries(value)) {
      yield key;
      yield* textsIn(part);
    }
}

const worldLimits = { records: 64, characters: 16_384, name: 80, depth: 6 } as const;

/** What is wrong with the records a world begins with; undefined when nothing is. */
export function complaintAboutWorld(entities: World['entities']): string | undefined {
  let records = 0;
  for (const [collection, ids] of Object.entries(entities)) {
    if (!isName(collection)) return `the world has a collection with no usable name: ${shown(collection)}`;
    for (const [id, record] of Object.entries(ids)) {
      records++;
      if (!isName(id)) return `${collection} has a record with no usable id: ${shown(id)}`;
      if (!isRecord(record)) return `${collection}/${id} is no record`;
      if (!isTame(record, worldLimits.depth)) return `${collection}/${id} is nested too deep or has a field with no usable name`;
    }
  }
  if (records > worldLimits.records) return `the world has ${records} records; at most ${worldLimits.records} are allowed`;
  const size = JSON.stringify(entities).length;
  return size > worldLimits.characters
    ? `the world has ${size} characters of records; at most ${worldLimits.characters} are allowed`
    : undefined;
}

const isName = (name: string): boolean =>
  name.trim() !== '' && name.length <= worldLimits.name && !isHostileKey(name) && !/\p{Cc}/u.test(name);

/** Values of bounded depth without a field that reaches a prototype. */
export function isTame(value: JsonValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((part) => isTame(part, depth - 1));
  return Object.entries(value).every(([name, part]) => isName(name) && isTame(part, depth - 1));
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 40));
