"""The loss and gradient of one step, from equations, for the torch trainer to be compared with: python trainer_step.py PLAN.json. Prints one JSON line {loss, gradNorm}.

Shares nothing with python/troupe_trainer: float64, one sequence after the other, every position's logits, the loss written again.
PLAN: {base, objective, denominator, samples: [{ids, sampled, logprobs, advantage}], and either state (a trainer's state directory: every weight trains,
Qwen3 from its equations) or adapter (a peft adapter directory: plain transformers and peft)}.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

import grpo
import qwen3

plan = json.loads(Path(sys.argv[1]).read_text())
base = Path(plan["base"])
objective = plan["objective"]


def whole():
    """Every weight trains: grpo.py on the weights of the state."""
    config = json.loads((base / "config.json").read_text())
    state = load_file(Path(plan["state"]) / "state.safetensors")
    policy = {name.removeprefix("weights."): tensor for name, tensor in state.items() if name.startswith("weights.")}
    notes = json.loads((base / "troupe.json").read_text())
    optim = {"clip": 1e9, "weightDecay": 0.0, "lr": 0.0, "beta1": 0.9, "beta2": 0.95}
    loss, _, norm, _ = grpo.step(policy, load_file(base / "model.safetensors"), config, {**plan, "frozen": notes["frozen"], "optim": optim})
    return loss, norm


def adapted():
    """Only the adapter trains; the base is the same model with it switched off."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64), plan["adapter"], is_trainable=True).double()

    def logprobs(ids):
        logits = model(torch.tensor([ids[:-1]])).logits[0]
        return logits.log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None]).squeeze(1)

    low, high = 1 - objective["clipLow"], 1 + objective["clipHigh"]
    total = 0.0
    for sample in plan["samples"]:
        mask = torch.tensor(sample["sampled"][1:]).bool()
        with torch.no_grad(), model.disable_adapter():
            q = logprobs(sample["ids"])[mask]
        l = logprobs(sample["ids"])[mask]
        b = torch.tensor(sample["logprobs"][1:], dtype=torch.float64)[mask]
        ratio, advantage = (l - b).exp(), sample["advantage"]
        surrogate = torch.minimum(ratio * advantage, ratio.clamp(low, high) * advantage)
        kl = (q - l).exp() - (q - l) - 1
        loss = (-surrogate + objective["kl"] * kl).sum() / plan["denominator"]
        loss.backward()
        total += loss.item()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.requires_grad]
    return total, torch.stack([gradient.norm() for gradient in gradients]).norm().item()


loss, norm = adapted() if "adapter" in plan else whole()
print(json.dumps({"loss": loss, "gradNorm": norm}))
