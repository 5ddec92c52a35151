/** The experiment's chart bound, watched and run to its end. Knows when a run is told to stop, and nothing of what its steps are. */
import { createActor, fromPromise } from 'xstate';
import { asFault, ThreadFault } from '../errors.ts';
import {
  type Ending,
  type ExperimentInput,
  experimentMachine,
  type ExperimentOutput,
  type StepInput,
  type Updated,
  type When,
} from '../machines/experiment.ts';
import type { RunMessage } from '../protocol/messages.ts';
import type { Clock } from './clock.ts';
import { observed, type Recorder, type Waits } from './recorder.ts';
import type { Steps } from './steps.ts';

export interface ExperimentPorts {
  readonly steps: Omit<Steps, 'paused'>;
  readonly recorder: Recorder;
  readonly waits: Waits;
  readonly clock: Clock;
  /** Aborted = end as soon as what is half done is safe. */
  readonly signal: AbortSignal;
  /** Milliseconds from the start; absent = no such budget. */
  readonly budgetMs: number | undefined;
}

export interface Experiment {
  tell(message: RunMessage): void;
  /** Starts it; resolves with how it ended. Rejects with ThreadFault only when the chart itself is broken. */
  run(): Promise<ExperimentOutput>;
}

export function createExperiment(input: ExperimentInput, { steps, recorder, waits, clock, signal, budgetMs }: ExperimentPorts): Experiment {
  const machine = experimentMachine.provide({
    actors: {
      prepare: fromPromise<void, StepInput>((port) => steps.prepare(port.input, port.signal)),
      draw: fromPromise<void, StepInput>((port) => steps.draw(port.input, port.signal)),
      roll: fromPromise<void, StepInput>((port) => steps.roll(port.input)),
      update: fromPromise<Updated, StepInput>((port) => steps.update(port.input)),
      publish: fromPromise<void, StepInput>((port) => steps.publish(port.input)),
      rest: fromPromise<void, StepInput>(() => steps.rest()),
      evaluate: fromPromise<void, StepInput & { readonly when: When }>((port) => steps.evaluate(port.input, port.signal)),
      checkpoint: fromPromise<void, StepInput & { readonly ending: Ending }>((port) => steps.checkpoint(port.input)),
    },
  });
  const actor = createActor(observed(machine), { input });
  recorder.watch(actor, 'run', waits);
  const tell = (message: RunMessage): void => actor.send(message);
  const interrupt = (): void => tell({ type: 'run.interrupt' });

  return {
    tell,
    run: async () => {
      const spend = (): void => tell({ type: 'budget.spent', budget: 'minutes' });
      const recall = budgetMs === undefined ? () => undefined : clock.after(budgetMs, spend);
      try {
        return await new Promise<ExperimentOutput>((resolve, reject) => {
          actor.subscribe({
            complete: () => resolve(actor.getSnapshot().output as ExperimentOutput),
            error: (error) => reject(asFault(ThreadFault, 'experiment', error)),
          });
          signal.addEventListener('abort', interrupt, { once: true });
          actor.start();
          if (signal.aborted) interrupt();
        });
      } finally {
        recall();
        signal.removeEventListener('abort', interrupt);
        recorder.flush();
      }
    },
  };
}
