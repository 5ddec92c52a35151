/** What the policy-update actor needs of whatever trains: the verbs of the Tinker API. Implementations: trainers/scripted (reference), trainers/embedded, later torch and tinker. */
import type { Objective, ObjectiveMetrics } from '../learning/objective.ts';
import type { TokenBatch } from '../learning/batch.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Weights } from '../protocol/policy.ts';

export interface OptimStep {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Global gradient-norm bound; 0 = none. */
  readonly clip: number;
}

export interface Trainer {
  readonly name: string;
  /** Accumulates the gradient of `objective` over the batch. Behaviour log-probs and advantages are in the batch. */
  forwardBackward(batch: TokenBatch, objective: Objective): Promise<ObjectiveMetrics>;
  /** Applies and clears the accumulated gradient. */
  optimStep(step: OptimStep): Promise<{ readonly gradNorm: number }>;
  /** Log-probs of each sampled token under the present weights, in batch order: the canary's and the KL's view. */
  logprobs(batch: TokenBatch): Promise<Float32Array>;
  /** Writes a complete model directory (temporary name, fsync, rename) that an engine can publish. */
  saveWeightsForSampler(dir: string, version: PolicyVersion): Promise<Weights>;
  /** Weights, optimiser and step count, into a directory that must not exist. */
  saveState(dir: string): Promise<void>;
  loadState(dir: string): Promise<void>;
  close(): Promise<void>;
}
