/** What the viewer's server tells of many episodes at once: where their actors went, summed. Values only, as contract.ts. */

/** How an episode ended, by its reward: above 0, not above 0, none because the failure was ours, or not at all yet. */
export type Ending = 'solved' | 'failed' | 'lost' | 'playing';

/** Sums over episodes. Ids are those of the chart's geometry; as in ActorStanding. */
export interface HeatCounts {
  /** Id of an edge → how often it was taken. */
  readonly visits: Readonly<Record<string, number>>;
  /** Id of a state → events that passed while it lasted. */
  readonly dwell: Readonly<Record<string, number>>;
}

/** `GET …/groups/:group/heat`, `…/steps/:step/heat`, `…/heat?filter`. An actor that began anew counts from there, as on the page of its episode. */
export interface HeatPage {
  /** Share of the journal that was read when this was answered; absent = all. Ask again. */
  readonly read?: number;
  /** Episodes that were asked for. */
  readonly matching: number;
  /** Of them, those that are counted: the last ones, where there are too many. */
  readonly of: number;
  /** Of those, replayed so far; fewer: ask again. */
  readonly counted: number;
  /** Those counted, by how they ended. */
  readonly endings: Readonly<Record<Ending, number>>;
  /** By chart, as they first acted. */
  readonly charts: readonly { readonly machine: string; readonly by: Readonly<Partial<Record<Ending, HeatCounts>>> }[];
}
