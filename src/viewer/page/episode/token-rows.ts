/** Tokens set in rows of so many columns, so that a row is found without drawing those before it. Monospaced arithmetic; knows neither colours nor document. */

export interface TokenRow {
  readonly from: number;
  /** One past its last token. */
  readonly until: number;
}

/** Columns a token takes beside its text. */
const gap = 1;
/** Text of one token that is shown. */
const longest = 40;

/** What is seen of a token: blanks and line ends by signs, control characters as such, and nothing that turns the line around. */
export function tokenFace(text: string): string {
  if (text === '') return '∅';
  const shown = text
    .replaceAll('\r', '␍')
    .replaceAll('\n', '⏎')
    .replaceAll('\t', '⇥')
    .replaceAll(' ', '·')
    .replaceAll(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu, '▯');
  return shown.length > longest ? `${shown.slice(0, longest)}…` : shown;
}

/** Rows end where they are full, after a token that ends a line, and before one that `begins` a row. */
export function tokenRows(text: readonly string[], columns: number, begins: (token: number) => boolean = never): TokenRow[] {
  const rows: TokenRow[] = [];
  let from = 0;
  let taken = 0;
  for (const [i, token] of text.entries()) {
    const width = tokenFace(token).length + gap;
    if (taken > 0 && (taken + width > columns || begins(i))) {
      rows.push({ from, until: i });
      from = i;
      taken = 0;
    }
    taken += width;
    if (token.endsWith('\n')) {
      rows.push({ from, until: i + 1 });
      from = i + 1;
      taken = 0;
    }
  }
  if (from < text.length) rows.push({ from, until: text.length });
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
