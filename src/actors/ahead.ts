/**
 * The steps under way: each is drawn once, in order, and its groups begin at once, so that rollouts go on while an earlier step is trained. Whoever trains takes the oldest,
 * and waits for its slowest group: nothing is dropped for being slow. It knows steps by number; not how they are drawn, played or trained.
 *
 * While step k is awaited and trained, steps k … k + staleness are under way. So a rollout of step k began when at most `staleness` steps before k were untrained,
 * and lags at most so many versions when it is trained.
 */
import type { RolloutGroup } from '../protocol/group.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';

/** A step as it was drawn. */
export interface DrawnStep {
  readonly tasks: readonly Task[];
  /** Tasks drawn by the run so far, this step's included. */
  readonly cursor: number;
}

export interface AheadPorts {
  /** Steps that may be under way behind the one that is trained next; 0 = none. */
  readonly staleness: number;
  /** None is drawn after it. */
  readonly lastStep: number;
  draw(step: number, version: PolicyVersion, signal: AbortSignal): Promise<DrawnStep>;
  /** Asked again for a step that was given up, it resolves with the groups that were sealed then and the others. */
  roll(
    step: number,
    tasks: readonly Task[],
    version: PolicyVersion,
    signal: AbortSignal,
    onSealed: (sealed: number) => void,
  ): Promise<readonly RolloutGroup[]>;
}

export interface Ahead {
  /** Draws what is to be under way while `step` is awaited, and begins it. `signal` ends the drawing; what is rolling ends by `stop`. */
  begin(step: number, version: PolicyVersion, signal: AbortSignal): Promise<void>;
  /** The groups of a step that has begun, in task order, when the last is sealed; `onSealed` is told how many are, from now on. */
  groups(step: number, onSealed: (sealed: number) => void): Promise<readonly RolloutGroup[]>;
  /** The task cursor behind this step's tasks. */
  cursor(step: number): number;
  /** The step is trained: nothing of it is kept. */
  release(step: number): void;
  /** Gives up what is rolling. What was drawn stays drawn and what was sealed stays sealed: `begin` takes it up again. Resolves when nothing runs any more. */
  stop(): Promise<void>;
  /** Under way, oldest first. */
  readonly steps: readonly number[];
}

interface Underway {
  readonly step: number;
  readonly drawn: DrawnStep;
  sealed: number;
  rolled?: Promise<readonly RolloutGroup[]> | undefined;
  onSealed?: (sealed: number) => void;
}

export function rollAhead({ staleness, lastStep, ...ports }: AheadPorts): Ahead {
  const underway = new Map<number, Underway>();
  let abort = new AbortController();
  /** What was given up and still runs: nothing begins before it has ended. */
  let ending: Promise<unknown> = Promise.resolve();

  const startRolling = (own: Underway, version: PolicyVersion): void => {
    const { signal } = abort;
    own.sealed = 0;
    own.rolled = ports.roll(own.step, own.drawn.tasks, version, signal, (sealed) => {
      own.sealed = sealed;
      own.onSealed?.(sealed);
    });
    // A fault of a step ahead is heard when its turn comes; one of a step given up never is.
    own.rolled.catch(() => {
      if (signal.aborted) own.rolled = undefined;
    });
  };
  const of = (step: number): Underway => {
    const own = underway.get(step);
    if (own === undefined) throw new RangeError(`step ${step} is not under way`);
    return own;
  };

  return {
    begin: async (step, version, signal) => {
      await ending;
      for (let next = step; next <= Math.min(step + staleness, lastStep) && !signal.aborted; next++) {
        let own = underway.get(next);
        if (own === undefined) {
          own = { step: next, drawn: await ports.draw(next, version, signal), sealed: 0 };
          // Given up while it was drawn: what comes of it is for nobody.
          if (signal.aborted) return;
          underway.set(next, own);
        }
        if (own.rolled === undefined) startRolling(own, version);
      }
    },
    groups: (step, onSealed) => {
      const own = of(step);
      if (own.rolled === undefined) return Promise.reject(new RangeError(`step ${step} is not rolling`));
      own.onSealed = onSealed;
      onSealed(own.sealed);
      return own.rolled;
    },
    cursor: (step) => of(step).drawn.cursor,
    release: (step) => void underway.delete(step),
    stop: async () => {
      abort.abort();
      abort = new AbortController();
      ending = Promise.allSettled([...underway.values()].flatMap(({ rolled }) => (rolled === undefined ? [] : [rolled])));
      await ending;
    },
    get steps() {
      return [...underway.keys()];
    },
  };
}
