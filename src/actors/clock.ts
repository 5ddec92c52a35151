/** Time, injected: durations in milliseconds from a monotonic source, and one timer at a time. Knows nothing of what is being waited for. */

export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** Calls `fire` once, not before `ms` have passed; returns the way to take it back. */
  after(ms: number, fire: () => void): () => void;
}

/** The machine's clock. `performance.now` never jumps when somebody sets the wall clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, fire) => {
    const timer = setTimeout(fire, Math.max(0, ms));
    return () => {
      clearTimeout(timer);
    };
  },
};

export interface SimulatedClock extends Clock {
  /** Moves time forward, firing what falls due on the way, in order of due time and then of arming. */
  advance(ms: number): void;
  /** Timers armed and not yet fired: a finished system has none. */
  readonly armed: number;
}

/** A clock that stands still until a test moves it. */
export function simulatedClock(start = 0): SimulatedClock {
  let time = start;
  let serial = 0;
  const timers = new Map<number, { due: number; fire: () => void }>();
  const nextDue = (limit: number): [number, { due: number; fire: () => void }] | undefined => {
    let next: [number, { due: number; fire: () => void }] | undefined;
    for (const entry of timers) if (entry[1].due <= limit && (next === undefined || entry[1].due < next[1].due)) next = entry;
    return next;
  };
  return {
    now: () => time,
    after: (ms, fire) => {
      const key = serial++;
      timers.set(key, { due: time + Math.max(0, ms), fire });
      return () => {
        timers.delete(key);
      };
    },
    advance: (ms) => {
      const end = time + ms;
      for (let next = nextDue(end); next !== undefined; next = nextDue(end)) {
        timers.delete(next[0]);
        time = Math.max(time, next[1].due);
        next[1].fire();
      }
      time = end;
    },
    get armed() {
      return timers.size;
    },
  };
}
