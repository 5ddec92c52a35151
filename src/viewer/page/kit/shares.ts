/** How panes share a width. Arithmetic only. */

/** No pane is narrower. */
export const least = 0.08;

/** Moves the border after pane `at` by a share of the whole; neither neighbour vanishes. */
export function movedShares(shares: readonly number[], at: number, by: number): number[] {
  const left = shares[at];
  const right = shares[at + 1];
  if (left === undefined || right === undefined) return [...shares];
  const moved = Math.max(least - left, Math.min(right - least, by));
  return shares.map((share, i) => (i === at ? left + moved : i === at + 1 ? right - moved : share));
}
