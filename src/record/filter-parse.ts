/** The grammar of filters: from a text to an expression and back. Knows fields and their kinds, and no episode. */
import { type FieldName, fieldNames, fields, isField, type Operator, operatorsOf } from './filter-fields.ts';
import { type Mistake, mistake, type Token, tokensOf } from './filter-tokens.ts';
import { nearest } from './nearest.ts';

export type Expression =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Expression[] }
  | { readonly kind: 'not'; readonly part: Expression }
  | { readonly kind: 'compare'; readonly field: FieldName; readonly operator: Operator; readonly value: string | number | null };

/** Characters of a filter, and parentheses and `!` within each other. */
export const longestFilter = 2000;
export const deepestFilter = 40;

/** How tightly an operator holds what is at its left and right. */
const powers: Readonly<Record<string, number>> = { '||': 1, '&&': 2 };

/** An expression, null for a blank text, or the first mistake. Never throws. */
export function parseFilter(text: string): Expression | Mistake | null {
  if (text.length > longestFilter)
    return mistake(`a filter has at most ${longestFilter} characters; this one has ${text.length}`, longestFilter, text.length);
  const tokens = tokensOf(text);
  if ('kind' in tokens) return tokens;
  if (tokens.length === 1) return null;
  const parser = new Parser(tokens);
  const read = parser.expression(0, 0);
  return read.kind === 'mistake' ? read : (parser.leftover() ?? read);
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get #token(): Token {
    // The last one is `end`, and nobody takes it.
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#token;
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  #isMark(text: string): boolean {
    return this.#token.kind === 'mark' && this.#token.text === text;
  }

  /** Pratt's: operators that hold more tightly than `power` belong to what is read here. */
  expression(power: number, depth: number): Expression | Mistake {
    let left = this.#prefix(depth);
    while (left.kind !== 'mistake') {
      const { text: sign } = this.#token;
      const own = this.#token.kind === 'mark' ? powers[sign] : undefined;
      if (own === undefined || own <= power) return left;
      const parts = [left];
      while (this.#isMark(sign)) {
        this.#take();
        const part = this.expression(own, depth);
        if (part.kind === 'mistake') return part;
        parts.push(part);
      }
      left = { kind: sign === '&&' ? 'all' : 'any', parts };
    }
    return left;
  }

  #prefix(depth: number): Expression | Mistake {
    const token = this.#take();
    if (depth > deepestFilter) return mistake(`a filter goes at most ${deepestFilter} parentheses deep`, token.at, token.end);
    if (token.kind === 'string') return { kind: 'compare', field: 'text', operator: '~', value: token.text };
    if (token.kind === 'name') return this.#comparison(token);
    if (token.kind === 'mark' && token.text === '!') {
      const part = this.#prefix(depth + 1);
      return part.kind === 'mistake' ? part : { kind: 'not', part };
    }
    if (token.kind === 'mark' && token.text === '(') {
      const inner = this.expression(0, depth + 1);
      if (inner.kind === 'mistake') return inner;
      if (this.#isMark(')')) {
        this.#take();
        return inner;
      }
      return this.#token.kind === 'end' ? mistake('this ( is never closed', token.at, token.end) : this.#unexpected('&&, || or )');
    }
    return this.#unexpected('a field, such as reward or outcome', token);
  }

  #comparison(token: Token): Expression | Mistake {
    const { text: field, at, end } = token;
    if (!isField(field)) return unknownField(field, at, end);
    const { kind, what, example } = fields[field];
    const allowed = operatorsOf[kind];
    if (this.#token.kind !== 'operator') return this.#unexpected(`${allowed.join(' ')} after ${field}`);
    const operator = this.#take();
    if (!allowed.some((one) => one === operator.text))
      return mistake(`${field} (${what}) takes ${allowed.join(' ')}: ${example}`, operator.at, operator.end);
    return this.#value(field, operator.text as Operator);
  }

  #value(field: FieldName, operator: Operator): Expression | Mistake {
    const { kind, example } = fields[field];
    const token = this.#take();
    const { at, end } = token;
    const compare = (value: string | number | null): Expression => ({ kind: 'compare', field, operator, value });
    if (token.kind === 'name' && token.text === 'null')
      return operator === '==' || operator === '!=' ? compare(null) : mistake('null is only == or !=', at, end);
    if (token.kind === 'number') {
      if (kind === 'number' || (kind === 'step' && operator !== '~')) return compare(token.value);
      return compare(token.text);
    }
    if (token.kind === 'string' || token.kind === 'name')
      return kind === 'number' ? mistake(`${field} is a number: ${example}`, at, end) : compare(token.text);
    return this.#unexpected(kind === 'number' ? `a number after ${operator}` : `a text in quotes after ${operator}`, token);
  }

  /** What follows a whole expression. */
  leftover(): Mistake | null {
    const token = this.#token;
    if (token.kind === 'end') return null;
    if (token.kind === 'mark' && token.text === ')') return mistake('this ) closes nothing', token.at, token.end);
    if (token.kind === 'name' && /^(and|or)$/i.test(token.text))
      return mistake(`for ${token.text}, write ${token.text.toLowerCase() === 'and' ? '&&' : '||'}`, token.at, token.end);
    return this.#unexpected('&& or ||');
  }

  #unexpected(expected: string, token: Token = this.#token): Mistake {
    return mistake(token.kind === 'end' ? `${expected} is missing at the end` : `here must be ${expected}`, token.at, token.end);
  }
}

function unknownField(name: string, at: number, end: number): Mistake {
  const lower = name.toLowerCase();
  if (lower === 'and' || lower === 'or') return mistake(`for ${name}, write ${lower === 'and' ? '&&' : '||'}`, at, end);
  if (lower === 'not') return mistake(`for ${name}, write !`, at, end);
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  const meant = nearest(name.slice(0, 40), fieldNames);
  return mistake(
    `there is no field ${shown}; ${meant === null ? `there are ${fieldNames.join(', ')}` : `did you mean ${meant}?`}`,
    at,
    end,
  );
}

/** The text of an expression; parsed, it is that expression again. */
export function printFilter(expression: Expression): string {
  switch (expression.kind) {
    case 'compare':
      return `${expression.field}${expression.operator}${typeof expression.value === 'string' ? JSON.stringify(expression.value) : String(expression.value)}`;
    case 'not':
      return expression.part.kind === 'compare' || expression.part.kind === 'not'
        ? `!${printFilter(expression.part)}`
        : `!(${printFilter(expression.part)})`;
    case 'all':
      return expression.parts
        .map((part) => (part.kind === 'all' || part.kind === 'any' ? `(${printFilter(part)})` : printFilter(part)))
        .join(' && ');
    case 'any':
      return expression.parts.map((part) => (part.kind === 'any' ? `(${printFilter(part)})` : printFilter(part))).join(' || ');
    default:
      return expression satisfies never;
  }
}
