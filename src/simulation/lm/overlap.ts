/** How much of one text another says: by words, common ones left out. Knows nothing of users and requests. */
import { wordsOf as normalised } from '../hearing.ts';

/** Texts that differ in letter case and punctuation alone are equal. */
export const isSame = (one: string, other: string): boolean => normalised(one) === normalised(other);

/** Its words, common ones too. */
export const wordsOf = (text: string): string[] => normalised(text).split(' ').filter(Boolean);

/** Words that say nothing by themselves. */
const common = new Set(
  (
    'a an the of to in on at for from by with and or but not no yes if then so as is are was were be been am do does did have has had will would can could should shall may might ' +
    'i me my mine you your yours he she it its we us our they them their this that these those there here what which who whom when where why how ' +
    'please kindly maybe well um uh like just really okay ok hello hi hey thanks thank sorry actually basically anyway hmm again also too want need like get let know tell ask ' +
    'more some any all one first next now s t m re ve ll d'
  ).split(' '),
);

/** Its telling words, each once. */
export const contentOf = (text: string): string[] => [...new Set(wordsOf(text).filter((word) => !common.has(word)))];

/** The telling words that none of the others has. */
export function distinctive(text: string, others: readonly string[]): string[] {
  const known = new Set(others.flatMap(wordsOf));
  return contentOf(text).filter((word) => !known.has(word));
}

/** Share of these words that the text says; 0 where there are none. */
export function shareOf(words: readonly string[], text: string): number {
  const said = new Set(wordsOf(text));
  return words.length === 0 ? 0 : words.filter((word) => said.has(word)).length / words.length;
}

/** Does the text say this phrase, word for word? */
export const tells = (text: string, phrase: string): boolean => {
  const wanted = normalised(phrase);
  return wanted !== '' && ` ${normalised(text)} `.includes(` ${wanted} `);
};
