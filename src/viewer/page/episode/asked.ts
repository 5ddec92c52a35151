/** The prompts of an episode in order, each with the turn it led to, and which of them is looked at. Arithmetic over the list of calls; draws nothing. */
import type { Turn } from '../../../protocol/turn.ts';
import type { CallEnd, CallList } from '../../contract.ts';
import type { Timeline } from './timeline.ts';

/** One line of the list. */
export interface Asked {
  /** Number of the call, for whoever asks the server for all of it; −1 where only its turn is known. */
  readonly call: number;
  /** `agent`, `user`, `tool`, `judge`, `task`. */
  readonly actor: string;
  readonly source: string;
  readonly end: CallEnd;
  readonly attempt: number;
  /** −1: none ended it. */
  readonly event: number;
  /** −1: of an attempt that was given up, or none. */
  readonly turn: number;
}

/** Of a record without events only the turns of the agent are known. */
export function askedIn(list: CallList | null, timeline: Timeline | null, turns: readonly Turn[]): Asked[] {
  if (list === null || list.actor.length === 0)
    return turns.flatMap(({ role }, turn) =>
      role === 'agent' ? [{ call: -1, actor: 'agent', source: '', end: 'accepted' as const, attempt: 0, event: -1, turn }] : [],
    );
  return list.actor.map((actor, call) => {
    const event = list.event[call] ?? -1;
    return {
      call,
      actor: list.actors[actor] ?? '',
      source: list.sources[list.source[call] ?? -1] ?? '',
      end: list.ends[list.end[call] ?? -1] ?? 'open',
      attempt: list.attempt[call] ?? 0,
      event,
      turn: event < 0 ? -1 : (timeline?.turnOf(event) ?? -1),
    };
  });
}

/** What is looked at in the episode, as its selection has it. */
interface Looked {
  readonly isEnd: boolean;
  readonly isByTurn: boolean;
  readonly turn: number;
  readonly event: number;
}

/**
 * The one that is looked at: that led to the turn, or ended with the event, that was picked; else the last before it. Of an episode looked at as a whole the last that asked somebody:
 * questions that rules decide come last, and have nothing to read.
 */
export function askedAt(
  asked: readonly Asked[],
  { isEnd, isByTurn, turn, event }: Looked,
  isSpared: (one: Asked) => boolean = () => false,
): number {
  if (isEnd) {
    const last = asked.findLastIndex((one) => !isSpared(one));
    return last < 0 ? asked.length - 1 : last;
  }
  const exact = isByTurn || event < 0 ? asked.findIndex((one) => one.turn === turn) : -1;
  if (exact >= 0) return exact;
  const before = asked.findLastIndex((one) => (one.event < 0 || event < 0 ? one.turn >= 0 && one.turn <= turn : one.event <= event));
  return Math.max(0, before);
}

/** Why no model was asked; null where one was, or nobody can tell. */
export function sparedWords(
  { source, actor }: Pick<Asked, 'source' | 'actor'>,
  { recorded, players }: Pick<CallList, 'recorded' | 'players'>,
): string | null {
  if (actor === 'agent') return null;
  switch (source) {
    case 'rules':
      return 'rules decided it';
    case 'group':
      return 'the group knew the answer';
    case 'past':
      return 'answered as in the episode it is played anew from';
    case '': {
      const player = players[actor as keyof typeof players];
      return player === 'code' || recorded ? `code plays the ${actor === 'task' ? 'task writer' : actor}` : null;
    }
    default:
      return null;
  }
}

export interface Ending {
  readonly tone: 'good' | 'bad' | 'warn' | 'plain';
  readonly mark: string;
  readonly words: string;
}

/** What came of a prompt, in words. */
export const endings: Readonly<Record<CallEnd, Ending>> = {
  accepted: { tone: 'good', mark: '✓', words: 'accepted' },
  refused: { tone: 'bad', mark: '↻', words: 'refused' },
  fault: { tone: 'bad', mark: '!', words: 'fault' },
  expired: { tone: 'bad', mark: '◷', words: 'no answer in time' },
  late: { tone: 'warn', mark: '…', words: 'too late' },
  refuted: { tone: 'bad', mark: '✕', words: 'failed its rehearsal' },
  overflow: { tone: 'bad', mark: '!', words: 'no room left' },
  alone: { tone: 'warn', mark: '∥', words: 'not taken: asked alone' },
  open: { tone: 'warn', mark: '…', words: 'no answer yet' },
};
