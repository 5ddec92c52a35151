/** What somebody knows from texts: their words, and the numbers in them; for values that may be put together from what is known. Knows no world and no meaning. (A value that must have been said as it stands: hearing.ts.) */

/** What somebody who listened knows: every text said, and every number in them. */
export interface Heard {
  /** Normalised texts, each word between blanks, texts between bars: a phrase never spans two of them. */
  readonly text: string;
  readonly words: ReadonlySet<string>;
  readonly numbers: ReadonlySet<number>;
}

/** A value of more words is composed text: only the names and numbers with digits in it must have been said. */
const phraseWords = 3;
/** A value longer than this is not looked at word by word. */
const longest = 20_000;

const numerals = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    .split(' ')
    .map((word, value) => [word, value]),
);

/** Lower case, one form per letter, thousands closed up, everything that is neither letter nor digit a blank; a point between digits stays. */
function normalised(text: string): string {
  return text
    .slice(0, longest)
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<=\d),(?=\d{3}(?!\d))/g, '')
    .replace(/(?:(?!(?<=\d)\.\d)[^\p{L}\p{N}])+/gu, ' ')
    .trim();
}

export const wordsOf = (text: string): string[] => normalised(text).split(' ').filter(Boolean);

const numberOf = (word: string): number | undefined => {
  const spelt = numerals.get(word);
  if (spelt !== undefined) return spelt;
  // At most 30 characters, so that no digit string is turned into a number that stands for others too.
  return /^\d{1,15}(?:\.\d{1,15})?$/.test(word) ? Number(word) : undefined;
};

export const nothingHeard: Heard = { text: ' ', words: new Set(), numbers: new Set() };

/** Heard, and these texts besides. */
export function hearing(heard: Heard, texts: readonly string[]): Heard {
  const said = texts.map(normalised).filter((text) => text !== '');
  if (said.length === 0) return heard;
  const fresh = said.flatMap((text) => text.split(' '));
  return {
    text: `${heard.text}${said.map((text) => `| ${text} `).join('')}`,
    words: new Set([...heard.words, ...fresh]),
    numbers: new Set([...heard.numbers, ...fresh.flatMap((word) => numberOf(word) ?? [])]),
  };
}

/** Was this said? A short value as a phrase; of composed text only what has digits. */
export function isHeard(heard: Heard, leaf: string | number | boolean): boolean {
  if (typeof leaf === 'number') return heard.numbers.has(Math.abs(leaf)) || heard.text.includes(` ${normalised(String(leaf))} `);
  const text = normalised(String(leaf));
  if (text === '' || heard.text.includes(` ${text} `)) return true;
  const words = text.split(' ');
  const known = (word: string): boolean => heard.words.has(word) || heard.numbers.has(numberOf(word) ?? NaN);
  if (words.length === 1) return known(text);
  return words.length > phraseWords && words.every((word) => !/\d/.test(word) || known(word));
}
