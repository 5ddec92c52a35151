/** Which event and turn of the episode are looked at. Kept in the address, so that it can be linked to, but not written there more often than browsers allow. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { query, setQuery } from '../navigation.ts';
import type { Timeline } from './timeline.ts';

/** As asked for: by event, or by turn where no event is known. */
interface Wanted {
  readonly event: number | null;
  readonly turn: number | null;
}

export interface Selection {
  /** Nothing was asked for: it stands at the end, and follows it. */
  readonly isEnd: boolean;
  /** −1 while no event is known. */
  readonly event: number;
  /** As many as there are turns: past the last. */
  readonly turn: number;
  /** It was asked for by its number, and may have no event of its own. */
  readonly isByTurn: boolean;
  pickEvent(event: number): void;
  pickTurn(turn: number): void;
  /** From where it stands now, though that may not be drawn yet. */
  moveEvent(by: number): void;
  moveTurn(by: number): void;
}

const writeAfterMs = 350;

const numberIn = (text: string | null): number | null => (text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null);
const wantedIn = (search: URLSearchParams): Wanted => ({ event: numberIn(search.get('event')), turn: numberIn(search.get('turn')) });
const keyOf = ({ event, turn }: Wanted): string => `${event} ${turn}`;

export function useSelection(timeline: Timeline | null, turns: number): Selection {
  const search = query.value;
  const [wanted, setWanted] = useState<Wanted>(() => wantedIn(search));
  const written = useRef(keyOf(wanted));
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // The address changed by a link or the browser's buttons.
  const asked = wantedIn(search);
  useEffect(() => {
    if (keyOf(asked) === written.current) return;
    written.current = keyOf(asked);
    clearTimeout(timer.current);
    setWanted(asked);
  }, [keyOf(asked)]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const pick = (next: Wanted): void => {
    setWanted(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      written.current = keyOf(next);
      setQuery({ turn: next.turn, event: next.event });
    }, writeAfterMs);
  };
  const known = timeline !== null && timeline.length > 0 ? timeline : null;
  const placed = useMemo(() => placeOf(wanted, known, turns), [wanted, known, turns]);
  // Keys may come faster than drawings: what was picked last counts, drawn or not.
  const now = useRef<Place>(placed);
  now.current = placed;
  return useMemo(() => {
    const go = (next: Wanted): void => {
      now.current = placeOf(next, known, turns);
      pick(next);
    };
    const pickEvent = (next: number): void => {
      if (known === null) return;
      const event = known.clamp(next);
      go({ event, turn: Math.max(0, Math.min(turns, known.turnOf(event))) });
    };
    const pickTurn = (next: number): void => go({ event: null, turn: Math.max(0, Math.min(turns, next)) });
    return {
      ...placed,
      isByTurn: wanted.event === null,
      pickEvent,
      pickTurn,
      // At the end of an episode that nobody has looked into, on is its beginning.
      moveEvent: (by: number) => pickEvent(now.current.isEnd && by > 0 ? 0 : now.current.event + by),
      moveTurn: (by: number) => pickTurn(now.current.isEnd ? (by > 0 ? 0 : turns) : now.current.turn + by),
    };
  }, [placed]);
}

type Place = Pick<Selection, 'isEnd' | 'event' | 'turn'>;

function placeOf({ event, turn }: Wanted, timeline: Timeline | null, turns: number): Place {
  const isEnd = event === null && turn === null;
  const byTurn = turn === null ? turns : Math.min(turn, turns);
  if (timeline === null) return { isEnd, event: -1, turn: byTurn };
  if (event !== null) {
    const at = timeline.clamp(event);
    return { isEnd, event: at, turn: Math.min(turns, timeline.turnOf(at)) };
  }
  return { isEnd, event: turn === null ? timeline.length - 1 : Math.max(0, timeline.eventOfTurn(turn)), turn: byTurn };
}
