/** The episode table of a run as it is asked for: filtered, sorted, counted, and kept until the run has more to say. Knows time and the filter's words; the search is search.ts's. */
import { filterOf } from '../record/filter.ts';
import type { EpisodeList, EpisodeRow, Refusal } from './contract.ts';
import { type Asked, isSortable, sorted, windowOf } from './list.ts';
import { nextTurn } from './next-turn.ts';
import type { ViewerClock } from './ports.ts';
import type { RunIndex } from './run-index.ts';
import { Search } from './search.ts';

interface Answer {
  /** Of the rows of the run. */
  readonly revision: number;
  /** Share of the groups that were searched. */
  readonly share: number;
  /** What passed, which may have grown since, and as it is shown: then all of it in order. */
  readonly passed: readonly EpisodeRow[];
  readonly rows: readonly EpisodeRow[];
  readonly facets: EpisodeList['facets'];
}

/** A page asks for window after window of one answer, and scrolls back to an earlier one. */
interface Kept {
  readonly index: RunIndex;
  readonly search: Search;
  answer: Answer | null;
}
const keptAnswers = 6;

/** Milliseconds of searching between two turns of everybody else, and until an answer is given with what was found. */
const sliceMs = 12;
const patienceMs = 2500;

export class Lists {
  readonly #clock: ViewerClock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: ViewerClock) {
    this.#clock = clock;
  }

  /** Resolves with why not where the filter or the sort cannot be read. */
  async window(index: RunIndex, asked: Asked): Promise<EpisodeList | Refusal> {
    if (!isSortable(asked.sort)) return { error: `cannot sort by ${asked.sort}` };
    const filter = filterOf(asked.filter);
    if (filter.kind === 'mistake') return { error: filter.message, at: filter.at };
    const key = JSON.stringify([index.folder.dir, asked.filter, asked.sort]);
    const known = this.#kept.get(key);
    const kept = known?.index === index ? known : { index, search: new Search(index, filter), answer: null };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > keptAnswers && oldest.done !== true) this.#kept.delete(oldest.value);
    if (kept.answer?.revision !== index.revision || kept.answer.share < 1) kept.answer = await this.#answer(kept, asked.sort);
    const { rows, facets, share } = kept.answer;
    const list = windowOf(rows, asked, facets);
    const read = index.read * share;
    return read < 1 ? { ...list, read } : list;
  }

  /** Of a run that is open no more. */
  forget(index: RunIndex): void {
    for (const [key, kept] of this.#kept) if (kept.index === index) this.#kept.delete(key);
  }

  async #answer({ index, search, answer }: Kept, sort: string): Promise<Answer> {
    const late = this.#clock.now() + patienceMs;
    for (;;) {
      const until = this.#clock.now() + sliceMs;
      const { revision } = index;
      const share = search.advance(() => this.#clock.now() < until);
      if (share === 1 || this.#clock.now() >= late) {
        const passed = search.rows();
        const rows = sorted(passed, sort, answer?.passed === passed ? answer.rows : []);
        return { revision, share, passed, rows, facets: search.facets() };
      }
      await nextTurn();
    }
  }
}
