/** A change that reaches long content a few rows at a time, those in sight first, so that no frame is busy for long. Knows numbers of rows, not what is in them. */
import { useEffect, useReducer, useRef } from 'preact/hooks';

/** Rows changed in the first frame, and at most in a later one. */
const atOnce = 4;
const mostAtOnce = 64;
/** Milliseconds between two frames by which rows were too many, and by which they may be more. */
const slow = 50;
const quick = 25;

/** What each row shows: `value` in the end. `first` tells where to begin. */
export function useSpread<T>(value: T, rows: number, first: () => number): readonly T[] {
  const shown = useRef<T[]>([]);
  const [, drawAgain] = useReducer((times: number, _: null) => times + 1, 0);
  while (shown.current.length < rows) shown.current.push(value);
  useEffect(() => {
    const from = first();
    const all = Array.from({ length: rows }, (_, i) => i);
    const waiting = [...all.slice(from), ...all.slice(0, from).toReversed()].filter((row) => shown.current[row] !== value);
    if (waiting.length === 0) return undefined;
    let size = atOnce;
    let before: number | null = null;
    let frame = 0;
    const step = (now: number): void => {
      if (before !== null && now - before > slow) size = Math.max(1, size >> 1);
      else if (before !== null && now - before < quick) size = Math.min(mostAtOnce, size * 2);
      before = now;
      for (const row of waiting.splice(0, size)) shown.current[row] = value;
      drawAgain(null);
      if (waiting.length > 0) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [value, rows]);
  return shown.current;
}
