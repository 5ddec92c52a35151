/** Two texts word by word: what they share and what only one of them has. Bounded: texts that are too long or too different are told apart as wholes. */

export interface Part {
  /** `gone`: only in the first; `new`: only in the second. */
  readonly kind: 'same' | 'gone' | 'new';
  readonly text: string;
}

/** Words, runs of space, and every other sign by itself. */
const pieces = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;

/** Cells of the table of common words, at most: a twentieth of a second. */
const largest = 1_000_000;

/** Joined, the parts that are not `new` are the first text, and those that are not `gone` the second. */
export function wordDiff(before: string, after: string): readonly Part[] {
  if (before === after) return before === '' ? [] : [{ kind: 'same', text: before }];
  const [a, b] = [before.match(pieces) ?? [], after.match(pieces) ?? []];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [left, right] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const middle: Part[] =
    left.length * right.length > largest
      ? [
          { kind: 'gone', text: left.join('') },
          { kind: 'new', text: right.join('') },
        ]
      : commonWords(left, right);
  return merged([{ kind: 'same', text: a.slice(0, head).join('') }, ...middle, { kind: 'same', text: a.slice(a.length - tail).join('') }]);
}

/** By the longest common subsequence. */
function commonWords(a: readonly string[], b: readonly string[]): Part[] {
  const width = b.length + 1;
  // Of the longest common subsequence of a from i and b from j, at i * width + j.
  const lengths = new Uint32Array((a.length + 1) * width);
  const length = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] = a[i] === b[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
  const parts: Part[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [x, y] = [a[i], b[j]];
    if (x === undefined && y === undefined) return parts;
    if (x !== undefined && x === y) {
      parts.push({ kind: 'same', text: x });
      i++;
      j++;
    } else if (x !== undefined && (y === undefined || length(i + 1, j) >= length(i, j + 1))) {
      parts.push({ kind: 'gone', text: x });
      i++;
    } else if (y !== undefined) {
      parts.push({ kind: 'new', text: y });
      j++;
    }
  }
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
