/** Finds threads that no longer come back to their event loop. It knows threads by number and time by its own beats: a coordinator that was itself held up blames nobody. */
import type { Clock } from './clock.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly beatMs: number;
  ping(thread: number): void;
  /** The thread missed three beats. */
  kill(thread: number): void;
}

export interface Heartbeat {
  watch(thread: number): void;
  /** It said something, an answer to a ping or anything else. */
  heard(thread: number): void;
  forget(thread: number): void;
  close(): void;
}

/** Three missed beats of 800 ms find a loop in under 4 s, on a loaded machine in under 5. */
export const patience = 3;

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { clock, beatMs } = options;
  /** Thread → pings it has not answered. */
  const missed = new Map<number, number>();
  let disarm: (() => void) | undefined;
  let due = 0;

  const beat = (): void => {
    disarm = undefined;
    // A beat that comes late shows that this thread was held up, and with it every answer it has not read.
    const late = clock.now() - due > beatMs / 4;
    for (const [thread, count] of missed) {
      if (late || count < patience) {
        missed.set(thread, late ? count : count + 1);
        options.ping(thread);
      } else {
        missed.delete(thread);
        options.kill(thread);
      }
    }
    arm();
  };
  const arm = (): void => {
    if (missed.size === 0 || disarm !== undefined) return;
    due = clock.now() + beatMs;
    disarm = clock.after(beatMs, beat);
  };

  return {
    watch: (thread) => {
      if (!missed.has(thread)) missed.set(thread, 0);
      arm();
    },
    heard: (thread) => {
      if (missed.has(thread)) missed.set(thread, 0);
    },
    forget: (thread) => {
      missed.delete(thread);
    },
    close: () => {
      missed.clear();
      disarm?.();
    },
  };
}
