/** The embedded trainer's thread: one service behind comlink. Knows no more than how to start. */
import { workerData } from 'node:worker_threads';
import { TrainerFault } from '../../../errors.ts';
import { serve } from '../../control.ts';
import { type EmbeddedTrainerOptions, openTrainer } from './service.ts';

serve(TrainerFault, openTrainer(workerData as EmbeddedTrainerOptions), (result) =>
  result instanceof Float32Array ? [result.buffer as ArrayBuffer] : [],
);
