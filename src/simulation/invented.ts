/** Names and numbers that a text gives as facts: numbers, words with digits in them, quotations, addresses. Knows no language; small counts are nobody's invention. */
import { type Heard, isHeard, normalised } from './heard.ts';

/** Whoever says "two flights" or "step 3" counts; larger numbers come from somewhere. */
const largestCount = 12;
/** A longer quotation is no value. */
const quotation = /"([^"\n]{1,80})"|“([^”\n]{1,80})”/g;
/** A text has at most so many that are looked at. */
const mostQuotations = 50;

/** The first value in `text` that nobody had said before; undefined where there is none. */
export function inventedIn(text: string, heard: Heard): string | undefined {
  for (const word of normalised(text).split(' ')) {
    if (!/\d/.test(word)) continue;
    if (/^\d{1,2}$/.test(word) && Number(word) <= largestCount) continue;
    if (/^\d{1,15}(?:\.\d{1,15})?$/.test(word) ? !isHeard(heard, Number(word)) : !isHeard(heard, word)) return word;
  }
  let seen = 0;
  for (const match of text.matchAll(quotation)) {
    if (++seen > mostQuotations) return undefined;
    const quoted = match[1] ?? match[2] ?? '';
    if (!isHeard(heard, quoted)) return quoted;
  }
  return undefined;
}
