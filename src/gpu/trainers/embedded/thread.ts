/** The embedded trainer's thread: one service behind comlink. Knows no more than how to start. */
import { workerData } from 'node:worker_threads';
import { TrainerFault } from '../../../errors.ts';
import { serve } from '../../control.ts';
import { buffersOfResult, type EmbeddedTrainerOptions, openTrainer } from './service.ts';

serve(TrainerFault, openTrainer(workerData as EmbeddedTrainerOptions), buffersOfResult);
