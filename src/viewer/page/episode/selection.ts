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
  pickEvent(event: number): void;
  pickTurn(turn: number): void;
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
  return useMemo(() => {
    const known = timeline !== null && timeline.length > 0 ? timeline : null;
    const isEnd = wanted.event === null && wanted.turn === null;
    const end = (known?.length ?? 0) - 1;
    const event =
      known === null
        ? -1
        : wanted.event !== null
          ? known.clamp(wanted.event)
          : wanted.turn !== null
            ? Math.max(0, known.eventOfTurn(wanted.turn))
            : end;
    const byTurn = wanted.turn === null ? turns : Math.min(wanted.turn, turns);
    const turn = known === null || wanted.event === null ? byTurn : Math.min(turns, known.turnOf(event));
    return {
      isEnd,
      event,
      turn,
      pickEvent: (next) => {
        if (known === null) return;
        const at = known.clamp(next);
        pick({ event: at, turn: Math.max(0, Math.min(turns, known.turnOf(at))) });
      },
      pickTurn: (next) => {
        const at = Math.max(0, Math.min(turns, next));
        pick({ turn: at, event: null });
      },
    };
  }, [wanted, timeline, turns]);
}
