/** The embedded trainer's work, called by its thread: core, base weights, files. It computes while it is asked and knows neither threads nor who asks. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundarySync, RecordFault, TrainerFault } from '../../../errors.ts';
import { type Objective, type ObjectiveSums, addSums, evaluateObjective, noSums } from '../../../learning/objective.ts';
import type { PolicyVersion } from '../../../protocol/ids.ts';
import type { Weights } from '../../../protocol/policy.ts';
import { type Core, createCore } from '../../engines/embedded/core.ts';
import type { PackedRows } from '../../engines/embedded/packed-rows.ts';
import { parametersOf } from '../../engines/embedded/shape.ts';
import { decodeSafetensors, encodeSafetensors, type Tensor } from '../../safetensors.ts';
import type { OptimStep } from '../../trainer.ts';
import { readModel, writeModel } from '../../weights.ts';
import type { PackedBatch } from './pack.ts';

export interface EmbeddedTrainerOptions {
  /** The model directory to start from; it stays the KL's reference. */
  readonly model: string;
  readonly threads: number;
  readonly deterministic: boolean;
}

/** Of AdamW; those of the base policy's recipe, and of small models in general. */
const betas = { beta1: 0.9, beta2: 0.95 };

/** Of a pass: sums over its tokens, and what it made of each, one per target of all shards, in order. */
interface ScoredSums {
  readonly sums: ObjectiveSums;
  readonly logprobs: Float32Array;
  readonly entropy: Float32Array;
}

export type TrainerVerbs = {
  readonly forwardBackward: (batch: PackedBatch, objective: Objective) => ScoredSums;
  readonly optimStep: (step: OptimStep) => { gradNorm: number };
  readonly logprobs: (batch: PackedBatch) => Float32Array;
  readonly saveWeights: (dir: string, version: PolicyVersion) => Weights;
  readonly saveState: (dir: string) => void;
  readonly loadState: (dir: string) => void;
  readonly release: () => void;
};

export function openTrainer({ model: dir, threads, deterministic }: EmbeddedTrainerOptions): TrainerVerbs {
  const model = readModel(dir);
  const core = createCore({ shape: model.shape, threads, deterministic, cacheMB: 1 });
  core.load(model.tensors);
  core.freeze(model.frozen);
  let base: Core | undefined;
  /** A second model of the same shape; made when a KL is first asked for. */
  const reference = (): Core => {
    if (base === undefined) {
      base = createCore({ shape: model.shape, threads, deterministic, cacheMB: 1 });
      base.load(model.tensors);
    }
    return base;
  };

  return {
    forwardBackward: (batch, objective) => {
      const target = objective.kl > 0 ? scores(reference(), batch.shards) : undefined;
      // Shards answer in no fixed order; their sums are added in theirs.
      const sums = new Map<number, ObjectiveSums>();
      const seen = { logprobs: new Float32Array(batch.behaviour.length), entropy: new Float32Array(batch.behaviour.length) };
      const indexAt = new Map<number, number>();
      let at = 0;
      for (const [index, shard] of batch.shards.entries()) {
        indexAt.set(at, index);
        at += shard.targets.ids.length;
      }
      core.forwardBackward(batch.shards, ({ from, to }, logprobs, entropy) => {
        const index = indexAt.get(from) as number;
        seen.logprobs.set(logprobs, from);
        seen.entropy.set(entropy, from);
        const result = evaluateObjective(objective, {
          logprobs,
          entropy,
          behaviour: batch.behaviour.subarray(from, to),
          advantages: batch.advantages.subarray(from, to),
          proximal: batch.proximal?.subarray(from, to),
          reference: target?.subarray(from, to),
          bounds: batch.bounds[index] as Int32Array,
          denominator: batch.denominator,
        });
        sums.set(index, result.sums);
        return result.gradient;
      });
      return { ...seen, sums: batch.shards.reduce((total, _, index) => addSums(total, sums.get(index) as ObjectiveSums), noSums) };
    },
    optimStep: ({ kind, learningRate, matrixLearningRate, weightDecay, clip }) => {
      const { gradNorm } = core.optimStep({
        kind,
        lr: learningRate,
        ...(matrixLearningRate === undefined ? {} : { muonLr: matrixLearningRate }),
        ...betas,
        weightDecay,
        clip,
      });
      if (!Number.isFinite(gradNorm)) throw new TrainerFault(`the gradient's norm is ${gradNorm}`);
      return { gradNorm };
    },
    logprobs: (batch) => scores(core, batch.shards),
    saveWeights: (to, version) => writeModel(to, version, { ...model, tensors: core.tensors() }, { durable: false }),
    saveState: (to) => saveState(core, to),
    loadState: (from) => {
      loadState(core, from);
      for (const gradient of core.gradients().values()) gradient.fill(0);
    },
    release: () => {
      core.close();
      base?.close();
    },
  };
}

/** What of a verb's result is moved to who asked. */
export function buffersOfResult(result: unknown): ArrayBuffer[] {
  const lists = result instanceof Float32Array ? [result] : Object.values(result ?? {});
  return lists.flatMap((list: unknown) => (list instanceof Float32Array ? [list.buffer as ArrayBuffer] : []));
}

function scores(core: Core, shards: readonly PackedRows[]): Float32Array {
  const parts = core.forward(shards).map((score) => score.logprobs);
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Weights and both moments as one safetensors file, the step count beside it. */
function saveState(core: Core, dir: string): void {
  const { step, first, second } = core.optimizerState();
  const dimensions = new Map(parametersOf(core.shape).list.map((p) => [p.name, p.kind === 'norm' ? [p.cols] : [p.rows, p.cols]]));
  const tensors = new Map<string, Tensor>();
  for (const [kind, values] of Object.entries({ weights: core.tensors(), first, second })) {
    for (const [name, data] of values) tensors.set(`${kind}.${name}`, { shape: dimensions.get(name) ?? [data.length], data });
  }
  boundarySync(RecordFault, `write state ${dir}`, () => {
    if (existsSync(dir)) throw new RecordFault(`${dir} exists`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'state.safetensors'), encodeSafetensors(tensors));
    writeFileSync(join(dir, 'state.json'), `${JSON.stringify({ step })}\n`);
  });
}

function loadState(core: Core, dir: string): void {
  const { step } = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as { step: number };
  const tensors = decodeSafetensors(readFileSync(join(dir, 'state.safetensors')));
  const part = (kind: string): Map<string, Float32Array> =>
    new Map(
      [...tensors].filter(([name]) => name.startsWith(`${kind}.`)).map(([name, tensor]) => [name.slice(kind.length + 1), tensor.data]),
    );
  core.load(part('weights'));
  core.loadOptimizerState({ step, first: part('first'), second: part('second') });
}
