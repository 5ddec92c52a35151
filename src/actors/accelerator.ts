/** Makes the engine and the trainer a config asks for, on the same model. Knows their kinds and nothing of what they are used for. */
import type { Config } from '../config.ts';
import type { Engine } from '../gpu/engine.ts';
import { createEmbeddedEngine } from '../gpu/engines/embedded.ts';
import { teacher } from '../gpu/engines/scripted-teacher.ts';
import { createScriptedEngine } from '../gpu/engines/scripted.ts';
import type { Renderer } from '../gpu/tokens/renderer.ts';
import type { Trainer } from '../gpu/trainer.ts';
import { createEmbeddedTrainer } from '../gpu/trainers/embedded.ts';
import { createScriptedTrainer } from '../gpu/trainers/scripted.ts';
import type { StoredModel } from '../gpu/weights.ts';
import { ConfigFault } from '../errors.ts';
import type { Weights } from '../protocol/policy.ts';
import { seedOf } from '../random.ts';
import { teacherEpisode } from '../simulation/procedural/teacher.ts';
import { systemClock } from './clock.ts';
import type { GroupJob } from './group.ts';
import { threadsOf } from './threads.ts';

export interface Accelerator {
  readonly engine: Engine;
  readonly trainer: Trainer;
  /** Told of each group before its first call: an engine that plays from the answers must know the questions. */
  announce(jobs: readonly GroupJob[]): void;
}

/** `weights` answer at first; `model` is the base, which stays the KL's reference. */
export function acceleratorFor(config: Config, model: StoredModel, weights: Weights, renderer: Renderer): Accelerator {
  const played = scriptedTeacher(config, renderer);
  return {
    engine: engineFor(config, model, weights, played),
    trainer: trainerFor(config, model),
    announce: (jobs) => played?.announce(jobs),
  };
}

function engineFor(config: Config, model: StoredModel, weights: Weights, played: ReturnType<typeof scriptedTeacher>): Engine {
  const { engine, rollout, seed } = config;
  switch (engine.kind) {
    case 'embedded':
      return createEmbeddedEngine({
        model: weights.dir,
        version: weights.version,
        threads: threadsOf(engine.threads),
        deterministic: engine.deterministic,
        batch: engine.batch,
        clock: systemClock,
        deadlineMs: rollout.deadlines.turnMs,
      });
    case 'scripted': {
      const { latencyMs, slowMs, error, malformed, hang, slow } = engine.scripted;
      return createScriptedEngine({
        policy: (played as NonNullable<typeof played>).policy,
        clock: systemClock,
        seed: seedOf(seed, 'mishaps'),
        version: weights.version,
        versions: rollout.staleness + 1,
        contextLength: model.shape.maxPositions,
        latencyMs,
        slowMs,
        faults: { error, malformed, hang, slow },
      });
    }
    case 'vllm':
    case 'fake':
      throw new ConfigFault(`engine.kind ${engine.kind} is not part of this version`);
    default:
      return engine.kind satisfies never;
  }
}

function trainerFor({ trainer, engine, rollout }: Config, model: StoredModel): Trainer {
  switch (trainer.kind) {
    case 'embedded':
      return createEmbeddedTrainer({
        model: model.weights.dir,
        threads: threadsOf(trainer.threads),
        deterministic: engine.deterministic,
        maxRows: trainer.microBatchTokens,
        clock: systemClock,
        deadlineMs: rollout.deadlines.stepMs,
      });
    case 'scripted':
      return createScriptedTrainer(model.shape.vocab);
    case 'torch':
    case 'tinker':
      throw new ConfigFault(`trainer.kind ${trainer.kind} is not part of this version`);
    default:
      return trainer.kind satisfies never;
  }
}

function scriptedTeacher({ engine }: Config, renderer: Renderer) {
  if (engine.kind !== 'scripted') return undefined;
  const { policy, learn } = teacher({ renderer, turnsOf: teacherEpisode, skill: () => engine.scripted.skill });
  return {
    policy,
    announce: (jobs: readonly GroupJob[]) => {
      for (const job of jobs) learn(job.group, job.task);
    },
  };
}
