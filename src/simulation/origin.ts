/** Where a value could come from: what has been said so far in an episode, in any language, by its words alone. Knows no world and no meaning. */
import type { JsonValue } from '../protocol/json.ts';
import { type Heard, heardIn, isImplied, isSaid, wordsOf } from './hearing.ts';

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
