/** Tokens set in rows of so many columns, so that a row is found without drawing those before it. Monospaced arithmetic; knows neither colours nor document. */
import { tokenFace, widthAt } from '../../token-face.ts';

/** Tokens as a grid sets them: how wide each is is known of all, what it says perhaps only of those in sight. */
export interface Tokens {
  readonly length: number;
  measure(token: number): { readonly width: number; readonly endsLine: boolean };
  /** undefined where it is not there yet. */
  text(token: number): string | undefined;
}

/** All there. */
export const heldTokens = (text: readonly string[]): Tokens => ({
  length: text.length,
  measure: (token) => {
    const said = text[token] ?? '';
    return { width: tokenFace(said).length, endsLine: said.endsWith('\n') };
  },
  text: (token) => text[token],
});

/** As the server laid them out, which has more of them than a page should hold. */
export const laidOutTokens = (widths: string): Pick<Tokens, 'length' | 'measure'> => ({
  length: widths.length,
  measure: (token) => widthAt(widths, token),
});

export interface TokenRow {
  readonly from: number;
  /** One past its last token. */
  readonly until: number;
}

/** Columns a token takes beside its text. */
const gap = 1;

/** Rows end where they are full, after a token that ends a line, and before one that `begins` a row. */
export function tokenRows(
  { length, measure }: Pick<Tokens, 'length' | 'measure'>,
  columns: number,
  begins: (token: number) => boolean = never,
): TokenRow[] {
  const rows: TokenRow[] = [];
  let from = 0;
  let taken = 0;
  for (let i = 0; i < length; i++) {
    const { width: face, endsLine } = measure(i);
    const width = face + gap;
    if (taken > 0 && (taken + width > columns || begins(i))) {
      rows.push({ from, until: i });
      from = i;
      taken = 0;
    }
    taken += width;
    if (endsLine) {
      rows.push({ from, until: i + 1 });
      from = i + 1;
      taken = 0;
    }
  }
  if (from < length) rows.push({ from, until: length });
  return rows;
}

const never = (): boolean => false;

/** The row that holds a token. */
export function rowOfToken(rows: readonly TokenRow[], token: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.until ?? 0) <= token) low = middle + 1;
    else high = middle;
  }
  return low;
}
