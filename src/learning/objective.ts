/**
 * The loss of a batch of sampled tokens and its derivative by each log-prob. Knows log-probs and advantages, not models.
 * With ℓ = log π(now), b = log π(sampler), p = log π(start of the step), q = log π(base), A the rollout's advantage, N the step's denominator (batch.ts):
 *
 *   grpo       L = −Σ min(ρA, clip(ρ, 1−εl, 1+εh)A)/N,       ρ = exp(ℓ − b)                 GRPO, arXiv 2402.03300 eq. 3, token-level as DAPO, arXiv 2503.14476 §3.3; εh > εl: ibid. §3.1
 *   cispo      L = −Σ sg[clip(ρ, 1−εl, 1+εh)] A ℓ/N                                         MiniMax-M1, arXiv 2506.13585 §3.1
 *   imitation  L = −Σ ℓ/N                                                                   maximum likelihood of the teacher's tokens
 *   KL         L += β Σ (e^(q−ℓ) − (q−ℓ) − 1)/N                                             k3, Schulman 2020; GRPO eq. 4
 *
 * `importance: 'token'`: ρ = exp(ℓ − p) and the term is weighted by sg[min(exp(p − b), cap)] (truncated importance sampling, cap 2: fengyao.notion.site/off-policy-rl).
 * `sequence: {low, high}`: a rollout whose geometric-mean ratio exp(mean(ℓ − b)) lies outside adds nothing; N stays.
 * Deviations: (1) without `importance`, ρ is against the sampler's own log-probs, not a re-computed π_old (rule L4). (2) With `importance` and no p given, p = ℓ (one update a batch).
 */

export interface Objective {
  readonly kind: 'grpo' | 'cispo' | 'imitation';
  readonly clipLow: number;
  readonly clipHigh: number;
  /** β, the weight of the KL to the frozen base; 0 spares its forward pass. */
  readonly kl: number;
  readonly importance?: 'none' | 'token';
  /** Bound of the truncated importance weight. Default 2. */
  readonly importanceCap?: number;
  readonly sequence?: { readonly low: number; readonly high: number } | undefined;
}

export const imitation: Objective = { kind: 'imitation', clipLow: 0, clipHigh: 0, kl: 0 };

/** Parallel arrays, one entry per trained token; `bounds` cuts them into rollout samples: sample s is [bounds[s], bounds[s + 1]). */
export interface ObjectiveTokens {
  readonly logprobs: Float32Array;
  readonly behaviour: Float32Array;
  /** One per token: its sample's advantage. */
  readonly advantages: Float32Array;
  readonly bounds: Int32Array;
  /** Base log-probs; needed where kl > 0. */
  readonly reference?: Float32Array | undefined;
  /** Log-probs at the start of the step. */
  readonly proximal?: Float32Array | undefined;
  /** Nats, one per token, of the present policy: a metric only. */
  readonly entropy?: Float32Array | undefined;
  readonly denominator: number;
}

/** Sums over tokens, so that micro-batches add up; `metricsOf` turns them into means. Ratios are raw: before any clip or mask. */
export interface ObjectiveSums {
  readonly loss: number;
  readonly tokens: number;
  readonly ratio: number;
  readonly ratioSquared: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly gap: number;
  readonly clipped: number;
  readonly masked: number;
  readonly kl: number;
  readonly entropy: number;
}

export interface ObjectiveResult {
  /** dLoss/dℓ, one per token. */
  readonly gradient: Float32Array;
  readonly sums: ObjectiveSums;
}

/** Named figures of one forwardBackward, for people and metrics.jsonl. */
export type ObjectiveMetrics = Readonly<Record<string, number>>;

export const noSums: ObjectiveSums = {
  loss: 0,
  tokens: 0,
  ratio: 0,
  ratioSquared: 0,
  ratioMin: Infinity,
  ratioMax: -Infinity,
  gap: 0,
  clipped: 0,
  masked: 0,
  kl: 0,
  entropy: 0,
};

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** The surrogate of one token before division by N: its loss, dLoss/dℓ, and whether the clip took the gradient (grpo) or cut the weight (cispo). */
function surrogate(
  objective: Objective,
  logprob: number,
  ratio: number,
  advantage: number,
): { loss: number; slope: number; clipped: boolean } {
  const bounded = clamp(ratio, 1 - objective.clipLow, 1 + objective.clipHigh);
  switch (objective.kind) {
    case 'grpo': {
      // The clip binds only on the side where it lowers the objective (min of the two).
      const clipped = bounded * advantage < ratio * advantage;
      return { loss: -(clipped ? bounded : ratio) * advantage, slope: clipped ? 0 : -ratio * advantage, clipped };
    }
    case 'cispo':
      return { loss: -bounded * advantage * logprob, slope: -bounded * advantage, clipped: bounded !== ratio };
    case 'imitation':
      return { loss: -logprob, slope: -1, clipped: false };
    default:
      objective.kind satisfies never;
      throw new RangeError('unknown objective');
  }
}

/** Throws RangeError where an array's length does not fit or a reference is missing: a slip between arrays must never train. */
export function evaluateObjective(objective: Objective, tokens: ObjectiveTokens): ObjectiveResult {
  check(objective, tokens);
  const { logprobs, behaviour, bounds } = tokens;
  const gradient = new Float32Array(logprobs.length);
  let sums = noSums;
  for (let s = 0; s + 1 < bounds.length; s++) {
    const [from, to] = [bounds[s] as number, bounds[s + 1] as number];
    const masked = outside(objective, logprobs, behaviour, from, to);
    for (let t = from; t < to; t++) sums = addSums(sums, token(objective, tokens, t, masked, gradient));
  }
  return { gradient, sums };
}

function token(objective: Objective, tokens: ObjectiveTokens, t: number, masked: boolean, gradient: Float32Array): ObjectiveSums {
  const at = (list: Float32Array): number => list[t] as number;
  const [logprob, behaviour, advantage] = [at(tokens.logprobs), at(tokens.behaviour), at(tokens.advantages)];
  const learnt = objective.kind !== 'imitation';
  const raw = learnt ? Math.exp(logprob - behaviour) : 1;
  const importance = learnt && objective.importance === 'token';
  const proximal = tokens.proximal === undefined ? logprob : at(tokens.proximal);
  const weight = importance ? Math.min(Math.exp(proximal - behaviour), objective.importanceCap ?? 2) : 1;
  const part = surrogate(objective, logprob, importance ? Math.exp(logprob - proximal) : raw, advantage);
  const toBase = tokens.reference === undefined ? 0 : at(tokens.reference) - logprob;
  const kl = Math.expm1(toBase) - toBase;
  const keep = masked ? 0 : 1 / tokens.denominator;
  gradient[t] = masked ? 0 : keep * (weight * part.slope - objective.kl * Math.expm1(toBase));
  return {
    loss: keep * (weight * part.loss + objective.kl * kl),
    tokens: 1,
    ratio: raw,
    ratioSquared: raw * raw,
    ratioMin: raw,
    ratioMax: raw,
    gap: learnt ? Math.abs(logprob - behaviour) : 0,
    clipped: part.clipped ? 1 : 0,
    masked: masked ? 1 : 0,
    kl,
    entropy: tokens.entropy === undefined ? 0 : at(tokens.entropy),
  };
}

function outside(objective: Objective, logprobs: Float32Array, behaviour: Float32Array, from: number, to: number): boolean {
  if (objective.sequence === undefined || objective.kind === 'imitation' || to === from) return false;
  let sum = 0;
  for (let t = from; t < to; t++) sum += (logprobs[t] as number) - (behaviour[t] as number);
  const ratio = Math.exp(sum / (to - from));
  return ratio < objective.sequence.low || ratio > objective.sequence.high;
}

export function addSums(a: ObjectiveSums, b: ObjectiveSums): ObjectiveSums {
  return {
    loss: a.loss + b.loss,
    tokens: a.tokens + b.tokens,
    ratio: a.ratio + b.ratio,
    ratioSquared: a.ratioSquared + b.ratioSquared,
    ratioMin: Math.min(a.ratioMin, b.ratioMin),
    ratioMax: Math.max(a.ratioMax, b.ratioMax),
    gap: a.gap + b.gap,
    clipped: a.clipped + b.clipped,
    masked: a.masked + b.masked,
    kl: a.kl + b.kl,
    entropy: a.entropy + b.entropy,
  };
}

/** `ess`: (Σρ)²/(nΣρ²), the share of the batch that still counts; `gap`: mean |ℓ − b|, what sampler and trainer disagree by. */
export function metricsOf(sums: ObjectiveSums): ObjectiveMetrics {
  const n = Math.max(1, sums.tokens);
  return {
    loss: sums.loss,
    tokens: sums.tokens,
    ratioMean: sums.ratio / n,
    ratioMin: sums.tokens === 0 ? 1 : sums.ratioMin,
    ratioMax: sums.tokens === 0 ? 1 : sums.ratioMax,
    ess: sums.ratioSquared === 0 ? 1 : sums.ratio ** 2 / (n * sums.ratioSquared),
    gap: sums.gap / n,
    clipFraction: sums.clipped / n,
    maskedFraction: sums.masked / n,
    kl: sums.kl / n,
    entropy: sums.entropy / n,
  };
}

function check(objective: Objective, tokens: ObjectiveTokens): void {
  const n = tokens.logprobs.length;
  const lists = [tokens.behaviour, tokens.advantages, tokens.reference, tokens.proximal, tokens.entropy];
  if (lists.some((list) => list !== undefined && list.length !== n))
    throw new RangeError(`an array does not have one entry for each of the ${n} tokens`);
  if (tokens.bounds[0] !== 0 || tokens.bounds[tokens.bounds.length - 1] !== n) throw new RangeError(`bounds do not cover the ${n} tokens`);
  if (objective.kl > 0 && tokens.reference === undefined) throw new RangeError('kl > 0 needs the log-probs of the base');
  if (!(tokens.denominator > 0)) throw new RangeError(`denominator ${tokens.denominator}`);
}
