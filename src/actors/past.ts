/**
 * The past of an episode that is played anew from one of its turns: what its agent, its tools and its user were answered before, by question. They are answered so again,
 * whatever the seed, the policy or the simulators are now. Knows questions by their number, and asks nobody.
 */
import { RecordFault } from '../errors.ts';
import type { EpisodeContext } from '../machines/episode.ts';
import { replay } from '../machines/replay.ts';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { EpisodeId } from '../protocol/ids.ts';
import type { AskMessage, MessageOf } from '../protocol/messages.ts';
import type { AskContext } from '../machines/ask.ts';

export interface Anew {
  /** Its number in the group it comes from: it keeps its name, and with it its draws. */
  readonly member: number;
  /** Of the member as it ended. */
  readonly refill: number;
  readonly told: readonly Told[];
}

type Answered = Exclude<AskMessage<unknown>, { type: 'deadline.expired' }>;

/** One answer, and whose. */
type Told =
  | { readonly actor: 'agent'; readonly answer: MessageOf<'agent.sampled'> }
  | { readonly actor: 'tool' | 'user'; readonly answer: Answered };

/** A group's job, as far as it matters here. */
interface Played {
  readonly anew?: Anew;
}

/** What the policy said to the agent's call of this number; undefined where it must be asked. */
export function saidAgain({ anew }: Played, call: number): MessageOf<'agent.sampled'> | undefined {
  for (const { actor, answer } of anew?.told ?? []) if (actor === 'agent' && answer.call === call) return answer;
  return undefined;
}

/** What a simulator answered to this prompt of its present question; undefined where it must be asked. */
export function toldAgain<Answer>(
  { anew }: Played,
  role: 'tool' | 'user',
  { ask, complaints }: AskContext,
): Exclude<AskMessage<Answer>, { type: 'deadline.expired' }> | undefined {
  for (const { actor, answer } of anew?.told ?? [])
    if (actor === role && answer.ask === ask && answer.attempt === complaints.length)
      return answer as Exclude<AskMessage<Answer>, { type: 'deadline.expired' }>;
  return undefined;
}

/**
 * What was answered until the episode had `turn` turns; where it never had more, all that was, so that it is only judged anew. Of several attempts the last one counts.
 * Throws RecordFault where the record does not lead there.
 */
export function pastOf(recorded: readonly RecordedEvent[], episode: EpisodeId, turn: number): Told[] {
  const isBeginning = ({ actor, event }: RecordedEvent): boolean => actor === `${episode}/episode` && event.type === 'xstate.init';
  const { events, divergence } = replay(recorded.slice(Math.max(0, recorded.findLastIndex(isBeginning))));
  const own = ({ actor }: { readonly actor: string }): string => actor.slice(episode.length + 1);
  const hadTurns = ({ actor, snapshot }: (typeof events)[number]): number =>
    actor === `${episode}/episode` ? (snapshot.context as EpisodeContext).turns.length : -1;
  const reached = events.findIndex((event) => hadTurns(event) >= turn);
  if (reached < 0) throw new RecordFault(`the record of ${episode} does not lead to its turn ${turn}`);
  // A user that ends the conversation says nothing more: its word is behind the last turn.
  const last = events.every((event) => hadTurns(event) <= turn)
    ? Math.max(
        reached,
        events.findLastIndex((each) => toldIn(own(each), each.event) !== undefined),
      )
    : reached;
  if (divergence !== null && divergence.index <= last)
    throw new RecordFault(`the record of ${episode} leads elsewhere now, from its event ${divergence.index} on: it is of another version`);
  return events.slice(0, last + 1).flatMap((each) => toldIn(own(each), each.event) ?? []);
}

/** Of what an actor received: what it was waiting for. A record is trusted: it was checked when it was read. */
function toldIn(actor: string, event: RecordedEvent['event']): Told | undefined {
  if (actor === 'agent' && event.type === 'agent.sampled') return { actor, answer: event as unknown as MessageOf<'agent.sampled'> };
  if ((actor === 'tool' || actor === 'user') && event.type.startsWith('ask.')) return { actor, answer: event as unknown as Answered };
  return undefined;
}
