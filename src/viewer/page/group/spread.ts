/** A change that reaches long content a few rows at a time, those in sight first, so that no frame is busy for long. Knows numbers of rows, not what is in them. */
import { useEffect, useReducer, useRef } from 'preact/hooks';

/** Rows a frame: drawing a long table again costs some, however few of its rows have changed. */
const atOnce = 8;

/** What each row shows: `value` in the end. `first` tells where to begin. */
export function useSpread<T>(value: T, rows: number, first: () => number): readonly T[] {
  const shown = useRef<T[]>([]);
  const [, drawAgain] = useReducer<number, null>((times) => times + 1, 0);
  while (shown.current.length < rows) shown.current.push(value);
  useEffect(() => {
    const from = first();
    const all = Array.from({ length: rows }, (_, i) => i);
    const waiting = [...all.slice(from), ...all.slice(0, from).toReversed()].filter((row) => shown.current[row] !== value);
    if (waiting.length === 0) return undefined;
    let frame = 0;
    const step = (): void => {
      for (const row of waiting.splice(0, atOnce)) shown.current[row] = value;
      drawAgain(null);
      if (waiting.length > 0) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [value, rows]);
  return shown.current;
}
