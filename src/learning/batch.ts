/**
 * From sealed groups to the token samples a trainer is given: masks, advantages, the step's one denominator, and a count of everything left out. Knows nothing of models.
 *
 *   N = Σ sampled tokens of all trained samples of the step  (token-level loss, DAPO arXiv 2503.14476 §3.3), or rollouts × constant (Dr. GRPO arXiv 2503.20783 §3.2)
 *
 * Where a band of solve rates is given, a group solved outside it is left out too: low ≤ (members with reward 1) / (scored members) ≤ high. Source: the band of Tool-R0 (arXiv 2602.21320),
 * 0.25 to 0.75; there it rewards the generator of tasks, here it chooses which groups are trained. Their rewards still move D.
 *
 * Only what the policy sampled is trained, its sampled stop token included (rules L2, L3); the samples of a split rollout share its one advantage and the one denominator (L7).
 */
import type { Episode } from '../protocol/episode.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { EpisodeId, GroupId, StepId } from '../protocol/ids.ts';
import { type TokenTrace, isSampled, recordAt, traceIds, traceLength } from '../protocol/trace.ts';
import { type AdvantageRule, type GroupAdvantages, advantagesOf } from './advantage.ts';
import { type Census, type Fate, censusOf } from './census.ts';

export interface TokenSample {
  readonly group: GroupId;
  /** The whole sequence the policy saw and sampled. */
  readonly ids: Int32Array;
  /** 1 where the policy sampled the token (the stop token included), else 0. Same length as `ids`; entry 0 is always 0. */
  readonly sampled: Uint8Array;
  /** The sampler's log-prob where sampled, else 0. */
  readonly logprobs: Float32Array;
  /** The trainer's log-prob at the start of the step, where the objective weighs one against the other. */
  readonly proximal?: Float32Array;
  /** One per sample: a rollout has one advantage; the samples of a split rollout share it. */
  readonly advantage: number;
}

export interface TokenBatch {
  /** Samples of one group stand together. */
  readonly samples: readonly TokenSample[];
  /** The loss's denominator: sampled tokens of the whole step, not of this micro-batch. */
  readonly denominator: number;
}

export interface BatchRule extends AdvantageRule {
  /** Dr. GRPO: the constant length each rollout counts for; absent = the tokens sampled. */
  readonly constantLength?: number | undefined;
  /** Shares of the scored members that solve the task between which a group is trained; absent = all that differ within. */
  readonly solveRate?: { readonly low: number; readonly high: number } | undefined;
}

export interface PackedStep {
  readonly batch: TokenBatch;
  /** One per sample of the batch: where it came from. `trace`: index in the episode's traces. */
  readonly origins: readonly { readonly step: StepId; readonly episode: EpisodeId; readonly trace: number }[];
  /** One per scored member of the step, dropped groups included: what moves D. */
  readonly rewards: readonly number[];
  readonly census: Census;
  /** Rollouts that entered the gradient; a split rollout counts once. */
  readonly rollouts: number;
}

/** Groups are taken in the order given: the caller sorts by id where replay must be exact. */
export function packStep(groups: readonly RolloutGroup[], rule: BatchRule): PackedStep {
  const samples: TokenSample[] = [];
  const origins: PackedStep['origins'][number][] = [];
  const fates: Fate[] = [];
  const rewards: number[] = [];
  let rollouts = 0;
  for (const group of groups) {
    for (const missing of group.missing) fates.push({ fate: `missing.${missing.fault.kind}`, length: null });
    const verdict = verdictOn(group, rule);
    for (const [index, episode] of group.episodes.entries()) {
      if (episode.reward !== null) rewards.push(episode.reward);
      const advantage = verdict.kind === 'trained' ? verdict.advantages[index] : null;
      const before = samples.length;
      for (const [trace, tokens] of (advantage === null || advantage === undefined ? [] : episode.traces).entries()) {
        const sample = sampleOf(group.id, tokens, advantage as number);
        if (sample === undefined) continue;
        samples.push(sample);
        origins.push({ step: group.step, episode: episode.id, trace });
      }
      const packed = samples.length - before;
      if (packed > 0) rollouts++;
      fates.push({ fate: fateOf(episode, verdict.kind === 'dropped' ? verdict.reason : null, packed), length: lengthOf(episode) });
    }
  }
  const denominator = rule.constantLength === undefined ? sampledTokens(samples) : rollouts * rule.constantLength;
  return { batch: { samples, denominator }, origins, rewards, census: censusOf(fates), rollouts };
}

/** One a member, in the order of the group's episodes; null where nothing is learnt from it. */
export function advantagesIn(group: RolloutGroup, rule: BatchRule): readonly (number | null)[] {
  const verdict = verdictOn(group, rule);
  return verdict.kind === 'trained' ? verdict.advantages : group.episodes.map(() => null);
}

/** Which of its members' advantages a group brings in, or why none. */
function verdictOn(
  { status, episodes }: RolloutGroup,
  rule: BatchRule,
): GroupAdvantages | { readonly kind: 'dropped'; readonly reason: 'outOfBand' } {
  if (status === 'failed') return { kind: 'dropped', reason: 'tooFewScored' };
  const rewards = episodes.map((episode) => episode.reward);
  const verdict = advantagesOf(rewards, rule);
  if (verdict.kind === 'dropped' || rule.solveRate === undefined) return verdict;
  const scored = rewards.filter((reward) => reward !== null);
  const solved = scored.filter((reward) => reward === 1).length / scored.length;
  const { low, high } = rule.solveRate;
  return solved < low || solved > high ? { kind: 'dropped', reason: 'outOfBand' } : verdict;
}

/** Undefined for a trace in which nothing was sampled. */
export function sampleOf(group: GroupId, trace: TokenTrace, advantage: number): TokenSample | undefined {
  const length = traceLength(trace);
  const sampled = new Uint8Array(length);
  const logprobs = new Float32Array(length);
  let any = false;
  for (let i = 0; i < length; i++) {
    if (!isSampled(trace, i)) continue;
    if (i === 0) throw new RangeError('a trace begins with a sampled token: nothing predicts it');
    sampled[i] = 1;
    logprobs[i] = recordAt(trace, i).logprob;
    any = true;
  }
  return any ? { group, ids: traceIds(trace), sampled, logprobs, advantage } : undefined;
}

export const sampledTokens = (samples: readonly TokenSample[]): number =>
  samples.reduce((sum, sample) => sum + sample.sampled.reduce((n, one) => n + one, 0), 0);

const lengthOf = (episode: Episode): number => episode.traces.reduce((sum, trace) => sum + traceLength(trace), 0);

/** What became of a member: `trained`, or the reason why not. The member's own fault comes before its group's. */
function fateOf(episode: Episode, groupReason: string | null, packed: number): string {
  const { outcome } = episode;
  if (episode.reward === null)
    return outcome.kind === 'simulatorFault'
      ? `simulatorFault.${outcome.role}`
      : outcome.kind === 'truncated'
        ? 'truncated.budget'
        : outcome.kind;
  if (groupReason !== null) return groupReason;
  return packed > 0 ? 'trained' : 'nothingSampled';
}
