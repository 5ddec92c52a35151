/**
 * Finds the one JSON object that a language model's text says, thoughts, fences and chatter around it left out. The text is hostile: every pass over it is linear, nothing recurses,
 * and what could harm a reader later (a prototype, half a character, a flood) is refused here. Knows no role.
 */
import { wellFormed } from '../../protocol/codec.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import { isRecord } from '../../tools/schema.ts';
import type { Reading } from '../contract.ts';

/** Characters; more than any reply's token limit allows. */
const longest = 256 * 1024;
const deepest = 24;
const mostValues = 20_000;

/** The object, or what is wrong with the text, in words for the model that wrote it. */
export function objectIn(text: string): Reading<JsonObject> {
  if (text.length > longest) return refused(`the answer is longer than ${longest} characters`);
  const value = parsed(text.trim()) ?? parsed(unfenced(afterThought(text))) ?? firstObject(afterThought(text));
  if (value === undefined)
    return refused(
      text.includes('{') ? 'the answer is no whole JSON object: it is cut off or badly written' : 'there is no JSON object in the answer',
    );
  const harm = harmIn(value);
  return harm === undefined ? { ok: true, answer: value } : refused(harm);
}

const refused = (complaint: string): Reading<never> => ({ ok: false, complaint, defect: 'malformed' });

/** Undefined where the text is no JSON object. */
function parsed(text: string): JsonObject | undefined {
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  try {
    const value = JSON.parse(text) as JsonValue;
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const thoughtEnd = '</think>';

/** A model that thinks aloud may write the beginning of its thought, or its template has. A thought without an end has no answer after it. */
function afterThought(text: string): string {
  const end = text.indexOf(thoughtEnd);
  if (end >= 0) return text.slice(end + thoughtEnd.length).trim();
  return text.trimStart().startsWith('<think>') ? '' : text.trim();
}

const fence = '```';
/** Characters of a line that opens one. */
const longestOpening = 20;
/** Braces that turn out to be no JSON; an answer has not so many before it begins. */
const mostTries = 50;

/** What the first fence holds, the text itself where there is none. A fence has its line to itself, but for the language: three backticks in a text of the answer have not. */
function unfenced(text: string): string {
  const open = text.indexOf(fence);
  const start = open < 0 ? -1 : text.indexOf('\n', open);
  if (start < 0 || start - open > longestOpening || !/^`+\w*\s*$/.test(text.slice(open, start))) return text;
  const end = text.indexOf(`\n${fence}`, start);
  return text.slice(start, end < 0 ? undefined : end).trim();
}

/** The first balanced object that is JSON. What is no JSON is passed over whole, so that each character is read once. */
function firstObject(text: string): JsonObject | undefined {
  let open = -1;
  let depth = 0;
  let quoted = false;
  for (let at = 0, tries = 0; at < text.length && tries < mostTries; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign === '\\') at++;
      else if (sign === '"') quoted = false;
    } else if (sign === '"') quoted = depth > 0;
    else if (sign === '{') {
      if (depth++ === 0) open = at;
    } else if (sign === '}' && depth > 0 && --depth === 0) {
      const value = parsed(text.slice(open, at + 1));
      if (value !== undefined) return value;
      tries++;
    }
  }
  return undefined;
}

/** Why nobody should read this value; a zero with a sign loses it, since the wire has none. */
function harmIn(value: JsonObject): string | undefined {
  const open: { readonly value: JsonValue; readonly depth: number }[] = [{ value, depth: 0 }];
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: at, depth } = next;
    if (typeof at === 'string' && wellFormed(at) !== at) return 'the answer holds half a character';
    if (at === null || typeof at !== 'object') continue;
    if (depth >= deepest) return `the answer is nested deeper than ${deepest}`;
    for (const [key, inner] of Object.entries(at)) {
      if (++seen > mostValues) return `the answer has more than ${mostValues} values`;
      if (key === '__proto__') return 'the answer has a key named __proto__';
      if (wellFormed(key) !== key) return 'the answer holds half a character';
      if (Object.is(inner, -0)) (at as JsonObject)[key] = 0;
      if (typeof inner === 'string' || typeof inner === 'object') open.push({ value: inner, depth: depth + 1 });
    }
  }
  return undefined;
}
