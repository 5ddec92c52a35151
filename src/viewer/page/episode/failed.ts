/** The neighbours of an episode among those that failed, in the order of their names, which is that of time. Asks for rows one at a time; knows neither server nor filter. */
/** One row of the sorted list of failed ones, and how many there are. */
export type RowAt = (offset: number) => Promise<{ readonly total: number; readonly episode: string | null }>;

/** The next failed one after (1) or before (−1) an episode; null where there is none. Halves the list: a run may have 50,000. */
export async function failedNeighbour(rowAt: RowAt, episode: string, direction: 1 | -1): Promise<string | null> {
  const { total } = await rowAt(0);
  /** Rows before `low` come before the episode, those from `high` on do not. */
  let low = 0;
  let high = total;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { episode: other } = await rowAt(middle);
    if (other !== null && other < episode) low = middle + 1;
    else high = middle;
  }
  if (direction === -1) return low === 0 ? null : (await rowAt(low - 1)).episode;
  const here = low < total ? (await rowAt(low)).episode : null;
  if (here !== episode) return here;
  return low + 1 < total ? (await rowAt(low + 1)).episode : null;
}
