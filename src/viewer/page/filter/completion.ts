/** What may be written next in a filter: fields, operators, values that occur, connectives. Knows the language's tokens; no component. */
import type { EpisodeList } from '../../contract.ts';
import { fieldNames, fields, isField, operatorsOf } from '../../../record/filter-fields.ts';
import { type Token, tokensOf } from '../../../record/filter-tokens.ts';

export interface Completion {
  /** As it is listed. */
  readonly title: string;
  /** Beside it: what it means, or how often it occurs. */
  readonly hint: string;
  /** Stands in the place of what is being written. */
  readonly insert: string;
}

export interface Completions {
  /** The part of the text that one of them replaces. */
  readonly from: number;
  readonly to: number;
  readonly list: readonly Completion[];
}

const nothing: Completions = { from: 0, to: 0, list: [] };
/** Listed at most. */
const most = 12;

/** Values that are known beforehand; the others come from the facets. */
const known: Readonly<Record<string, readonly string[]>> = {
  branch: ['call', 'ask', 'answer', 'none'],
  split: ['train', 'heldOut'],
  fate: ['trained', 'zeroVariance', 'tooFewScored', 'outOfBand', 'nothingSampled', 'heldOut'],
  reward: ['-1', '0', '1', 'null'],
};

const nullable = new Set(['reward', 'version', 'episode', 'malformed', 'tool', 'reason']);

/** For the text as it is, with the caret there. Nothing where nothing fits, or where only the writer can know. */
export function completionsAt(text: string, caret: number, facets: EpisodeList['facets'] | undefined): Completions {
  const before = text.slice(0, caret);
  const { tokens, open } = openingOf(before);
  const last = tokens.at(-1);
  // Something is being written where the caret touches its end; else something new begins at the caret.
  const writes = open ?? (last?.kind === 'name' && last.end === caret ? { at: last.at, text: last.text } : { at: caret, text: '' });
  const done = open === null && writes.at !== caret ? tokens.slice(0, -1) : tokens;
  const place = { from: writes.at, to: caret };
  const [field, operator] = done.slice(-2);
  if (operator?.kind === 'operator' && field?.kind === 'name')
    return { ...place, list: valuesOf(field.text, operator.text, writes.text, facets) };
  if (open !== null) return nothing;
  if (isPrefix(done.at(-1)))
    return isField(writes.text)
      ? { from: caret, to: afterOperator(text, caret), list: operatorsFor(writes.text) }
      : { ...place, list: fieldsLike(writes.text) };
  const previous = done.at(-1);
  if (previous?.kind === 'name' && isField(previous.text) && isPrefix(done.at(-2)))
    return writes.text === '' ? { ...place, list: operatorsFor(previous.text) } : nothing;
  if (writes.text !== '') return nothing;
  const space = caret === 0 || before.endsWith(' ') ? '' : ' ';
  return {
    ...place,
    list: [
      { title: '&&', hint: 'and', insert: `${space}&& ` },
      { title: '||', hint: 'or', insert: `${space}|| ` },
    ],
  };
}

/** The whole tokens of a beginning, and the text in quotes that is not closed yet. */
function openingOf(before: string): {
  readonly tokens: readonly Token[];
  readonly open: { readonly at: number; readonly text: string } | null;
} {
  const read = tokensOf(before);
  if (!('kind' in read)) return { tokens: read.slice(0, -1), open: null };
  const whole = tokensOf(before.slice(0, read.at));
  const tokens = 'kind' in whole ? [] : whole.slice(0, -1);
  const quote = before[read.at];
  return { tokens, open: quote === '"' || quote === "'" ? { at: read.at, text: before.slice(read.at + 1) } : null };
}

/** One that stands there already is replaced. */
const afterOperator = (text: string, at: number): number => at + (/^(?:[=!<>]=|[<>~])/.exec(text.slice(at))?.[0].length ?? 0);

/** Whether a term begins after it. */
const isPrefix = (token: Token | undefined): boolean => token === undefined || (token.kind === 'mark' && token.text !== ')');

const fieldsLike = (typed: string): Completion[] =>
  beginning(fieldNames, typed).map((name) => ({ title: name, hint: fields[name].what, insert: name }));

function operatorsFor(field: string): Completion[] {
  if (!isField(field)) return [];
  const words = { '==': 'is', '!=': 'is not', '<': 'less', '<=': 'at most', '>': 'more', '>=': 'at least', '~': 'contains' } as const;
  return operatorsOf[fields[field].kind].map((operator) => ({ title: operator, hint: words[operator], insert: operator }));
}

function valuesOf(field: string, operator: string, typed: string, facets: EpisodeList['facets'] | undefined): Completion[] {
  if (!isField(field)) return [];
  const counted = Object.hasOwn(facets ?? {}, field) ? (facets?.[field as keyof EpisodeList['facets']] ?? []) : [];
  const counts = new Map(counted.map(({ value, count }) => [value, count]));
  const isEqual = operator === '==' || operator === '!=';
  const values = [...new Set([...counts.keys(), ...(known[field] ?? []), ...(nullable.has(field) && isEqual ? ['null'] : [])])];
  const { kind } = fields[field];
  return beginning(values, typed)
    .filter((value) => isEqual || value !== 'null')
    .map((value) => {
      const count = counts.get(value);
      return {
        title: value,
        hint: count === undefined ? '' : `${count.toLocaleString('en-US')} ×`,
        insert: kind === 'number' || (value === 'null' && nullable.has(field)) ? value : JSON.stringify(value),
      };
    });
}

/** Those that begin so first, then those that contain it. One that is written out needs no completion. */
function beginning<T extends string>(words: readonly T[], typed: string): T[] {
  const lower = typed.toLowerCase();
  const starts = words.filter((word) => word.toLowerCase().startsWith(lower));
  const contain = words.filter((word) => !starts.includes(word) && word.toLowerCase().includes(lower));
  return [...starts, ...contain].filter((word) => word !== typed).slice(0, most);
}

/** The text with one of them written, and where the caret is then. */
export function completed(
  text: string,
  { from, to }: Completions,
  { insert }: Completion,
): { readonly text: string; readonly caret: number } {
  // A quote that is closed already is not closed twice.
  const rest = insert.endsWith('"') && (text[to] === '"' || text[to] === "'") ? text.slice(to + 1) : text.slice(to);
  return { text: text.slice(0, from) + insert + rest, caret: from + insert.length };
}
