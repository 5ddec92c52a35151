/** One filter over one run's rows, worked off group by group and remembered: a run that goes on has only its new groups looked at, counted and listed, and what was said is read from the journal only where the row cannot decide. */
import { type Filter, folded } from '../record/filter.ts';
import { saidIn } from '../record/projections/said.ts';
import type { EpisodeList, EpisodeRow } from './contract.ts';
import { facetCounts } from './list.ts';
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
  readonly #facets = facetCounts();
  /** All that passed, in the order of sealing; null where it must be put together anew. */
  #passed: EpisodeRow[] | null = null;
  /** Of the index when it was looked at last. */
  #groups: ReadonlyMap<string, readonly EpisodeRow[]> | null = null;

  constructor(index: RunIndex, filter: Filter) {
    this.#index = index;
    this.#filter = filter;
  }

  /** Decides what is not decided yet, for as long as `goOn` says, which is asked after each group. Returns the share of the groups that is. */
  advance(goOn: () => boolean): number {
    const groups = this.#index.groups();
    if (groups !== this.#groups) this.#passed = null;
    this.#groups = groups;
    for (const [group, rows] of groups) {
      const known = this.#decided.get(group);
      if (known?.rows === rows) continue;
      this.#decide(group, rows, known);
      if (!goOn()) return this.#share(groups);
    }
    if (this.#decided.size > groups.size) this.#forgetOthers(groups);
    return 1;
  }

  /** Of the groups that are decided, in the order of sealing: another list only where it did not just grow. */
  rows(): readonly EpisodeRow[] {
    this.#passed ??= [...this.#index.groups()].flatMap(([group, rows]) => {
      const decided = this.#decided.get(group);
      return decided?.rows === rows ? decided.passed : [];
    });
    return this.#passed;
  }

  /** Of those rows. */
  facets(): EpisodeList['facets'] {
    return this.#facets.list();
  }

  #decide(group: string, rows: readonly EpisodeRow[], known: Decided | undefined): void {
    const passed = this.#passing(group, rows);
    this.#decided.set(group, { rows, passed });
    this.#facets.add(passed);
    if (known === undefined) this.#passed?.push(...passed);
    else {
      this.#facets.remove(known.passed);
      this.#passed = null;
    }
  }

  /** Those of a journal that was begun anew are there no more. */
  #forgetOthers(groups: ReadonlyMap<string, unknown>): void {
    for (const [group, { passed }] of this.#decided) {
      if (groups.has(group)) continue;
      this.#decided.delete(group);
      this.#facets.remove(passed);
    }
    this.#passed = null;
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
