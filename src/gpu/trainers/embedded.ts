/** The embedded trainer as a Trainer: our own transformer on this CPU, in a thread of its own. Packs batches, sets deadlines; computes nothing. */
import { boundary, TrainerFault } from '../../errors.ts';
import { metricsOf } from '../../learning/objective.ts';
import { artifact } from '../engines/embedded/artifact.ts';
import type { Clock } from '../clock.ts';
import { startService } from '../control.ts';
import type { Trainer } from '../trainer.ts';
import { buffersOf, packBatch } from './embedded/pack.ts';
import type { EmbeddedTrainerOptions, TrainerVerbs } from './embedded/service.ts';

export interface EmbeddedTrainerHost extends EmbeddedTrainerOptions {
  readonly clock: Clock;
  /** Milliseconds one verb may take. */
  readonly deadlineMs: number;
  /** Rows of one shard: bounds memory, and fixes the order of summation. Default 2048. */
  readonly maxRows?: number;
}

/** Starts the thread; a model that cannot be read rejects the first verb. */
export function createEmbeddedTrainer({ clock, deadlineMs, maxRows = 2048, ...options }: EmbeddedTrainerHost): Trainer {
  const service = startService<TrainerVerbs>(artifact('../../trainers/embedded/thread.js'), {
    name: 'the embedded trainer',
    Kind: TrainerFault,
    data: options,
    clock,
  });
  const pack = (batch: Parameters<typeof packBatch>[0]) => boundary(TrainerFault, 'pack a batch', () => packBatch(batch, maxRows));
  return {
    name: 'embedded',
    forwardBackward: async (batch, objective) => {
      const packed = await pack(batch);
      const { sums, logprobs, entropy } = await service.call('forwardBackward', deadlineMs, [packed, objective], buffersOf(packed));
      return { metrics: metricsOf(sums), logprobs, entropy };
    },
    optimStep: (step) => service.call('optimStep', deadlineMs, [step]),
    logprobs: async (batch) => {
      const packed = await pack(batch);
      return service.call('logprobs', deadlineMs, [packed], buffersOf(packed));
    },
    saveWeightsForSampler: (dir, version) => service.call('saveWeights', deadlineMs, [dir, version]),
    saveState: (dir) => service.call('saveState', deadlineMs, [dir]),
    loadState: (dir) => service.call('loadState', deadlineMs, [dir]),
    close: () => service.close(),
  };
}
