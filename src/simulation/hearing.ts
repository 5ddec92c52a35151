/**
 * Whether a value was said, and so could come from what has been said so far: word for word, letter case, punctuation, number words and thousands separators aside. Knows words only, in any
 * language; not what they are for, and no world.
 * Source: Tool-R0 (arXiv 2602.21320), grounding of gold arguments in the question. Deviation: whole words, so that "art" is not said by "start".
 */
import type { JsonValue } from '../protocol/json.ts';

/** Text as words with blanks around each. */
export type Heard = string;

/** The words of these texts; what one says does not run on into the next. */
export const heardIn = (...texts: readonly string[]): Heard => ` ${texts.map(wordsOf).join(' | ')} `;

/** Lower-case words and numbers, separated by single blanks. `12,500` is one number, and a timestamp a date and a time. */
export const wordsOf = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
    .replace(/(\d{4}-\d{2}-\d{2})t(\d{2}:\d{2}(?::\d{2})?)z?/g, '$1 $2')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** An absent value needs no saying. Of lists and objects every leaf must be said. */
export function isSaid(heard: Heard, value: JsonValue): boolean {
  if (value === null) return true;
  if (typeof value === 'object') return Object.values(value).every((part: JsonValue) => isSaid(heard, part));
  return variantsOf(value).some((words) => words !== '' && heard.includes(` ${words} `));
}

/** A switch is said by its word, or by the words of its parameter: "with pictures" for `pictures: true`, "nothing urgent" for `urgent: false`. */
export const isImplied = (heard: Heard, name: string, value: JsonValue): boolean =>
  typeof value === 'boolean' && nameWords(name).some((word) => word.length > 2 && heard.includes(` ${word} `));

/** `sendEmail_to` → send, email, to. */
export const nameWords = (name: string): string[] =>
  wordsOf(name.replace(/([a-z0-9])([A-Z])/g, '$1 $2'))
    .split(' ')
    .filter((word) => word !== '');

function variantsOf(value: string | number | boolean): string[] {
  if (typeof value === 'boolean') return value ? ['true', 'yes'] : ['false', 'no'];
  if (typeof value === 'string') {
    const number = /^\d{1,6}$/.test(value) ? numberWords(Number(value)) : '';
    return [wordsOf(value), number];
  }
  const cents = Number.isInteger(value) ? '' : value.toFixed(2);
  const percent = value > 0 && value < 1 ? String(Math.round(value * 1e6) / 1e4) : '';
  return [String(value), cents, percent, Number.isInteger(value) ? numberWords(value) : ''].map(wordsOf);
}

const ones =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** 0 to 999,999 as English words without "and"; empty for other numbers. */
export function numberWords(n: number): string {
  if (!Number.isInteger(n) || n < 0 || n > 999_999) return '';
  if (n < 20) return ones[n] as string;
  const join = (head: string, rest: number): string => (rest === 0 ? head : `${head} ${numberWords(rest)}`);
  if (n < 100) return join(tens[Math.floor(n / 10) - 2] as string, n % 10);
  if (n < 1000) return join(`${ones[Math.floor(n / 100)] as string} hundred`, n % 100);
  return join(`${numberWords(Math.floor(n / 1000))} thousand`, n % 1000);
}

/** A value of more words is composed text: only what has digits in it must have been said. */
const phraseWords = 3;
/** Characters of one text that are read. */
const longest = 20_000;

export const nothingHeard: Heard = heardIn();

/** Heard, and these texts besides; what one says does not run on into the next. */
export function hearing(heard: Heard, texts: readonly string[]): Heard {
  const said = texts.map((text) => wordsOf(text.slice(0, longest))).filter((words) => words !== '');
  return said.length === 0 ? heard : `${heard}| ${said.join(' | ')} `;
}

/** The scalars in a value; keys are no values, and what is empty claims nothing. */
export function leavesOf(value: JsonValue | undefined): (string | number | boolean)[] {
  if (value === undefined || value === null || value === '') return [];
  if (typeof value !== 'object') return [value];
  return Object.values(value).flatMap((part: JsonValue) => leavesOf(part));
}

/** Was this value of this parameter said? A short text by its words, in a row where one has digits in it; of composed text only what has digits; a switch by its parameter's name too. */
export function isFounded(heard: Heard, parameter: string, leaf: string | number | boolean): boolean {
  if (isSaid(heard, leaf) || isImplied(heard, parameter, leaf)) return true;
  if (typeof leaf !== 'string') return false;
  const words = wordsOf(leaf.slice(0, longest)).split(' ');
  if (words[0] === '') return true;
  const isHeard = (word: string): boolean => heard.includes(` ${word} `);
  if (words.length > phraseWords) return words.every((word) => !/\d/.test(word) || isHeard(word));
  return words.length > 1 && words.every((word) => !/\d/.test(word) && isHeard(word));
}
