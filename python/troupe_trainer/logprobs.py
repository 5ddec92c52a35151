"""Log-probs and entropies of given tokens from hidden states, a few rows of logits at a time. Knows a head's matrix; no loss and no transformer.

  log pi(t | h) = (h W^T)_t - log sum exp(h W^T),   entropy = -sum pi log pi           all in float32, whatever the precision of h and W

[chunk, vocabulary] is the largest tensor at any moment, forward and backward: the backward pass computes the logits again. A whole batch's logits
(8,192 positions of Qwen3's 151,936 tokens: 5 GB, twice or three times over) never exist.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK = 1024
"""Rows of logits at once."""


def token_logprobs(hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int = CHUNK) -> tuple[Tensor, Tensor]:
    """hidden [n, width], weight [vocabulary, width], targets [n] -> log-probs and entropies, [n] float32; log-probs are differentiable by hidden and weight."""
    return _TokenLogprobs.apply(hidden, weight, targets, chunk)


class _TokenLogprobs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int) -> tuple[Tensor, Tensor]:
        n = len(targets)
        logprobs, entropy, total = (hidden.new_empty(n, dtype=torch.float32) for _ in range(3))
        for start in range(0, n, chunk):
            part = slice(start, start + chunk)
            logits = _logits(hidden[part], weight)
            total[part] = logits.logsumexp(-1)
            logits -= total[part, None]
            logprobs[part] = logits.gather(1, targets[part, None]).squeeze(1)
            entropy[part] = -logits.exp().mul_(logits).sum(-1)
        ctx.save_for_backward(hidden, weight, targets, total)
        ctx.chunk = chunk
        ctx.mark_non_differentiable(entropy)
        return logprobs, entropy

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor, _entropy: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        """d log pi(t) / d logits = onehot(t) - pi."""
        hidden, weight, targets, total = ctx.saved_tensors
        to_hidden = torch.empty_like(hidden)
        to_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        for start in range(0, len(targets), ctx.chunk):
            part = slice(start, start + ctx.chunk)
            to_logits = _logits(hidden[part], weight).sub_(total[part, None]).exp_().mul_(-slope[part, None])
            to_logits.scatter_add_(1, targets[part, None], slope[part, None])
            to_logits = to_logits.to(weight.dtype)
            to_hidden[part] = to_logits @ weight
            if to_weight is not None:
                to_weight.addmm_(to_logits.T, hidden[part])
        return to_hidden, to_weight, None, None


def _logits(hidden: Tensor, weight: Tensor) -> Tensor:
    """h W^T in float32. Sums of bfloat16 products stay float32 up to the result: rounded to bfloat16 a logit of 20 would be off by 0.06."""
    if hidden.dtype == torch.float32:
        return hidden @ weight.T
    if hidden.is_cuda:
        return torch.mm(hidden, weight.T, out_dtype=torch.float32)
    return hidden.float() @ weight.float().T
