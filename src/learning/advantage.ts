/**
 * How much better than its group a rollout was. Knows rewards only, not tokens.
 *
 *   Aᵢ = (rᵢ − mean(r)) / std(r)      over the scored members of one group; std is the sample standard deviation (n − 1); `std: false` leaves the division out (Dr. GRPO)
 *
 * Source: GRPO, DeepSeekMath (arXiv 2402.03300) §4.1.2; std off: Dr. GRPO (arXiv 2503.20783) §3.2.
 * Deviations: (1) unscored members (null) are absent from mean, std and gradient. (2) No ε under the root: a group whose rewards are exactly equal is dropped
 * before, by equality and not by std > 0, because float residue in std made advantages of some 4000 elsewhere (rule L5). (3) A group needs Gmin scored members.
 */

export interface AdvantageRule {
  readonly std: boolean;
  /** Gmin, at least 2: one member alone has no baseline. */
  readonly minimumScored: number;
}

export type GroupAdvantages =
  /** One per member of the group, null where unscored. */
  | { readonly kind: 'trained'; readonly advantages: readonly (number | null)[] }
  | { readonly kind: 'dropped'; readonly reason: 'tooFewScored' | 'zeroVariance' };

export function advantagesOf(rewards: readonly (number | null)[], rule: AdvantageRule): GroupAdvantages {
  const scored = rewards.filter((reward) => reward !== null);
  if (scored.length < Math.max(2, rule.minimumScored)) return { kind: 'dropped', reason: 'tooFewScored' };
  if (scored.every((reward) => reward === scored[0])) return { kind: 'dropped', reason: 'zeroVariance' };
  const mean = scored.reduce((sum, reward) => sum + reward, 0) / scored.length;
  const variance = scored.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / (scored.length - 1);
  const scale = rule.std ? 1 / Math.sqrt(variance) : 1;
  return { kind: 'trained', advantages: rewards.map((reward) => (reward === null ? null : (reward - mean) * scale)) };
}
