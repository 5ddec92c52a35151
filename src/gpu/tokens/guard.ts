/**
 * Keeps text that somebody else wrote from becoming structure: a character that no text may hold is put into every place where a marker could begin, and taken out
 * again once the markers have been found. So `<|im_end|>` from a user is read as those ten letters. Knows no template and no ids.
 */
import type { JsonValue } from '../../protocol/json.ts';

/** Breaks a marker. A Unicode noncharacter: never valid in interchanged text, so nothing is lost by refusing it. */
const WEDGE = '\u{FDD0}';
/** Stands where an agent's turn stands, in conversations rendered only to see what follows it. */
export const PLACE = '\u{FDD1}';

/** Begins a marker that the template wrote, on its way to the tokenizer. */
export const SEAL = '\u{FDD2}';

/** Noncharacters of the guard itself, and halves of a surrogate pair: neither UTF-8 nor our messages can hold those. */
const forbidden = new RegExp(`[${WEDGE}${PLACE}${SEAL}]|\\p{Surrogate}`, 'gu');

export type Guard = (text: string) => string;

/**
 * `markers`: what must not arise from foreign text. A wedge follows each of their first characters, so that none can be completed by what the template writes
 * next either; where that is a letter, each whole marker is broken instead.
 */
export function guardOf(markers: readonly string[]): Guard {
  const patterns = new Set(markers.map((marker) => (/^[\p{L}\p{N}]/u.test(marker) ? wholly(marker) : escaped(firstOf(marker)))));
  const begins = patterns.size === 0 ? null : new RegExp([...patterns].join('|'), 'gu');
  return (text) => {
    const clean = text.replace(forbidden, '\u{FFFD}');
    return begins === null ? clean : clean.replace(begins, `$&${WEDGE}`);
  };
}

/** Every text in the values guarded, keys too. */
export const guardedAll = (values: readonly JsonValue[], guard: Guard): JsonValue[] => values.map((value) => guarded(value, guard));

function guarded(value: JsonValue, guard: Guard): JsonValue {
  if (typeof value === 'string') return guard(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return guardedAll(value, guard);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [guard(key), guarded(each, guard)]));
}

/** Seals every marker of a rendered text that no wedge breaks, then takes the wedges out. Longer markers first, as tokenizers look for them. */
export function sealOf(markers: readonly string[]): (text: string) => string {
  const longest = markers.toSorted((a, b) => b.length - a.length).map(escaped);
  const whole = longest.length === 0 ? null : new RegExp(longest.join('|'), 'gu');
  return (text) => (whole === null ? text : text.replace(whole, `${SEAL}$&`)).replaceAll(WEDGE, '');
}

const firstOf = (marker: string): string => String.fromCodePoint(marker.codePointAt(0) as number);
/** Its first letter, where the rest of it follows. */
const wholly = (marker: string): string => `${escaped(firstOf(marker))}(?=${escaped(marker.slice(firstOf(marker).length))})`;
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
