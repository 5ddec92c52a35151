/** Replays what was recorded of an episode, a group, a step or a whole run through the charts, and compares every state with the one that was written down. Nothing acts, nothing is asked. */
import { stateHash } from '../machines/hash.ts';
import { trail } from '../machines/trail.ts';
import type { RunFolder } from '../record/folder.ts';
import { framesFrom } from '../record/reader.ts';

export interface Proof {
  readonly events: number;
  readonly actors: number;
  readonly agreeing: number;
  /** The first event after which the actor is not where the record says. */
  readonly divergence: Divergence | null;
}

export interface Divergence {
  /** Among those that were replayed, from 0. */
  readonly index: number;
  readonly actor: string;
  readonly event: string;
  /** Hash of the recorded state. */
  readonly expected: string;
  /** Hash of the state that the chart leads to, and that state; null where the actor never began. */
  readonly actual: string | null;
  readonly state: unknown;
}

/** `id` undefined: of everything. */
export function proofOf(folder: RunFolder, id: string | undefined): Proof {
  const follower = trail();
  const actors = new Set<string>();
  let [events, agreeing] = [0, 0];
  let divergence: Divergence | null = null;
  for (const { frame } of framesFrom(folder.journal)) {
    if (frame.kind !== 'events') continue;
    for (const recorded of frame.events) {
      const { actor, event, state } = recorded;
      // `s00001/…` and `s00001.t003/…` are of the step s00001; `s000010` is not.
      if (id !== undefined && !(actor.startsWith(id) && '/.'.includes(actor.charAt(id.length)))) continue;
      const { value, agrees } = follower.follow(recorded);
      actors.add(actor);
      if (agrees) agreeing++;
      else
        divergence ??= {
          index: events,
          actor,
          event: event.type,
          expected: state,
          actual: value === null ? null : stateHash(value),
          state: value,
        };
      events++;
    }
  }
  return { events, actors: actors.size, agreeing, divergence };
}
