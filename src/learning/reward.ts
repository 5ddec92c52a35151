/**
 * From an outcome to a reward, or to none. Knows nothing of how the outcome came about.
 * r = verdict ∈ {−1, 0, 1} for a judged episode; r = −1 where the policy itself ended it; null (no reward) for every failure that is ours.
 * Source: TRUSTEE (arXiv 2604.17739) §3, reward in {−1, 0, 1}, final only.
 * Deviations: (1) the paper aborts trajectories with malformed simulator output at an unreported rate; here they are unscored (null), counted, and never 0.
 * (2) What the policy can cause (unreadable or overlong output) stays scored at −1, or it learns to cause it (rule L6).
 */
import type { Outcome, Reward } from '../protocol/outcome.ts';

export function rewardOf(outcome: Outcome): Reward | null {
  switch (outcome.kind) {
    case 'scored':
      return outcome.verdict.reward;
    case 'policyFault':
      return -1;
    case 'truncated':
      return outcome.by === 'policy' ? -1 : null;
    case 'simulatorFault':
    case 'judgeFault':
    case 'infraFault':
      return null;
    default:
      outcome satisfies never;
      throw new RangeError('unknown outcome');
  }
}
