/** Who told whom: each recorded event as a message between lanes. The record names the receiver; the kind of the event tells the sender. */
import type { EventOutline } from '../../contract.ts';

/** From top to bottom. */
export const lanes = ['user', 'agent', 'episode', 'tool', 'judge', 'broker'] as const;
export type Lane = (typeof lanes)[number];

export interface Message {
  /** Null: it came of itself, or from outside the lanes (a beginning, a deadline, an order). */
  readonly from: Lane | null;
  readonly to: Lane;
  /** `said`, `prompt`, `deadline`, … */
  readonly word: string;
  readonly isTrouble: boolean;
}

const senders: Readonly<Record<string, Lane>> = {
  'agent.prompt': 'episode',
  'agent.sampled': 'broker',
  'agent.overflow': 'broker',
  'agent.fault': 'broker',
  'user.hear': 'episode',
  'tool.call': 'episode',
  'judge.review': 'episode',
  // Whoever plays the role is asked through the broker, or is code that stands in for it.
  'ask.read': 'broker',
  'ask.unreadable': 'broker',
  'ask.fault': 'broker',
  'episode.said': 'agent',
  'episode.overflowed': 'agent',
  'episode.replied': 'user',
  'episode.observed': 'tool',
  'episode.ruled': 'judge',
};

const trouble = /unreadable|fault|overflow|deadline|cancel|error/;

function messageOf(actor: string, type: string): Message | null {
  const to = lanes.find((lane) => lane === actor);
  if (to === undefined) return null;
  const word = type.slice(type.indexOf('.') + 1);
  return { from: senders[type] ?? null, to, word: type === 'deadline.expired' ? 'deadline' : word, isTrouble: trouble.test(type) };
}

/** One message a pair of actor and kind: an outline has few of them, however many events. */
export function messagesOf({ actors, types }: EventOutline): (actor: number, type: number) => Message | null {
  const known = new Map<number, Message | null>();
  return (actor, type) => {
    const key = actor * types.length + type;
    let message = known.get(key);
    if (message === undefined) known.set(key, (message = messageOf(actors[actor] ?? '', types[type] ?? '')));
    return message;
  };
}
