"""The loss of a batch of sampled tokens, by each log-prob differentiable. Knows log-probs and advantages, not models.

The same equations, symbols and deviations as src/learning/objective.ts, which is the one to read first; a test compares the two number by number.
With l = log pi(now), b = log pi(sampler), p = log pi(start of the step), q = log pi(base), A the rollout's advantage, N the step's denominator:

  grpo       L = -sum min(r A, clip(r, 1 - el, 1 + eh) A) / N,     r = exp(l - b)      GRPO, arXiv 2402.03300 eq. 3, token-level as DAPO, arXiv 2503.14476
  cispo      L = -sum sg[clip(r, 1 - el, 1 + eh)] A l / N                              MiniMax-M1, arXiv 2506.13585 section 3.1
  imitation  L = -sum l / N                                                            maximum likelihood of the teacher's tokens
  KL         L += beta sum (e^(q - l) - (q - l) - 1) / N                               k3, Schulman 2020; GRPO eq. 4

importance "token": r = exp(l - p) and the term is weighted by sg[min(exp(p - b), cap)] (truncated importance sampling).
sequence (low, high): a rollout whose geometric-mean ratio exp(mean(l - b)) lies outside adds nothing; N stays.
Deviations: (1) without importance, r is against the sampler's own log-probs. (2) With importance and no p given, p = l (one update a batch).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

KINDS = ("grpo", "cispo", "imitation")


@dataclass(frozen=True)
class Objective:
    kind: str
    clip_low: float
    clip_high: float
    kl: float
    importance: bool = False
    cap: float = 2.0
    sequence: tuple[float, float] | None = None

    @staticmethod
    def of(args: Mapping[str, Any]) -> "Objective":
        """From the wire, with the names of objective.ts. ValueError for a kind that is none."""
        if args["kind"] not in KINDS:
            raise ValueError(f"there is no objective {args['kind']}")
        sequence, cap = args.get("sequence"), args.get("importanceCap")
        return Objective(
            kind=args["kind"],
            clip_low=float(args["clipLow"]),
            clip_high=float(args["clipHigh"]),
            kl=float(args["kl"]),
            importance=args.get("importance") == "token",
            cap=2.0 if cap is None else float(cap),
            sequence=None if sequence is None else (float(sequence["low"]), float(sequence["high"])),
        )


@dataclass(frozen=True)
class Tokens:
    """Parallel tensors, one entry per trained token; `sample` numbers the rollout sample of each, from 0."""

    logprobs: Tensor
    behaviour: Tensor
    advantages: Tensor
    sample: Tensor
    reference: Tensor | None
    proximal: Tensor | None
    entropy: Tensor
    denominator: float


def evaluate(objective: Objective, tokens: Tokens) -> tuple[Tensor, dict[str, float]]:
    """The loss as a scalar to differentiate, in float64, and the sums of objective.ts under their names. Ratios are raw: before any clip or mask."""
    if objective.kl > 0 and tokens.reference is None:
        raise ValueError("kl > 0 needs the log-probs of the base")
    if not tokens.denominator > 0:
        raise ValueError(f"denominator {tokens.denominator}")
    behaviour, advantage = tokens.behaviour.double(), tokens.advantages.double()
    # `now` are the values, `logprob` is what is differentiated: cut off where masked, since 0 times an overflowed ratio would be NaN.
    now = tokens.logprobs.detach().double()
    masked = _outside(objective, now - behaviour, tokens.sample)
    logprob = torch.where(masked, now, tokens.logprobs.double())
    learnt = objective.kind != "imitation"
    raw = (now - behaviour).exp() if learnt else torch.ones_like(now)
    importance = learnt and objective.importance
    proximal = now if tokens.proximal is None else tokens.proximal.double()
    weight = (proximal - behaviour).exp().clamp(max=objective.cap) if importance else torch.ones_like(now)
    ratio = (logprob - (proximal if importance else behaviour)).exp()
    surrogate, clipped = _surrogate(objective, logprob, ratio, advantage)
    to_base = torch.zeros_like(now) if tokens.reference is None else tokens.reference.double() - logprob
    kl = to_base.expm1() - to_base
    terms = torch.where(masked, 0.0, weight * surrogate + objective.kl * kl)
    loss = terms.sum() / tokens.denominator
    return loss, _sums(float(loss.detach()), raw, clipped, masked, kl.detach(), tokens, (now - behaviour).abs() if learnt else None)


def _surrogate(objective: Objective, logprob: Tensor, ratio: Tensor, advantage: Tensor) -> tuple[Tensor, Tensor]:
    """The term of each token before division by N, and whether the clip took the gradient (grpo) or cut the weight (cispo)."""
    value = ratio.detach()
    bounded = value.clamp(1 - objective.clip_low, 1 + objective.clip_high)
    if objective.kind == "grpo":
        # The clip binds only on the side where it lowers the objective (min of the two); there its derivative is 0.
        clipped = bounded * advantage < value * advantage
        return -torch.where(clipped, bounded, ratio) * advantage, clipped
    if objective.kind == "cispo":
        return -bounded * advantage * logprob, bounded != value
    return -logprob, torch.zeros_like(value, dtype=torch.bool)


def _outside(objective: Objective, gap: Tensor, sample: Tensor) -> Tensor:
    if objective.sequence is None or objective.kind == "imitation" or len(gap) == 0:
        return torch.zeros_like(gap, dtype=torch.bool)
    low, high = objective.sequence
    samples = int(sample.max()) + 1
    total = gap.new_zeros(samples).index_add_(0, sample, gap)
    count = gap.new_zeros(samples).index_add_(0, sample, torch.ones_like(gap))
    ratio = (total / count.clamp_min(1)).exp()
    return ((ratio < low) | (ratio > high))[sample]


def _sums(loss: float, raw: Tensor, clipped: Tensor, masked: Tensor, kl: Tensor, tokens: Tokens, gap: Tensor | None) -> dict[str, float]:
    some = len(raw) > 0
    return {
        "loss": loss,
        "tokens": float(len(raw)),
        "ratio": float(raw.sum()),
        "ratioSquared": float((raw * raw).sum()),
        "ratioMin": float(raw.min()) if some else float("inf"),
        "ratioMax": float(raw.max()) if some else float("-inf"),
        "gap": 0.0 if gap is None else float(gap.sum()),
        "clipped": float(clipped.sum()),
        "masked": float(masked.sum()),
        "kl": float(kl.sum()),
        "entropy": float(tokens.entropy.double().sum()),
    }


NO_SUMS: dict[str, float] = {
    "loss": 0.0,
    "tokens": 0.0,
    "ratio": 0.0,
    "ratioSquared": 0.0,
    "ratioMin": float("inf"),
    "ratioMax": float("-inf"),
    "gap": 0.0,
    "clipped": 0.0,
    "masked": 0.0,
    "kl": 0.0,
    "entropy": 0.0,
}


def add_sums(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    """Sums of two micro-batches as those of both."""
    join = {"ratioMin": min, "ratioMax": max}
    return {name: join[name](a[name], b[name]) if name in join else a[name] + b[name] for name in a}
