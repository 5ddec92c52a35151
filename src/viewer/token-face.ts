/** How a token looks in a strip and how wide that is: by whoever lays strips out, and by the page that draws them. Knows texts alone. */

/** Text of one token that is shown. */
const longest = 40;
/** A width and whether the token ends a line, as one character: from here on, and as many further on for those that do. */
const first = 0x30;
const lineEnds = longest + 2;

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

/** Of each token the width of its face and whether it ends a line, one character a token. */
export function widthsOf(text: readonly string[]): string {
  let widths = '';
  for (const token of text) widths += String.fromCharCode(first + tokenFace(token).length + (token.endsWith('\n') ? lineEnds : 0));
  return widths;
}

/** One of them, back. */
export function widthAt(widths: string, index: number): { readonly width: number; readonly endsLine: boolean } {
  const code = widths.charCodeAt(index) - first;
  return code >= lineEnds ? { width: code - lineEnds, endsLine: true } : { width: code, endsLine: false };
}
