/** The sampling engine's work, called by its thread: one core with the published weights. It computes while it is asked and knows neither queues nor who asks. */
import { readModel } from '../../weights.ts';
import type { TokenSample } from '../../../protocol/inference.ts';
import type { Weights } from '../../../protocol/policy.ts';
import { EngineFault } from '../../../errors.ts';
import { createCore } from './core.ts';

export interface EmbeddedEngineOptions {
  /** The model directory that answers at first. */
  readonly model: string;
  readonly threads: number;
  readonly deterministic: boolean;
}

/** What of a TokenRequest the core needs. */
export interface Asked {
  readonly ids: Int32Array;
  readonly n: number;
  /** Sample k uses seed + k, so that a sample does not depend on what it was batched or merged with. */
  readonly seed: number;
  readonly stop: readonly number[];
  readonly maxTokens: number;
  /** 0 = greedy. */
  readonly temperature: number;
}

export type EngineVerbs = {
  /** One list per request, n samples each. */
  readonly sample: (requests: readonly Asked[]) => TokenSample[][];
  readonly publish: (weights: Weights) => void;
};

export function openEngine({ model: dir, threads, deterministic }: EmbeddedEngineOptions): EngineVerbs {
  const model = readModel(dir);
  const core = createCore({ shape: model.shape, threads, deterministic });
  core.load(model.tensors);
  return {
    sample: (requests) =>
      core
        .sample(
          requests.map(({ seed, temperature, ...request }) => ({
            ...request,
            seeds: Array.from({ length: request.n }, (_, k) => seed + k),
            temperature,
            greedy: temperature === 0,
          })),
        )
        .map((samples) =>
          samples.map(({ ids, logprobs, finish }) => ({
            ids: ids.slice(),
            logprobs: logprobs.slice(),
            finish,
          })),
        ),
    publish: (weights) => {
      const next = readModel(weights.dir, weights);
      if (JSON.stringify(next.shape) !== JSON.stringify(model.shape))
        throw new EngineFault(`${weights.dir} holds a model of another shape`);
      core.load(next.tensors);
    },
  };
}
