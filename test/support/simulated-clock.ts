/** Time that moves only when a test says so. */
import type { Clock } from '../../src/gpu/clock.ts';

export interface SimulatedClock extends Clock {
  /** Runs every appointment due within the next `ms`, in order, letting promises settle after each. */
  advance(ms: number): Promise<void>;
  readonly appointments: number;
}

export function simulatedClock(): SimulatedClock {
  let time = 0;
  let serial = 0;
  const due = new Map<number, { at: number; wake: () => void }>();
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  return {
    now: () => time,
    after: (ms, wake) => {
      const key = serial++;
      due.set(key, { at: time + Math.max(0, ms), wake });
      return () => void due.delete(key);
    },
    advance: async (ms) => {
      const end = time + ms;
      await settle();
      for (;;) {
        let next: [number, { at: number; wake: () => void }] | undefined;
        for (const entry of due) if (entry[1].at <= end && (next === undefined || entry[1].at < next[1].at)) next = entry;
        if (next === undefined) break;
        due.delete(next[0]);
        time = next[1].at;
        next[1].wake();
        await settle();
      }
      time = end;
      await settle();
    },
    get appointments() {
      return due.size;
    },
  };
}

/** Real time for tests that need threads: the event loop's own. */
export const realClock: Clock = {
  now: () => performance.now(),
  after: (ms, wake) => {
    const timer = setTimeout(wake, ms);
    return () => clearTimeout(timer);
  },
};
