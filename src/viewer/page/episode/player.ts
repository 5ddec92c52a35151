/** Plays through the events, forwards or back, at a number of events a second; stops at either end. Knows no events, only how many there are. */
import { useEffect, useRef, useState } from 'preact/hooks';

/** Events a second. */
export const speeds = [1, 4, 16, 64, 256] as const;
export type Speed = (typeof speeds)[number];

export interface Player {
  /** 0 = stands still. */
  readonly direction: -1 | 0 | 1;
  readonly speed: Speed;
  /** Toggles: playing in this direction, it stops. At the end it begins anew. */
  play(direction: -1 | 1): void;
  stop(): void;
  setSpeed(speed: Speed): void;
}

/** `at`: where it stands now; `pick` moves it. */
export function usePlayer(at: number, count: number, pick: (event: number) => void): Player {
  const [direction, setDirection] = useState<-1 | 0 | 1>(0);
  const [speed, setSpeed] = useState<Speed>(4);
  const now = useRef(at);
  now.current = at;
  const act = useRef(pick);
  act.current = pick;
  useEffect(() => {
    if (direction === 0) return undefined;
    let last = performance.now();
    let owed = 0;
    let frame = requestAnimationFrame(function tick(time) {
      // A page that slept does not catch up.
      owed += (Math.min(250, time - last) / 1000) * speed;
      last = time;
      const by = Math.floor(owed);
      owed -= by;
      const next = Math.max(0, Math.min(count - 1, now.current + by * direction));
      if (by > 0 && next !== now.current) act.current(next);
      const isOver = direction === 1 ? next >= count - 1 : next <= 0;
      if (isOver && by > 0) setDirection(0);
      else frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [direction, speed, count]);
  return {
    direction,
    speed,
    setSpeed,
    stop: () => setDirection(0),
    play: (wanted) => {
      if (wanted === direction) return setDirection(0);
      if (wanted === 1 && now.current >= count - 1) act.current(0);
      if (wanted === -1 && now.current <= 0) act.current(count - 1);
      setDirection(wanted);
    },
  };
}
