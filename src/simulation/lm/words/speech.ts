/** The small language all four roles share: words with a meaning of their own, and values as words. Every word is one of the tiny model's vocabulary, which this folder does not know. */
import type { JsonObject, JsonValue } from '../../../protocol/json.ts';
import type { ToolSpec } from '../../../protocol/tool.ts';

/** Opens each role's prompt. */
export const part = { task: 'plan', user: 'user', tool: 'tool', judge: 'grade' } as const;

/** How an agent says what it does: the first word of its turn. */
export const said = { ask: 'ask', none: 'none', done: 'done', answer: 'answer', missing: 'missing' } as const;

export const sign = {
  /** Begins a record, or a fact. */
  note: 'note',
  /** Stands before what comes next: the user's next request, the next request of a solution. */
  next: 'then',
  /** The result of the call before, or of the first call, in place of a value. */
  it: 'it',
  first: 'first',
  /** Stands before a parameter that may be left out. */
  maybe: 'maybe',
  /** Stands before the topic of a tool that only reads. */
  reads: 'lookup',
  dunno: 'dunno',
  /** One for each refused attempt. */
  again: 'again',
} as const;

/** What a call does to the records of its tool's category. */
export const deeds = { find: 'ok', create: 'append', change: 'change', remove: 'remove' } as const;
export type Deed = keyof typeof deeds;
export const deedOf = (word: string): Deed | undefined => (Object.keys(deeds) as Deed[]).find((deed) => deeds[deed] === word);

export const wordsOf = (text: string): string[] => text.split(/\s+/u).filter((word) => word !== '');

/** A scalar as words; what is no scalar is said as JSON, which the tiny model cannot read. */
export const spoken = (value: JsonValue | undefined): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : JSON.stringify(value ?? null);

/** Pairs `name value` in their order. */
export const pairs = (record: JsonObject): string[] => Object.entries(record).flatMap(([name, value]) => [name, spoken(value)]);

/** The value that words say, of the schema's type; undefined when it is of no scalar type, or they say none of it. */
export function valueOf(words: readonly string[], schema: JsonValue | undefined): JsonValue | undefined {
  if (words.length === 0) return undefined;
  const text = words.join(' ');
  const type = isRecord(schema) ? schema['type'] : undefined;
  if (type === 'integer' || type === 'number') return /^\d{1,9}$/u.test(text) ? Number(text) : undefined;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return type === 'string' || type === undefined ? text : undefined;
}

/** The word a result goes by, which is also the field of a record that holds it. */
export function givesOf({ returns }: ToolSpec): string {
  const word = returns?.['description'];
  return typeof word === 'string' && isName(word) ? word : 'result';
}

/** What a tool is about, and whether it only reads. */
export const topicOf = ({ description, effects }: ToolSpec): string[] => [
  ...(effects === 'read' ? [sign.reads] : []),
  ...wordsOf(description),
];

/** A tool's parameters in the order of its schema. */
export function parametersOf({
  parameters,
}: ToolSpec): { readonly name: string; readonly required: boolean; readonly schema: JsonValue }[] {
  const { properties, required } = parameters;
  const needed = new Set(Array.isArray(required) ? required : []);
  return isRecord(properties) ? Object.entries(properties).map(([name, schema]) => ({ name, required: needed.has(name), schema })) : [];
}

/** May it name a field or a record? */
const isName = (word: string): boolean => /^[a-z][a-z-]{0,30}$/u.test(word);

const isRecord = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whole words of the dialect only: what else a model may write is no reply. `signs`: the marks of a written task are allowed, too. */
export function plain(text: string, { most, signs = false }: { readonly most: number; readonly signs?: boolean }): string[] | undefined {
  if (text.length > most * 24) return undefined;
  const words = wordsOf(text);
  const form = signs ? /^(?:[a-z0-9-]{1,20}|[(),=?])$/u : /^[a-z0-9-]{1,20}$/u;
  return words.length > 0 && words.length <= most && words.every((word) => form.test(word)) ? words : undefined;
}
