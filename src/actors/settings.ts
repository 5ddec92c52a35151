/** The config's words for the learning side, in the learning side's words. */
import type { Config } from '../config.ts';
import type { Retention } from '../gpu/checkpoint.ts';
import type { PolicyUpdateOptions } from '../gpu/policy-update.ts';
import type { Canary } from '../gpu/policy-update-canary.ts';
import type { RendererSpec } from '../gpu/tokens/spec.ts';
import type { BatchRule } from '../learning/batch.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import type { LmSettings } from '../simulation/lm/settings.ts';
import type { CastSpec } from './cast.ts';

/** A run of no steps measures, and needs no trainer. */
export const trains = ({ steps }: Config): boolean => steps > 0;

/** Whether server and trainer take turns on one accelerator. */
export const isTimesliced = (config: Config): boolean =>
  trains(config) && config.trainer.kind === 'torch' && config.trainer.torch.sharing === 'timesliced';

/**
 * Largest |Δ log-prob| of the canary. In float32 two implementations of one model agree to some 1e-5 a token; in bfloat16, with 8 bits of mantissa, a token of
 * probability 0.01 differs by 0.1 now and then. What plays without a model has nothing to agree on.
 */
function canaryBound(config: Config): number {
  const { engine, trainer } = config;
  if (!trains(config) || engine.kind === 'scripted' || engine.kind === 'fake' || trainer.kind === 'scripted') return Infinity;
  if (trainer.canary !== undefined) return trainer.canary;
  const sampler = engine.kind === 'embedded' || engine.vllm.dtype === 'float32';
  const learner =
    trainer.kind === 'embedded' || trainer.torch.dtype === 'float32' || (trainer.torch.dtype === 'auto' && trainer.torch.device === 'cpu');
  return sampler && learner ? 1e-3 : 0.25;
}

/** What a person should know about a config that is allowed all the same. */
export function cautions({ rollout, trainer }: Config): string[] {
  // Not refused: the clip around the sampler's own log-probs is a trust region too, and the one PPO has.
  if (rollout.staleness === 0 || trainer.importance === 'token') return [];
  return [
    `rollouts may lag ${rollout.staleness} versions behind and trainer.importance is none: the clip is then centred on the old policies, and what has moved most since gets no gradient; trainer.importance token weighs the lag and clips around the present policy`,
  ];
}

export const retentionOf = ({ record }: Config): Retention => ({ last: record.checkpoints.keep, every: record.checkpoints.every });

/** Which groups are learnt from, and how. */
export const batchRuleOf = ({ trainer, rollout, simulation }: Config): BatchRule => ({
  std: trainer.std,
  minimumScored: rollout.minimumScored,
  constantLength: trainer.constantLength > 0 ? trainer.constantLength : undefined,
  solveRate: simulation.solveRate,
});

export function policyUpdateOptions(config: Config, checkpoints: string, { prompt, stop }: Omit<Canary, 'bound'>): PolicyUpdateOptions {
  const { trainer, curriculum, rollout } = config;
  const { stepMs } = rollout.deadlines;
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
    batch: batchRuleOf(config),
    curriculum,
    staleness: rollout.staleness,
    losses: rollout.losses,
    canary: { prompt, stop, bound: canaryBound(config) },
    deadlines: { record: stepMs, borrow: stepMs, train: stepMs, giveBack: stepMs, checkpoint: stepMs, publish: stepMs, verify: stepMs },
  };
}

/** Who plays which role. The tiny model speaks its own words, every other one prose. */
export function castSpecOf({ roles, world, simulation }: Config, policy: RendererSpec): CastSpec {
  const played = SimulatorRole.options.filter((role) => roles[role] === 'lm');
  if (played.length === 0) return { world, policy };
  const { dialect } = simulation;
  const settings = lmSettingsOf({ world, simulation }, dialect === 'auto' ? (policy.kind === 'tiny' ? 'words' : 'prose') : dialect);
  return { world, policy, models: { roles: played, settings } };
}

/** How a language model is asked, whichever roles it plays. */
export function lmSettingsOf({ world, simulation }: Pick<Config, 'world' | 'simulation'>, dialect: LmSettings['dialect']): LmSettings {
  const { temperature, maxTokens, structured, worldCharacters, judge } = simulation;
  return { dialect, temperature, maxTokens, structured, worldCharacters, branches: world.branches, gates: judge.gates };
}
