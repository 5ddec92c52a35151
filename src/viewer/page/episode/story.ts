/** What the transcript lists, in order: the system's words, each turn, trouble between turns, and how it ended. Which lines there are, not how they look. */
import type { Turn } from '../../../protocol/turn.ts';
import type { Timeline } from './timeline.ts';

export type Part =
  | { readonly kind: 'system' }
  /** `step`: 1-based number of the agent's turn, null for others. */
  | { readonly kind: 'turn'; readonly turn: number; readonly step: number | null }
  /** Something that went wrong on the way to a turn, told by the event with which it came. */
  | { readonly kind: 'trouble'; readonly event: number; readonly actor: string; readonly type: string; readonly turn: number }
  | { readonly kind: 'end' };

/** Events that are no turn and that a reader must know of. */
const troubles = new Set([
  'ask.unreadable',
  'ask.fault',
  'agent.fault',
  'agent.overflow',
  'deadline.expired',
  'episode.cancel',
  'episode.faulted',
]);

/** `timeline` null: events are not known, so no trouble between turns is either. */
export function storyOf(turns: readonly Turn[], timeline: Timeline | null): Part[] {
  const trouble = timeline === null ? [] : timeline.ofTypes(troubles);
  const parts: Part[] = [{ kind: 'system' }];
  let next = 0;
  let step = 0;
  const tell = (until: number): void => {
    for (; next < trouble.length; next++) {
      const event = trouble[next] ?? 0;
      const turn = timeline?.turnOf(event) ?? 0;
      if (turn > until) return;
      parts.push({ kind: 'trouble', event, actor: timeline?.actorOf(event) ?? '', type: timeline?.typeOf(event) ?? '', turn });
    }
  };
  turns.forEach(({ role }, turn) => {
    tell(turn);
    parts.push({ kind: 'turn', turn, step: role === 'agent' ? ++step : null });
  });
  tell(Infinity);
  parts.push({ kind: 'end' });
  return parts;
}

/** Where the transcript stands after an event: the last part that had been told by then. */
export function partOfEvent(parts: readonly Part[], timeline: Timeline, event: number): number {
  const turn = timeline.turnOf(event);
  const trouble = parts.findIndex((part) => part.kind === 'trouble' && part.event === event);
  if (trouble !== -1) return trouble;
  return partOfTurn(parts, turn);
}

/** Of a turn past the last: the end. */
export function partOfTurn(parts: readonly Part[], turn: number): number {
  if (turn < 0) return 0;
  const found = parts.findIndex((part) => part.kind === 'turn' && part.turn === turn);
  return found === -1 ? parts.length - 1 : found;
}

/** The events' turn a part stands for; null for the system's words. */
export function turnOfPart(part: Part, turns: number): number | null {
  switch (part.kind) {
    case 'system':
      return null;
    case 'turn':
    case 'trouble':
      return part.turn;
    case 'end':
      return turns;
    default:
      return part satisfies never;
  }
}
