/** What the policy-update actor needs of whatever trains: the verbs of the Tinker API. Implementations: trainers/scripted (reference), trainers/embedded, later torch and tinker. One conformance suite for all. */
import type { TokenBatch } from '../learning/batch.ts';
import type { Objective, ObjectiveMetrics } from '../learning/objective.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { Weights } from '../protocol/policy.ts';

export interface OptimStep {
  /** `muon`: orthogonalised momentum on the matrices of the layers, AdamW on everything else. */
  readonly kind: 'adamw' | 'muon';
  /** Of AdamW. */
  readonly learningRate: number;
  /** Of Muon's matrices; needed with `muon` only. */
  readonly matrixLearningRate?: number;
  readonly weightDecay: number;
  /** Global gradient-norm bound; 0 = none. */
  readonly clip: number;
}

/** What one pass over a batch saw, under the weights as they were. */
export interface Pass {
  readonly metrics: ObjectiveMetrics;
  /** Nats; one per sampled token, samples in batch order. */
  readonly logprobs: Float32Array;
  /** Of the distribution that each of them comes from, nats. */
  readonly entropy: Float32Array;
}

/** Every verb rejects with TrainerFault, or with the fault of the file it could not read or write (ConfigFault, RecordFault). Calls are answered in the order in which they were made. */
export interface Trainer {
  readonly name: string;
  /** Accumulates the gradient of `objective` over the batch, its KL against the weights the trainer was made with. An empty batch adds nothing. */
  forwardBackward(batch: TokenBatch, objective: Objective): Promise<Pass>;
  /** Applies and clears the accumulated gradient; `gradNorm` is measured before the bound. */
  optimStep(step: OptimStep): Promise<{ readonly gradNorm: number }>;
  /** Log-probs of each sampled token under the present weights, samples in batch order: the canary's and the progress's view. Leaves the gradient as it is. */
  logprobs(batch: TokenBatch): Promise<Float32Array>;
  /** Writes a complete model directory that an engine can publish. `dir` must not exist. The checkpoint it is part of makes it durable. */
  saveWeightsForSampler(dir: string, version: PolicyVersion): Promise<Weights>;
  /** Weights, optimiser and step count, into a directory that must not exist; made durable likewise. */
  saveState(dir: string): Promise<void>;
  /** Goes on bit for bit where `saveState` left off; an accumulated gradient is cleared. */
  loadState(dir: string): Promise<void>;
  close(): Promise<void>;
}
