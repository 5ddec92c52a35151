/** All events of an episode in columns: who received what, the state it led to, and which turn came of it. Keeps no payload, and replays nothing itself. */
import type { EventOutline } from './contract.ts';

/** Who received which event, and what its chart made of it. */
export interface Followed {
  readonly actor: string;
  readonly type: string;
  readonly value: unknown;
  readonly agrees: boolean;
  readonly edges: readonly string[];
}

/** Of the events of one episode's actors, in order. */
export function eventOutline(events: Iterable<Followed>): EventOutline {
  const actors = names((name: string) => name);
  const types = names((name: string) => name);
  const values = names((value: unknown) => JSON.stringify(value) ?? 'null');
  const edges = names((list: readonly string[]) => list.join('\n'));
  const columns = { actor: [] as number[], type: [] as number[], value: [] as number[], edge: [] as number[] };
  const disagree: number[] = [];
  const count = turnCount();
  for (const { actor, type, value, agrees, edges: taken } of events) {
    const name = actor.slice(actor.lastIndexOf('/') + 1);
    if (!agrees) disagree.push(columns.actor.length);
    columns.actor.push(actors.index(name));
    columns.type.push(types.index(type));
    columns.value.push(values.index(value ?? null));
    columns.edge.push(edges.index(taken));
    count.take(name, type, value);
  }
  return { actors: actors.list, types: types.list, values: values.list, edges: edges.list, ...columns, turn: count.turns(), disagree };
}

/** Gives equal things one index, in the order in which they came first. */
function names<T>(keyOf: (thing: T) => string): { readonly list: readonly T[]; index(thing: T): number } {
  const list: T[] = [];
  const known = new Map<string, number>();
  return {
    list,
    index: (thing) => {
      const key = keyOf(thing);
      let at = known.get(key);
      if (at === undefined) {
        known.set(key, (at = list.length));
        list.push(thing);
      }
      return at;
    },
  };
}

/** Counts turns as the episode's chart appends them: every event belongs to the next one to be said. */
function turnCount(): { take(actor: string, type: string, value: unknown): void; turns(): number[] } {
  const turns: number[] = [];
  let next = 0;
  let before: unknown = null;
  return {
    take: (actor, type, value) => {
      turns.push(next);
      if (actor !== 'episode') return;
      const was = before;
      before = value;
      if (type === 'xstate.init') {
        // An attempt begins with the user's first words; the ones before it were given up.
        turns.fill(-1).splice(-1, 1, 0);
        next = 1;
      } else if (type === 'episode.said' && was === 'acting') {
        // Back to acting at once: the call could not be read, and a tool's turn says so.
        next += value === 'acting' ? 2 : 1;
      } else if (type === 'episode.observed' && was === 'calling') next++;
      else if (type === 'episode.replied' && was === 'listening' && value !== 'judging') next++;
    },
    turns: () => turns,
  };
}
