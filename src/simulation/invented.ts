/** Names and numbers that a text gives as facts: numbers, words with digits in them, quotations, addresses. Knows no language; small counts are nobody's invention. */
import { type Heard, isSaid } from './hearing.ts';
import { isFounded } from './origin.ts';

/** Whoever says "two flights" or "step 3" counts; larger numbers come from somewhere. */
const largestCount = 12;
/** A longer quotation is no value. */
const quotation = /"([^"\n]{1,80})"|“([^”\n]{1,80})”/g;
/** A text has at most so many that are looked at. */
const mostQuotations = 50;
/** Characters of a text that are read. */
const longest = 20_000;
/** A number, or a word with a digit in it; names of records hold hyphens and the like. */
const digits = /[\p{L}\p{N}]+(?:[-_:/][\p{L}\p{N}]+|[.,]\d+)*/gu;

/** The first value in `text` that nobody had said before; undefined where there is none. */
export function inventedIn(text: string, heard: Heard): string | undefined {
  const read = text.slice(0, longest);
  for (const [word] of read.matchAll(digits)) {
    if (!/\d/.test(word)) continue;
    const number = Number(word.replaceAll(',', ''));
    if (Number.isInteger(number) && number <= largestCount) continue;
    if (!isSaid(heard, word) && (Number.isNaN(number) || !isSaid(heard, number))) return word;
  }
  let seen = 0;
  for (const match of read.matchAll(quotation)) {
    if (++seen > mostQuotations) return undefined;
    const quoted = match[1] ?? match[2] ?? '';
    if (!isFounded(heard, '', quoted)) return quoted;
  }
  return undefined;
}
