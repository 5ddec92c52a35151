/** The events of one group's actors by episode: how many there are and in which frames, so that any window of them is read from its place. Keeps the events of one frame. */
import type { RecordedEvent } from '../protocol/frame.ts';
import type { Position } from '../record/reader.ts';
import { nextTurn } from './next-turn.ts';
import { eventsAt } from './recall.ts';
import type { RunIndex } from './run-index.ts';

/** A frame and what it holds of one episode: the events from `skip` on, `count` of them, are those after `before` earlier ones. */
interface Stretch {
  readonly at: Position;
  readonly skip: number;
  readonly before: number;
  readonly count: number;
}

const nowhere: readonly Position[] = [];

/** Events looked through between two turns of everybody else. */
const chunk = 4000;

export class EventLog {
  readonly #index: RunIndex;
  readonly #stretches = new Map<string, Stretch[]>();
  readonly #group: string;
  /** Where its frames lie, and how many were looked through: of a journal that began anew they are others, however many. */
  #places = nowhere;
  #frames = 0;
  #life = 0;
  /** The frame read last: of a group that is played, the one that everybody asks about. */
  #held: { readonly at: Position; readonly events: readonly RecordedEvent[] } | null = null;

  constructor(index: RunIndex, group: string) {
    this.#index = index;
    this.#group = group;
  }

  /** Another one each time the group began anew: what was known of its events before is of no use then. */
  get life(): number {
    return this.#life;
  }

  /** Those of which there are events, in the order in which they began. */
  episodes(): string[] {
    this.#lookThrough();
    return [...this.#stretches.keys()].filter((owner) => owner.startsWith(`${this.#group}.`));
  }

  count(episode: string): number {
    this.#lookThrough();
    const last = this.#stretches.get(episode)?.at(-1);
    return last === undefined ? 0 : last.before + last.count;
  }

  /** A window of them, in order. Throws RecordFault where they cannot be read. */
  *read(episode: string, from = 0, count = Infinity): Generator<RecordedEvent> {
    this.#lookThrough();
    for (const stretch of this.#stretches.get(episode) ?? []) {
      const [first, last] = [Math.max(from, stretch.before), Math.min(from + count, stretch.before + stretch.count)];
      if (first >= last) continue;
      const events = this.#eventsAt(stretch.at).slice(stretch.skip).filter(isOf(episode));
      yield* events.slice(first - stretch.before, last - stretch.before);
    }
  }

  #eventsAt(at: Position): readonly RecordedEvent[] {
    if (this.#held?.at !== at) this.#held = { at, events: eventsAt(this.#index.folder, at) };
    return this.#held.events;
  }

  #beginAnew(): void {
    this.#stretches.clear();
    this.#life++;
  }

  /** Looks through what was not yet, and lets everybody else have turns; whoever asks next finds it done. */
  async catchUp(): Promise<void> {
    let looked = 0;
    for (let some = this.#lookAtOne(); some > 0; some = this.#lookAtOne()) {
      if ((looked += some) < chunk) continue;
      looked = 0;
      await nextTurn();
    }
  }

  #lookThrough(): void {
    while (this.#lookAtOne() > 0);
  }

  /** The events of the next frame; 0: there is none. */
  #lookAtOne(): number {
    const places = this.#index.place(this.#group)?.events ?? nowhere;
    if (places !== this.#places) {
      this.#places = places;
      this.#frames = 0;
      this.#beginAnew();
    }
    const at = places[this.#frames];
    if (at === undefined) return 0;
    this.#frames++;
    const events = this.#eventsAt(at);
    // A resumed run plays a group again that was not sealed: what came before is of another life.
    const start = events.findLastIndex(({ actor, event }) => actor === `${this.#group}/group` && event.type === 'xstate.init');
    if (start >= 0) this.#beginAnew();
    const skip = Math.max(0, start);
    const counts = new Map<string, number>();
    for (const { actor } of events.slice(skip)) {
      const owner = actor.slice(0, actor.lastIndexOf('/'));
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    for (const [owner, count] of counts) {
      const stretches = this.#stretches.get(owner) ?? [];
      const last = stretches.at(-1);
      stretches.push({ at, skip, before: last === undefined ? 0 : last.before + last.count, count });
      this.#stretches.set(owner, stretches);
    }
    return Math.max(1, events.length);
  }
}

const isOf =
  (episode: string) =>
  ({ actor }: RecordedEvent): boolean =>
    actor.startsWith(`${episode}/`);
