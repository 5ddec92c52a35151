/** Which rows of a long list are in the document, and which pages of it must be asked for. Arithmetic only. */

export interface Window {
  /** First row drawn. */
  readonly from: number;
  /** One past the last. */
  readonly until: number;
}

/** The rows seen in a box that is scrolled so far, and some beyond either edge. */
export function windowOf(top: number, height: number, row: number, total: number, beyond = 12): Window {
  const from = Math.max(0, Math.min(total, Math.floor(top / row) - beyond));
  const until = Math.min(total, Math.ceil((top + height) / row) + beyond);
  return { from, until: Math.max(from, until) };
}

/** Numbers of the pages a window touches; the first always, because it carries the total. */
export function pagesOf({ from, until }: Window, size: number): number[] {
  const pages = new Set([0]);
  for (let page = Math.floor(from / size); page * size < until; page++) pages.add(page);
  return [...pages].sort((a, b) => a - b);
}

/** Where the box must stand so that a row is seen; as it stands where it is seen already. */
export function revealed(at: number, top: number, height: number, row: number): number {
  if (at * row < top) return at * row;
  if ((at + 1) * row > top + height) return (at + 1) * row - height;
  return top;
}

/** `-reward` ⇄ `reward` ⇄ none, as clicks on a heading go; a first click sorts by what one looks for: the lowest. */
export const nextSort = (now: string, column: string): string => (now === column ? `-${column}` : now === `-${column}` ? '' : column);
