/** The word somebody meant who wrote another one. Knows letters only. */

/** The word at the least edit distance, if that is at most a third of its length. */
export function nearest(wrong: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(wrong.length / 3)) + 1;
  for (const word of words) {
    // Lengths alone are apart by more: nothing to be gained, and a very long word costs nothing.
    if (Math.abs(word.length - wrong.length) >= least) continue;
    const distance = editDistance(wrong.toLowerCase(), word.toLowerCase());
    if (distance < least) [best, least] = [word, distance];
  }
  return best;
}

/** Levenshtein's, with exchanged neighbours counted once. */
function editDistance(a: string, b: string): number {
  let [before, above]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(
        (row[j - 1] as number) + 1,
        ((above as number[])[j] as number) + 1,
        ((above as number[])[j - 1] as number) + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, ((before as number[])[j - 2] as number) + 1);
      row.push(cost);
    }
    [before, above] = [above as number[], row];
  }
  return (above as number[])[b.length] as number;
}
