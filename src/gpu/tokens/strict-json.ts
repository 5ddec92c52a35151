/** JSON as a policy may write it, read strictly: what another reader would take otherwise is refused with a reason. And JSON as tools and templates write it. Knows no calls. */
import type { JsonValue } from '../../protocol/json.ts';

export type JsonReading = { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly reason: string };

const MAX_DEPTH = 32;
const no = (reason: string): JsonReading => ({ ok: false, reason });

/** Never throws. Refuses what JSON.parse refuses, a key twice in one object, `__proto__`, numbers beyond the doubles, and more than 32 levels. */
export function readJson(text: string): JsonReading {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return no(text.trim() === '' ? 'empty' : 'no valid JSON');
  }
  const flaw = flawOf(text);
  if (flaw !== undefined) return no(flaw);
  return areFinite(value) ? { ok: true, value: storable(value) } : no('a number out of range');
}

/** With a blank after commas and colons, as Python's json.dumps writes and models have read most. */
export function spacedJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${spacedJson(each)}`)
    .join(', ')}}`;
}

/** What JSON.parse passes over in silence. One pass over the strings and brackets of a text that it took, before anything recursive looks at the value. */
function flawOf(text: string): string | undefined {
  /** One entry a level: the keys of an object so far, or null for a list. */
  const levels: (Set<string> | null)[] = [];
  for (const { 0: token, 1: key } of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (key !== undefined) {
      const name = JSON.parse(key) as string;
      if (name === '__proto__') return '__proto__ as a key';
      if (levels.at(-1)?.has(name) === true) return `${JSON.stringify(name)} twice`;
      levels.at(-1)?.add(name);
    } else if (token === '{' || token === '[') {
      if (levels.length >= MAX_DEPTH) return `more than ${MAX_DEPTH} levels`;
      levels.push(token === '{' ? new Set() : null);
    } else if (token === '}' || token === ']') levels.pop();
  }
  return undefined;
}

const areFinite = (value: JsonValue): boolean =>
  typeof value === 'number' ? Number.isFinite(value) : value === null || typeof value !== 'object' || Object.values(value).every(areFinite);

/** Without half surrogate pairs and negative zero, which no message of ours can carry. */
export function storable(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.replace(/\p{Surrogate}/gu, '\u{FFFD}');
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(storable);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [storable(key) as string, storable(each)]));
}
