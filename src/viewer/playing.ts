/** A group that is still played, from the events its actors have received so far: the same charts, replayed, say what was said. Knows no journal. */
import type { EpisodeContext, EpisodeOutput } from '../machines/episode.ts';
import { replay } from '../machines/replay.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { Outcome } from '../protocol/outcome.ts';
import type { Turn } from '../protocol/turn.ts';
import type { World } from '../protocol/world.ts';

export interface Playing {
  readonly id: string;
  readonly member: number;
  readonly turns: readonly Turn[];
  /** null until it has ended. */
  readonly outcome: Outcome | null;
}

/** Members that have begun, in member order. `events`: of the group since it last began. */
export function playingIn(events: readonly RecordedEvent[], world: World): Playing[] {
  const members = new Map<string, Playing>();
  for (const { actor, snapshot } of replay(
    events.filter(({ actor }) => actor.endsWith('/episode')),
    { world },
  ).events) {
    const id = actor.slice(0, actor.lastIndexOf('/'));
    const { input, turns } = snapshot.context as EpisodeContext;
    const outcome = snapshot.status === 'done' ? (snapshot.output as EpisodeOutput).outcome : null;
    members.set(id, { id, member: input.member, turns, outcome });
  }
  return [...members.values()].toSorted((a, b) => a.member - b.member);
}
