/** What a trainer is given: samples with their behaviour log-probs and advantages, packed by the policy-update actor, masks already resolved to the sampled tokens. */
import type { GroupId } from '../protocol/ids.ts';

export interface TokenSample {
  readonly group: GroupId;
  /** The whole sequence the policy saw and sampled. */
  readonly ids: Int32Array;
  /** 1 where the policy sampled the token (the stop token included), else 0. Same length as `ids`; entry 0 is always 0. */
  readonly sampled: Uint8Array;
  /** The sampler's log-prob where sampled, else 0. */
  readonly logprobs: Float32Array;
  /** One per sample: a rollout has one advantage; the samples of a split rollout share it. */
  readonly advantage: number;
}

export interface TokenBatch {
  readonly samples: readonly TokenSample[];
  /** The loss's denominator: sampled tokens of the whole step, not of this micro-batch. */
  readonly denominator: number;
}
