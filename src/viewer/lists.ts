/** The episode table of a run as it is asked for: filtered, sorted, counted, and kept until the run has more to say. Knows no journal. */
import type { EpisodeList, EpisodeRow } from './contract.ts';
import { type Asked, facetsOf, isSortable, sorted, windowOf } from './list.ts';
import type { RunIndex } from './run-index.ts';

interface Kept {
  readonly index: RunIndex;
  readonly revision: number;
  readonly rows: readonly EpisodeRow[];
  readonly facets: EpisodeList['facets'];
}

/** Answers kept: a page asks for window after window of one. */
const keptAnswers = 6;

export class Lists {
  readonly #kept = new Map<string, Kept>();

  /** Resolves with why not where the filter or the sort cannot be read. */
  async window(index: RunIndex, asked: Asked): Promise<EpisodeList | { readonly error: string; readonly at?: number }> {
    if (!isSortable(asked.sort)) return { error: `cannot sort by ${asked.sort}` };
    if (asked.filter !== '') return { error: 'filters come later' };
    const key = JSON.stringify([index.folder.dir, asked.filter, asked.sort]);
    const known = this.#kept.get(key);
    const found = known?.index === index && known.revision === index.revision ? known : this.#answer(index, asked);
    this.#kept.delete(key);
    this.#kept.set(key, found);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > keptAnswers && oldest.done !== true) this.#kept.delete(oldest.value);
    const list = windowOf(found.rows, asked, found.facets);
    return index.isWhole ? list : { ...list, read: index.read };
  }

  #answer(index: RunIndex, { sort }: Asked): Kept {
    const rows = index.rows();
    return { index, revision: index.revision, rows: sorted(rows, sort), facets: facetsOf(rows) };
  }
}
