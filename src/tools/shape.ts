/** Bounds on a value from outside, decided without recursion, before anything that recurses meets it. Knows no format. */
import { ConfigFault } from '../errors.ts';
import type { JsonValue } from '../protocol/json.ts';

/**
 * Deeper than anything a person writes. Readers that recurse need this bound decided beforehand: where a stack is nearly used up, V8 ends the
 * whole process rather than throw (it cannot compile a regular expression there), so catching a RangeError is no protection.
 */
export const deepest = 100;
const mostValues = 10_000_000;

/**
 * Throws ConfigFault for a value too deep or too large; what YAML shares by aliases counts wherever it occurs, as a reader would meet it.
 * JSON.parse makes `__proto__` an own key, which becomes a prototype when copied into an ordinary object: where `prototypes` is refused, one is a fault too.
 */
export function checkShape(value: JsonValue, name: string, prototypes: 'refused' | 'kept'): void {
  const open: { readonly value: JsonValue; readonly depth: number }[] = [{ value, depth: 0 }];
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: at, depth } = next;
    if (at === null || typeof at !== 'object') continue;
    if (depth >= deepest) throw new ConfigFault(`${name}: nested deeper than ${deepest}`);
    if (prototypes === 'refused' && Object.hasOwn(at, '__proto__')) throw new ConfigFault(`${name}: a key named __proto__`);
    for (const inner of Array.isArray(at) ? at : Object.values(at)) {
      if (++seen > mostValues) throw new ConfigFault(`${name}: more than ${mostValues} values`);
      if (inner !== null && typeof inner === 'object') open.push({ value: inner, depth: depth + 1 });
    }
  }
}

/** What only a text can say that holds one of these: half of a surrogate pair by its number, and a number without end (1e999, YAML's .nan). */
const unsayable = /\\u(?:0000)?d[89a-f]|\.(?:nan|inf)|\de\+?\d{3}/i;

/**
 * The value as JSON in UTF-8 can say it, and so any thread, file or server: half of a surrogate pair becomes U+FFFD, a number that is none becomes null.
 * `text`: what the value was read from; most texts need no second look. The value's shape must have been checked.
 */
export function sayable(value: JsonValue, text?: string): JsonValue {
  if (text !== undefined && !unsayable.test(text)) return value;
  // Whole pairs are written as they are, halves as escapes.
  const said = JSON.stringify(value).replaceAll(/(\\\\)|\\ud[89a-f][0-9a-f]{2}/g, (_, backslash?: string) => backslash ?? '\uFFFD');
  return JSON.parse(said) as JsonValue;
}
