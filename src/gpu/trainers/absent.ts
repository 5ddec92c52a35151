/** The trainer of a run that trains nothing, so that none is started for it. Knows only that it is not there. */
import { TrainerFault } from '../../errors.ts';
import type { Trainer } from '../trainer.ts';

export function absentTrainer(): Trainer {
  const refuse = (): Promise<never> => Promise.reject(new TrainerFault('this run has no steps, and so no trainer'));
  return {
    name: 'absent',
    forwardBackward: refuse,
    optimStep: refuse,
    logprobs: refuse,
    saveWeightsForSampler: refuse,
    saveState: refuse,
    loadState: refuse,
    close: () => Promise.resolve(),
  };
}
