/** Names and numbers that a text gives as facts: numbers, words with digits in them, quotations, addresses. Knows no language; small counts are nobody's invention. */
import { type Heard, isFounded, isSaid } from '../hearing.ts';

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

/** What stands at a number's end and is no part of it: "the 25th", "3pm", "10GB". */
const ending = /^(\d+(?:[.,:]\d+)*)(?:st|nd|rd|th|am|pm|km|kg|cm|mm|mi|ft|lb|gb|mb|kb|tb|min|mins|hrs?|usd|eur|gbp)$/iu;

/** Whether this word, which has a digit in it, was said, or needs no saying: as it stands, as a number, or without noughts before it ("8:30" for 08:30). */
function isKnown(word: string, heard: Heard): boolean {
  const bare = ending.exec(word)?.[1] ?? word;
  const number = Number(bare.replaceAll(',', ''));
  if (Number.isInteger(number) && number <= largestCount) return true;
  if (isSaid(heard, word) || isSaid(heard, bare) || (!Number.isNaN(number) && isSaid(heard, number))) return true;
  const padded = bare.replaceAll(/\d+/g, (digits) => digits.padStart(2, '0'));
  return padded !== bare && isSaid(heard, padded);
}

/** The first value in `text` that nobody had said before; undefined where there is none. */
export function inventedIn(text: string, heard: Heard): string | undefined {
  const read = text.slice(0, longest);
  for (const [word] of read.matchAll(digits)) {
    if (/\d/.test(word) && !isKnown(word, heard)) return word;
  }
  let seen = 0;
  for (const match of read.matchAll(quotation)) {
    if (++seen > mostQuotations) return undefined;
    const quoted = match[1] ?? match[2] ?? '';
    if (!isFounded(heard, '', quoted)) return quoted;
  }
  return undefined;
}
