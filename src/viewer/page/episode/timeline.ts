/** The events of an episode as one asks for them: which led to a turn, what each actor's state was then, what an actor has been through. Arithmetic over the outline; draws nothing. */
import { activeIn } from '../../chart/active.ts';
import type { ActorStanding, EventOutline } from '../../contract.ts';

/** One actor as it stood after an event. */
export interface Standing {
  readonly actor: string;
  /** Index of the last event it had received by then. */
  readonly event: number;
  readonly value: unknown;
  /** Chart edges taken by that event. */
  readonly edges: readonly string[];
}

export class Timeline {
  readonly outline: EventOutline;
  readonly length: number;
  /** Per actor, the indexes of its events, ascending. */
  readonly #events: readonly (readonly number[])[];
  readonly #disagree: ReadonlySet<number>;

  constructor(outline: EventOutline) {
    this.outline = outline;
    this.length = outline.actor.length;
    const events: number[][] = outline.actors.map(() => []);
    outline.actor.forEach((actor, i) => events[actor]?.push(i));
    this.#events = events;
    this.#disagree = new Set(outline.disagree);
  }

  actorOf = (event: number): string => this.outline.actors[this.outline.actor[event] ?? -1] ?? '';
  typeOf = (event: number): string => this.outline.types[this.outline.type[event] ?? -1] ?? '';
  valueOf = (event: number): unknown => this.outline.values[this.outline.value[event] ?? -1] ?? null;
  edgesOf = (event: number): readonly string[] => this.outline.edges[this.outline.edge[event] ?? -1] ?? [];
  turnOf = (event: number): number => this.outline.turn[event] ?? -1;

  /** Its state is the recorded one. */
  agrees = (event: number): boolean => !this.#disagree.has(event);

  /** The nearest there is. */
  clamp = (event: number): number => Math.max(0, Math.min(this.length - 1, event));

  /** The event with which a turn was said: the last that led to it; of a turn without events of its own, the one before. −1 where there is none. */
  eventOfTurn(turn: number): number {
    return after(this.outline.turn, turn) - 1;
  }

  /** Where an actor stood after an event; null before its first. */
  standing(actor: string, event: number): Standing | null {
    const own = this.#events[this.outline.actors.indexOf(actor)] ?? [];
    const at = own[after(own, event) - 1];
    return at === undefined ? null : { actor, event: at, value: this.valueOf(at), edges: this.edgesOf(at) };
  }

  /** All actors that had begun by then. */
  standings(event: number): Standing[] {
    return this.outline.actors.flatMap((actor) => this.standing(actor, event) ?? []);
  }

  /** How an actor came to stand there, since it last began: edges by how often they were taken, states by how many events passed while they lasted. */
  path(actor: string, event: number): Pick<ActorStanding, 'visits' | 'dwell'> {
    const { outline } = this;
    const own = this.#events[outline.actors.indexOf(actor)] ?? [];
    const begin = outline.types.indexOf('xstate.init');
    const lists = new Map<number, number>();
    const values = new Map<number, number>();
    // Backwards, until it began.
    for (let i = after(own, event) - 1, until = event; i >= 0; i--) {
      const at = own[i] ?? 0;
      add(lists, outline.edge[at] ?? -1, 1);
      add(values, outline.value[at] ?? -1, until - at);
      until = at;
      if (outline.type[at] === begin) break;
    }
    const visits = new Map<string, number>();
    for (const [list, times] of lists) for (const edge of outline.edges[list] ?? []) add(visits, edge, times);
    const dwell = new Map<string, number>();
    for (const [value, events] of values) for (const id of activeIn(actor, outline.values[value])) add(dwell, id, events);
    return { visits: Object.fromEntries(visits), dwell: Object.fromEntries(dwell) };
  }

  /** Events of these types, ascending. */
  ofTypes(types: ReadonlySet<string>): number[] {
    const wanted = new Set(this.outline.types.flatMap((type, i) => (types.has(type) ? [i] : [])));
    if (wanted.size === 0) return [];
    return this.outline.type.flatMap((type, i) => (wanted.has(type) ? [i] : []));
  }
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** How many of an ascending list are at most `value`. */
function after(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A state value in words: `asking.prompting`; of parallel states, each. */
export function stateWords(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return 'unknown';
  return Object.entries(value)
    .map(([key, inner]) => {
      const within = stateWords(inner);
      return within === '' ? key : `${key}.${within}`;
    })
    .join(' + ');
}
