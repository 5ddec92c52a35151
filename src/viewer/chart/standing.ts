/** Where actors stand at a moment of an episode, moved on event by event: the same sums for the server, which begins a window, and for the page, which moves within it. Knows no chart. */
import type { ActorStanding, EventWindow } from '../contract.ts';
import { activeIn } from './active.ts';

/** By actor, in the order in which they began. */
export type Standings = Map<string, Standing>;

/** One event as it moves an actor. */
export interface Move {
  readonly index: number;
  readonly actor: string;
  /** It began anew: what it visited before was another attempt's. */
  readonly begins: boolean;
  readonly value: unknown;
  readonly edges: readonly string[];
}

/** As ActorStanding, open to change; `dwell` is of the states left so far. */
interface Standing {
  value: unknown;
  active: readonly string[];
  /** Index of the event that led there. */
  since: number;
  at: number;
  edges: readonly string[];
  readonly visits: Map<string, number>;
  readonly dwell: Map<string, number>;
}

/** An actor's chart is the last part of its path. */
export const chartOf = (actor: string): string => actor.slice(actor.lastIndexOf('/') + 1);

export function move(standings: Standings, { index, actor, begins, value, edges }: Move): void {
  let standing = begins ? undefined : standings.get(actor);
  if (standing === undefined) {
    standing = { value: null, active: [], since: index, at: index, edges, visits: new Map(), dwell: new Map() };
    standings.set(actor, standing);
  }
  // Values are interned by whoever holds many, so that most events are over here.
  if (value !== standing.value) {
    leave(standing.dwell, standing, index);
    standing.value = value;
    standing.active = activeIn(chartOf(actor), value);
    standing.since = index;
  }
  for (const edge of edges) standing.visits.set(edge, (standing.visits.get(edge) ?? 0) + 1);
  standing.edges = edges;
  standing.at = index;
}

function leave(dwell: Map<string, number>, { active, since }: Standing, index: number): void {
  for (const id of active) dwell.set(id, (dwell.get(id) ?? 0) + index - since);
}

/** As values; `until` is the number of events that have passed. */
export function told(standings: Standings, until: number): ActorStanding[] {
  return [...standings].map(([actor, standing]) => {
    const dwell = new Map(standing.dwell);
    leave(dwell, standing, until);
    const { value, edges, at, visits } = standing;
    return { actor, machine: chartOf(actor), value, edges, at, visits: Object.fromEntries(visits), dwell: Object.fromEntries(dwell) };
  });
}

/** Again open to change, as they were told after `until` events. */
export const resumed = (standings: readonly ActorStanding[], until: number): Standings =>
  new Map(
    standings.map(({ actor, machine, value, edges, at, visits, dwell }) => [
      actor,
      // What the present state has lasted so far is in `dwell` already.
      {
        value,
        active: activeIn(machine, value),
        since: until,
        at,
        edges,
        visits: new Map(Object.entries(visits)),
        dwell: new Map(Object.entries(dwell)),
      },
    ]),
  );

/** Every actor after the event with this index, which lies in the window or just before it. */
export function standingAt({ from, before = [], events }: EventWindow, index: number): ActorStanding[] {
  const standings = resumed(before, from);
  for (const { index: at, actor, event, value, edge, edges } of events) {
    if (at > index) break;
    move(standings, { index: at, actor, begins: event.type === 'xstate.init', value, edges: edges ?? (edge === null ? [] : [edge]) });
  }
  return told(standings, index + 1);
}
