/** One filter over one run's rows, worked off group by group and remembered: a run that goes on has only its new groups looked at, and what was said is read from the journal only where the row cannot decide. */
import { type Filter, folded } from '../record/filter.ts';
import { saidIn } from '../record/projections/said.ts';
import type { EpisodeRow } from './contract.ts';
import { packedGroupAt } from './recall.ts';
import type { RunIndex } from './run-index.ts';

interface Decided {
  /** Of the group, when it was decided. */
  readonly rows: readonly EpisodeRow[];
  readonly passed: readonly EpisodeRow[];
}

export class Search {
  readonly #index: RunIndex;
  readonly #filter: Filter;
  readonly #decided = new Map<string, Decided>();

  constructor(index: RunIndex, filter: Filter) {
    this.#index = index;
    this.#filter = filter;
  }

  /** Decides what is not decided yet, for as long as `goOn` says, which is asked after each group. Returns the share of the groups that is. */
  advance(goOn: () => boolean): number {
    const groups = this.#index.groups();
    let done = 0;
    for (const [group, rows] of groups) {
      if (this.#decided.get(group)?.rows !== rows) {
        this.#decided.set(group, { rows, passed: this.#passing(group, rows) });
        if (!goOn()) return this.#share(groups);
      }
      done++;
    }
    return groups.size === 0 ? 1 : done / groups.size;
  }

  /** Of the groups that are decided, in the order of sealing. */
  rows(): readonly EpisodeRow[] {
    return [...this.#index.groups()].flatMap(([group, rows]) => {
      const decided = this.#decided.get(group);
      return decided?.rows === rows ? decided.passed : [];
    });
  }

  #share(groups: ReadonlyMap<string, readonly EpisodeRow[]>): number {
    let done = 0;
    for (const [group, rows] of groups) if (this.#decided.get(group)?.rows === rows) done++;
    return groups.size === 0 ? 1 : done / groups.size;
  }

  #passing(group: string, rows: readonly EpisodeRow[]): readonly EpisodeRow[] {
    let said: ((episode: string | null) => string) | null = null;
    return rows.filter((row) => this.#filter.matches(row) ?? this.#filter.matchesSaid(row, (said ??= this.#saidIn(group))(row.episode)));
  }

  /** Nothing was said by a member without an episode, nor is it known of a group whose place in the journal was not read yet. */
  #saidIn(group: string): (episode: string | null) => string {
    const at = this.#index.place(group)?.sealed ?? null;
    const said =
      at === null
        ? []
        : packedGroupAt(this.#index.folder, at).episodes.map((episode) => [episode.id as string, folded(saidIn(episode))] as const);
    const byEpisode = new Map(said);
    return (episode) => byEpisode.get(episode ?? '') ?? '';
  }
}
