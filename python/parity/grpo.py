"""One GRPO step from its equations, in float64: loss, gradients, clipped AdamW update. Knows no packing, no shared prefixes and no threads.

Loss: -sum min(r A, clip(r, 1 - low, 1 + high) A) / N + beta sum (e^(q - l) - (q - l) - 1) / N with r = e^(l - b), over sampled tokens;
l, b, q: log-probs of policy, sampler and base; A: the rollout's advantage; N: the sampled tokens of the step.
"""

import torch

import qwen3


def step(policy, base, config, plan):
    """Returns loss, gradients by name, the norm before clipping, and the weights after one step."""
    weights = {name: tensor.double().requires_grad_() for name, tensor in policy.items()}
    base = {name: tensor.double() for name, tensor in base.items()}
    objective, optim = plan["objective"], plan["optim"]
    low, high = 1 - objective["clipLow"], 1 + objective["clipHigh"]
    total = 0.0
    for sample in plan["samples"]:
        mask = torch.tensor(sample["sampled"][1:]).bool()
        l = qwen3.logprobs(weights, config, sample["ids"])[mask]
        with torch.no_grad():
            q = qwen3.logprobs(base, config, sample["ids"])[mask]
        b = torch.tensor(sample["logprobs"][1:], dtype=torch.float64)[mask]
        ratio, advantage = (l - b).exp(), sample["advantage"]
        surrogate = torch.minimum(ratio * advantage, ratio.clamp(low, high) * advantage)
        kl = (q - l).exp() - (q - l) - 1
        loss = (-surrogate + objective["kl"] * kl).sum() / plan["denominator"]
        loss.backward()
        total += loss.item()
    gradients = {name: tensor.grad.clone() for name, tensor in weights.items()}
    frozen = {entry["name"]: entry["rows"] for entry in plan["frozen"]}
    kept = {name: weights[name].detach()[:rows].clone() for name, rows in frozen.items()}
    for name, rows in frozen.items():
        weights[name].grad[:rows] = 0
    norm = torch.nn.utils.clip_grad_norm_(weights.values(), optim["clip"]).item()
    decayed = [tensor for tensor in weights.values() if tensor.dim() > 1]
    plain = [tensor for tensor in weights.values() if tensor.dim() == 1]
    groups = [{"params": decayed, "weight_decay": optim["weightDecay"]}, {"params": plain, "weight_decay": 0.0}]
    torch.optim.AdamW(groups, lr=optim["lr"], betas=(optim["beta1"], optim["beta2"]), eps=1e-8).step()
    after = {name: tensor.detach().clone() for name, tensor in weights.items()}
    for name, rows in frozen.items():
        after[name][:rows] = kept[name]
    return total, gradients, norm, after
