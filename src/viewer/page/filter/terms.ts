/** The terms of a filter that all must hold: a chip adds one, or takes it away again. Knows expressions, and no component. */
import { isField } from '../../../record/filter-fields.ts';
import { type Expression, parseFilter, printFilter } from '../../../record/filter-parse.ts';

/** Of a facet's value, as the server lists it. */
export function termOf(field: string, value: string): Expression | null {
  if (!isField(field)) return null;
  if (field === 'reward') return { kind: 'compare', field, operator: '==', value: value === 'null' ? null : Number(value) };
  return { kind: 'compare', field, operator: '==', value };
}

/** Empty for a blank text, and for one that is no filter. */
function termsOf(text: string): readonly Expression[] {
  const read = parseFilter(text);
  if (read === null || read.kind === 'mistake') return [];
  return read.kind === 'all' ? read.parts : [read];
}

const isSame = (a: Expression, b: Expression): boolean => printFilter(a) === printFilter(b);

export const hasTerm = (text: string, term: Expression): boolean => termsOf(text).some((one) => isSame(one, term));

/** The filter with the term, or without it if it was there. What it says otherwise stays; what is no filter goes. */
export function toggled(text: string, term: Expression): string {
  const terms = termsOf(text);
  const others = terms.filter((one) => !isSame(one, term));
  const next = others.length < terms.length ? others : [...terms, term];
  const [only] = next;
  if (only === undefined) return '';
  return printFilter(next.length === 1 ? only : { kind: 'all', parts: next });
}
