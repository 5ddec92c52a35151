/** What no answer of a simulated tool or user may hold, whatever it says: marks of chat templates, control characters, names that reach a prototype, too much of anything. */
import type { JsonValue } from '../../protocol/json.ts';
import { isTame, markIn, textsIn } from './hygiene.ts';

const deepest = 12;
/** Characters of the whole value as JSON. */
const largest = 32_768;

/** Control characters beyond tab and line breaks. */
const controls = /(?![\t\n\r])\p{Cc}/u;

/** What is harmful about a value from a language model, in words for that model; undefined where nothing is. */
export function harmIn(value: JsonValue): string | undefined {
  if (!isTame(value, deepest)) return `the answer is nested deeper than ${deepest} or has a field with no usable name`;
  if (JSON.stringify(value).length > largest) return `the answer has more than ${largest} characters`;
  for (const text of textsIn(value)) {
    const mark = markIn(text);
    if (mark !== undefined) return `the answer holds the mark ${JSON.stringify(mark)}`;
    if (controls.test(text)) return 'the answer holds control characters';
  }
  return undefined;
}
