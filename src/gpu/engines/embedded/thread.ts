/** The sampling engine's thread: one service behind comlink. Knows no more than how to start. */
import { workerData } from 'node:worker_threads';
import { EngineFault } from '../../../errors.ts';
import { serve } from '../../control.ts';
import { type EmbeddedEngineOptions, openEngine } from './host.ts';

serve(EngineFault, openEngine(workerData as EmbeddedEngineOptions));
