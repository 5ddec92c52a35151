/** A filter over episodes: one language for the command line and the viewer. Knows rows and what was said; where either comes from it does not. */
import { fields, type FilterRow, type Operator } from './filter-fields.ts';
import { type Expression, parseFilter } from './filter-parse.ts';
import type { Mistake } from './filter-tokens.ts';

export interface Filter {
  readonly kind: 'filter';
  /** null: everything passes. */
  readonly expression: Expression | null;
  /** Whether an episode passes; null where only what was said in it can tell. */
  matches(row: FilterRow): boolean | null;
  /** The same with what was said, as `folded`. */
  matchesSaid(row: FilterRow, said: string): boolean;
}

/** Of a filter's text, which anybody may have written. */
export function filterOf(text: string): Filter | Mistake {
  const expression = parseFilter(text);
  if (expression === null) return { kind: 'filter', expression, matches: () => true, matchesSaid: () => true };
  if (expression.kind === 'mistake') return expression;
  const test = testOf(expression);
  return { kind: 'filter', expression, matches: (row) => test(row, null), matchesSaid: (row, said) => test(row, said) === true };
}

/** The case of letters left out: `~` compares so. */
export const folded = (text: string): string => text.toLowerCase();

/** Null: unknown without what was said (Kleene's third truth: `reward<0 && text~"x"` is false of a reward of 1 all the same). */
type Test = (row: FilterRow, said: string | null) => boolean | null;

function testOf(expression: Expression): Test {
  switch (expression.kind) {
    case 'compare':
      return comparisonOf(expression);
    case 'not': {
      const part = testOf(expression.part);
      return (row, said) => {
        const truth = part(row, said);
        return truth === null ? null : !truth;
      };
    }
    case 'all':
      return settledBy(false, expression.parts.map(testOf));
    case 'any':
      return settledBy(true, expression.parts.map(testOf));
    default:
      return expression satisfies never;
  }
}

/** One part with this truth decides; else one that is unknown leaves it open. */
const settledBy =
  (truth: boolean, parts: readonly Test[]): Test =>
  (row, said) => {
    let open = false;
    for (const part of parts) {
      const found = part(row, said);
      if (found === truth) return truth;
      open ||= found === null;
    }
    return open ? null : !truth;
  };

function comparisonOf({ field, operator, value }: Extract<Expression, { kind: 'compare' }>): Test {
  const { kind, read } = fields[field];
  switch (kind) {
    case 'said': {
      const part = folded(String(value));
      return (_, said) => (said === null ? null : said.includes(part));
    }
    case 'words':
      return wordsTest(read, operator, value);
    case 'word':
      return wordTest(read, operator, value);
    case 'number':
      return (row) => ordered(read(row), operator, value);
    case 'step':
      return typeof value === 'number' ? (row) => ordered(stepNumber(read(row)), operator, value) : stepTest(read, operator, value);
    default:
      return kind satisfies never;
  }
}

/** `!=` is what `==` is not, of null too; nothing else is true of null. */
function ordered<T extends number | string>(found: T | null, operator: Operator, value: T | string | number | null): boolean {
  if (operator === '==') return found === value;
  if (operator === '!=') return found !== value;
  if (found === null || value === null) return false;
  switch (operator) {
    case '<':
      return found < value;
    case '<=':
      return found <= value;
    case '>':
      return found > value;
    case '>=':
      return found >= value;
    case '~':
      return folded(String(found)).includes(folded(String(value)));
    default:
      return operator satisfies never;
  }
}

const stepTest =
  (read: (row: FilterRow) => string, operator: Operator, value: string | null): Test =>
  (row) =>
    ordered(read(row), operator, value);

/** `s00012` → 12. */
const stepNumber = (step: string): number | null => {
  const digits = /\d+/.exec(step)?.[0];
  return digits === undefined ? null : Number(digits);
};

/** A word that is empty is none. */
function wordTest(read: (row: FilterRow) => string | null, operator: Operator, value: string | number | null): Test {
  const part = folded(String(value));
  if (operator === '~') return (row) => folded(read(row) ?? '').includes(part);
  return (row) => ordered(read(row) === '' ? null : read(row), operator, value);
}

/** True where any of them fits; `!=` where none does. */
function wordsTest(read: (row: FilterRow) => readonly string[], operator: Operator, value: string | number | null): Test {
  const part = folded(String(value));
  if (operator === '~') return (row) => read(row).some((word) => folded(word).includes(part));
  const isThere = (row: FilterRow): boolean => (value === null ? read(row).length === 0 : read(row).some((word) => word === value));
  return operator === '!=' ? (row) => !isThere(row) : isThere;
}
