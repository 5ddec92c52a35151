/**
 * An episode's events once replayed: of each the state it led to, whether the recorded hash agrees and the edges it took, in a few bytes an event, so that any window is there at once.
 * It follows events as they come and keeps none of them; the words of a window's events come from whoever reads the journal.
 */
import { trail } from '../machines/trail.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import { move, resumed, type Standings, told } from './chart/standing.ts';
import type { ActorStanding, EventWindow } from './contract.ts';

/** Of one actor tree: an episode, a group, or `run`. */
export interface Replayed {
  /** Events fed so far. */
  readonly length: number;
  /** Events whose state is not the recorded one. */
  readonly disagreements: number;
  /** What the event with this index did. */
  at(index: number): Deed;
  /** In the order of the record, from its beginning. */
  feed(events: readonly RecordedEvent[]): void;
  /** The window that begins with event `from`; `events` are that one and those after it, as they were fed. */
  window(from: number, events: readonly RecordedEvent[]): EventWindow;
  /** Every actor after the first `count` events; all of them if left out. */
  standing(count?: number): ActorStanding[];
}

/** What an event did, as a number, and back. An episode's events do few different things. */
interface Column<T> {
  push(value: T): void;
  at(index: number): T;
}

function column<T>(keyOf: (value: T) => string): Column<T> {
  const values: T[] = [];
  const numbers = new Map<string, number>();
  let column = new Uint32Array(1024);
  let length = 0;
  return {
    push: (value) => {
      const key = keyOf(value);
      let number = numbers.get(key);
      if (number === undefined) {
        number = values.push(value) - 1;
        numbers.set(key, number);
      }
      if (length === column.length) {
        const wider = new Uint32Array(2 * length);
        wider.set(column);
        column = wider;
      }
      column[length++] = number;
    },
    at: (index) => values[column[index] as number] as T,
  };
}

/** What one event did. */
interface Deed {
  readonly actor: string;
  readonly type: string;
  /** Its state after the event; null where nobody knows. */
  readonly value: unknown;
  readonly agrees: boolean;
  readonly edges: readonly string[];
}

/** An actor begins, or begins anew, with this event. */
const moved = ({ actor, type, value, edges }: Deed, index: number): Parameters<typeof move>[1] => ({
  index,
  actor,
  begins: type === 'xstate.init',
  value,
  edges,
});

const stride = 4096;

export function replayed(): Replayed {
  const follower = trail();
  const deeds = column<Deed>(({ actor, type, value, agrees, edges }) => JSON.stringify([actor, type, value, agrees, edges]));
  /** One object a value: standings tell a changed state by identity. */
  const values = new Map<string, unknown>();
  let length = 0;
  let disagreements = 0;
  const present: Standings = new Map();
  /** Where everybody stood after every `stride` events, so that no window has to begin at the beginning. */
  const marks: (readonly ActorStanding[])[] = [[]];
  const interned = (value: unknown): unknown => {
    const key = JSON.stringify(value);
    if (!values.has(key)) values.set(key, value);
    return values.get(key);
  };
  const standing = (count: number): ActorStanding[] => {
    const mark = Math.floor(count / stride);
    const all = resumed(marks[mark] ?? [], mark * stride);
    for (let index = mark * stride; index < count; index++) move(all, moved(deeds.at(index), index));
    return told(all, count);
  };
  return {
    get length() {
      return length;
    },
    get disagreements() {
      return disagreements;
    },
    feed: (events) => {
      for (const recorded of events) {
        const { value, agrees, edges } = follower.follow(recorded);
        const deed = { actor: recorded.actor, type: recorded.event.type, value: interned(value), agrees, edges };
        deeds.push(deed);
        move(present, moved(deed, length++));
        if (!agrees) disagreements++;
        if (length % stride === 0) marks.push(told(present, length));
      }
    },
    window: (from, events) => ({
      from,
      before: standing(Math.min(from, length)),
      events: events.slice(0, Math.max(0, length - from)).map((recorded, i) => {
        const { value, agrees, edges } = deeds.at(from + i);
        return { ...recorded, index: from + i, value, agrees, edge: edges.at(-1) ?? null, edges };
      }),
    }),
    at: deeds.at,
    standing: (count = length) => standing(Math.min(count, length)),
  };
}
