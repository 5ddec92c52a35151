/** Two texts word by word: what they share and what only one of them has. Bounded: texts that are too long or too different are told apart as wholes. */

export interface Part {
  /** `gone`: only in the first; `new`: only in the second. */
  readonly kind: 'same' | 'gone' | 'new';
  readonly text: string;
}

/** Words, runs of space, and every other sign by itself. */
const pieces = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;

/** Words gone and new, at most: each may cost a look at every other. */
const mostChanges = 400;

/** Joined, the parts that are not `new` are the first text, and those that are not `gone` the second. */
export function wordDiff(before: string, after: string): readonly Part[] {
  if (before === after) return before === '' ? [] : [{ kind: 'same', text: before }];
  const [a, b] = [before.match(pieces) ?? [], after.match(pieces) ?? []];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [left, right] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const middle: Part[] = fewestChanges(left, right) ?? [
    { kind: 'gone', text: left.join('') },
    { kind: 'new', text: right.join('') },
  ];
  return merged([{ kind: 'same', text: a.slice(0, head).join('') }, ...middle, { kind: 'same', text: a.slice(a.length - tail).join('') }]);
}

/** The fewest words gone and new that lead from one to the other (Myers 1986); null where they are too many. */
function fewestChanges(a: readonly string[], b: readonly string[]): Part[] | null {
  const most = Math.min(a.length + b.length, mostChanges);
  // ends[k + most + 1]: how far into a one comes on diagonal k = (words of a) − (words of b). One row of it is kept for each number of changes.
  const ends = new Int32Array(2 * most + 3);
  const rows: Int32Array[] = [];
  for (let changes = 0; changes <= most; changes++) {
    rows.push(ends.slice());
    for (let k = -changes; k <= changes; k += 2) {
      let x = isNew(ends, k, changes, most) ? endAt(ends, k + 1, most) : endAt(ends, k - 1, most) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      ends[k + most + 1] = x;
      if (x >= a.length && x - k >= b.length) return partsBack(a, b, rows, most);
    }
  }
  return null;
}

const endAt = (ends: Int32Array, k: number, most: number): number => ends[k + most + 1] ?? 0;
/** Whether a diagonal is best reached by a word of b. */
const isNew = (ends: Int32Array, k: number, changes: number, most: number): boolean =>
  k === -changes || (k !== changes && endAt(ends, k - 1, most) < endAt(ends, k + 1, most));

/** From the end back to the beginning, change by change. */
function partsBack(a: readonly string[], b: readonly string[], rows: readonly Int32Array[], most: number): Part[] {
  const parts: Part[] = [];
  let [x, y] = [a.length, b.length];
  for (const [changes, ends] of [...rows.entries()].toReversed()) {
    const k = x - y;
    const before = isNew(ends, k, changes, most) ? k + 1 : k - 1;
    const startX = changes === 0 ? 0 : endAt(ends, before, most);
    const startY = changes === 0 ? 0 : startX - before;
    while (x > startX && y > startY) {
      parts.push({ kind: 'same', text: a[--x] ?? '' });
      y--;
    }
    if (x > startX) parts.push({ kind: 'gone', text: a[--x] ?? '' });
    else if (y > startY) parts.push({ kind: 'new', text: b[--y] ?? '' });
  }
  return parts.toReversed();
}

/** Neighbours of one kind as one; empty ones left out. */
function merged(parts: readonly Part[]): Part[] {
  const found: Part[] = [];
  for (const part of parts) {
    if (part.text === '') continue;
    const last = found.at(-1);
    if (last?.kind === part.kind) found[found.length - 1] = { kind: part.kind, text: last.text + part.text };
    else found.push(part);
  }
  return found;
}

/** What `likeness` can be at most, told without a table: letters of words that occur in both, wherever they stand. */
export function likenessAtMost(before: string, after: string): number {
  const counts = new Map<string, number>();
  let all = 0;
  for (const [word] of before.matchAll(pieces)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    all += word.trim().length;
  }
  let same = 0;
  for (const [word] of after.matchAll(pieces)) {
    all += word.trim().length;
    const left = counts.get(word) ?? 0;
    if (left === 0) continue;
    counts.set(word, left - 1);
    same += 2 * word.trim().length;
  }
  return all === 0 ? 1 : same / all;
}

/** Share of both texts that they have in common, 0 to 1. Below a third, marks are confetti: better to show the text as it is. */
export function likeness(parts: readonly Part[]): number {
  let same = 0;
  let all = 0;
  for (const { kind, text } of parts) {
    const letters = text.replaceAll(/\s/g, '').length;
    same += kind === 'same' ? 2 * letters : 0;
    all += kind === 'same' ? 2 * letters : letters;
  }
  return all === 0 ? 1 : same / all;
}
