/** Ctrl-C: once asks the run to end well, twice (or too long after once) ends the process. Knows signals and time, not runs. */
import { systemClock } from '../actors/clock.ts';
import { exitCodes } from './exit.ts';

/** Milliseconds a run has to end after it was asked to; the promise to the user is 20 s. */
const patience = 18_000;

export interface Interruption {
  readonly signal: AbortSignal;
  /** What must still be done when the process has to go at once; must not take long and may throw. */
  lastly(act: () => void): void;
  end(): void;
}

export function listenForInterruption(say: (text: string) => void): Interruption {
  const controller = new AbortController();
  let act = (): void => undefined;
  let recall = (): void => undefined;
  const leave = (): never => {
    try {
      act();
    } finally {
      process.exit(exitCodes.interrupted);
    }
  };
  const interrupt = (): void => {
    if (controller.signal.aborted) leave();
    say('interrupted: ending the step and writing a checkpoint; once more to stop at once');
    controller.abort();
    recall = systemClock.after(patience, leave);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, interrupt);
  return {
    signal: controller.signal,
    lastly: (what) => {
      act = what;
    },
    end: () => {
      recall();
      for (const name of signals) process.off(name, interrupt);
    },
  };
}

/** Resolves when whoever started this process with a pipe has gone, or wants it to go. */
export const endOfStdin = (): Promise<void> =>
  new Promise((resolve) => {
    process.stdin.on('end', resolve).on('error', () => resolve());
    process.stdin.resume();
  });
