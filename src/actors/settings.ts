/** The config's words for the learning side, in the learning side's words. */
import type { Config } from '../config.ts';
import type { Retention } from '../gpu/checkpoint.ts';
import type { PolicyUpdateOptions } from '../gpu/policy-update.ts';
import type { Canary } from '../gpu/policy-update-canary.ts';

/** Largest |Δ log-prob| of the canary: our own engine and trainer agree to 1e-5; scripted ones have nothing to agree on. */
const canaryBound = 1e-3;

export const retentionOf = ({ record }: Config): Retention => ({ last: record.checkpoints.keep, every: record.checkpoints.every });

export function policyUpdateOptions(config: Config, checkpoints: string, { prompt, stop }: Omit<Canary, 'bound'>): PolicyUpdateOptions {
  const { trainer, curriculum, rollout, engine } = config;
  const { stepMs } = rollout.deadlines;
  const real = engine.kind === 'embedded' && trainer.kind === 'embedded';
  return {
    checkpoints,
    retention: retentionOf(config),
    objective: {
      kind: trainer.objective,
      clipLow: trainer.clipLow,
      clipHigh: trainer.clipHigh,
      kl: trainer.kl,
      importance: trainer.importance,
      importanceCap: trainer.importanceCap,
      sequence: trainer.sequenceMask,
    },
    optimiser: { kind: trainer.optimizer, learningRate: trainer.learningRate, weightDecay: trainer.weightDecay, clip: trainer.gradClip },
    warmup: trainer.warmup,
    epochs: trainer.epochs,
    batch: {
      std: trainer.std,
      minimumScored: rollout.minimumScored,
      constantLength: trainer.constantLength > 0 ? trainer.constantLength : undefined,
    },
    curriculum,
    staleness: rollout.staleness,
    losses: rollout.losses,
    canary: { prompt, stop, bound: real ? canaryBound : Infinity },
    deadlines: { record: stepMs, train: stepMs, checkpoint: stepMs, publish: stepMs, verify: stepMs },
  };
}
