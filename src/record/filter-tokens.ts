/** Cuts a filter's text into tokens, each with its place. Knows no grammar and no field. */

export type Token =
  | { readonly kind: 'name' | 'string' | 'operator' | 'mark'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: 'number'; readonly text: string; readonly value: number; readonly at: number; readonly end: number }
  | { readonly kind: 'end'; readonly text: ''; readonly at: number; readonly end: number };

/** Why a text is no filter, and where. */
export interface Mistake {
  readonly kind: 'mistake';
  readonly message: string;
  /** The part that is wrong: its first character, and the one after its last. */
  readonly at: number;
  readonly end: number;
}

export const mistake = (message: string, at: number, end: number): Mistake => ({ kind: 'mistake', message, at, end });

const blank = /\s+/y;
const name = /[\p{L}_][\p{L}\p{N}_.-]*/uy;
/** With either minus: people copy figures from pages. */
const number = /[-−+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?/y;
const glued = /[\p{L}\p{N}_.]+/uy;
const operator = /==|!=|<=|>=|<|>|~/y;
const mark = /&&|\|\||[!()]/y;

/** Signs of other languages, and what to write here. */
const foreign: Readonly<Record<string, string>> = {
  '=': 'to compare, write ==',
  '&': 'to ask for both, write &&',
  '|': 'to ask for either, write ||',
  '≤': 'write <=',
  '≥': 'write >=',
  '≠': 'write !=',
  '“': 'write plain quotes: "',
  '”': 'write plain quotes: "',
};

/** All tokens, the last of kind `end`; or the first character that begins none. */
export function tokensOf(text: string): readonly Token[] | Mistake {
  const tokens: Token[] = [];
  let at = 0;
  const taken = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  while (at < text.length) {
    const space = taken(blank);
    if (space !== null) {
      at += space.length;
      continue;
    }
    const token = tokenAt(text, at, taken);
    if (token.kind === 'mistake') return token;
    tokens.push(token);
    at = token.end;
  }
  return [...tokens, { kind: 'end', text: '', at, end: at }];
}

function tokenAt(text: string, at: number, taken: (pattern: RegExp) => string | null): Token | Mistake {
  const quote = text[at];
  if (quote === '"' || quote === "'") return stringAt(text, at, quote);
  const word = taken(name);
  if (word !== null) return { kind: 'name', text: word, at, end: at + word.length };
  const digits = taken(number);
  if (digits !== null) return numberAt(text, at, digits);
  const between = taken(operator);
  if (between !== null) return { kind: 'operator', text: between, at, end: at + between.length };
  const sign = taken(mark);
  if (sign !== null) return { kind: 'mark', text: sign, at, end: at + sign.length };
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return mistake(foreign[character] ?? `“${character}” means nothing in a filter`, at, at + character.length);
}

function numberAt(text: string, at: number, digits: string): Token | Mistake {
  const end = at + digits.length;
  glued.lastIndex = end;
  const rest = glued.exec(text)?.[0];
  if (rest !== undefined) return mistake(`${digits}${rest} is no number; text goes in quotes: "${digits}${rest}"`, at, end + rest.length);
  const value = Number(digits.replace('−', '-'));
  if (!Number.isFinite(value)) return mistake(`${digits} is too large`, at, end);
  return { kind: 'number', text: digits, value: value === 0 ? 0 : value, at, end };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '"': '"', "'": "'", '\\': '\\', '/': '/' };

/** Either quote, with JSON's escapes. */
function stringAt(text: string, at: number, quote: string): Token | Mistake {
  const parts: string[] = [];
  for (let i = at + 1; i < text.length; i++) {
    const character = text[i] as string;
    if (character === quote) return { kind: 'string', text: parts.join(''), at, end: i + 1 };
    if (character !== '\\') {
      parts.push(character);
      continue;
    }
    const next = text[i + 1] ?? '';
    const hex = next === 'u' ? /^[0-9a-fA-F]{4}$/.exec(text.slice(i + 2, i + 6))?.[0] : undefined;
    const meant =
      hex === undefined ? (Object.hasOwn(escapes, next) ? escapes[next] : undefined) : String.fromCharCode(Number.parseInt(hex, 16));
    if (meant === undefined)
      return mistake(String.raw`after \ comes one of n t r b f " ' \ / or u with four digits`, i, Math.min(text.length, i + 2));
    parts.push(meant);
    i += hex === undefined ? 1 : 5;
  }
  return mistake('the quote is never closed', at, text.length);
}
