"""Computes again, in transformers and PyTorch, what dump.mjs wrote: python compare.py OUT. Prints one line per check; the exit code is the number that failed."""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

import grpo
import qwen3

logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(2)
out = Path(sys.argv[1])
read = lambda name: json.loads((out / name).read_text())
failed = 0


def check(name, value, bound, detail=""):
    """`value` must be at most `bound`; NaN fails."""
    global failed
    ok = value <= bound
    failed += not ok
    shown = f"{value:.2e} <= {bound:.0e}" if isinstance(bound, float) else f"{value} <= {bound}"
    print(f"{'ok  ' if ok else 'FAIL'} {name:<66} {shown} {detail}", flush=True)


def relative(ours, theirs):
    ours, theirs = ours.double().flatten(), theirs.double().flatten()
    return ((ours - theirs).norm() / theirs.norm().clamp_min(1e-30)).item()


def logprobs(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None]).squeeze(1)


conversations, sequences = read("conversations.json"), read("sequences.json")
for name in read("manifest.json")["models"]:
    directory = out / "models" / name
    model, loading = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32, output_loading_info=True)
    model.eval()
    check(f"{name}: loads in AutoModelForCausalLM, keys that do not fit", sum(len(keys) for keys in loading.values()), 0, type(model).__name__)
    ours = json.loads((directory / "config.json").read_text())
    theirs = json.loads(AutoConfig.from_pretrained(directory).to_json_string(use_diff=False))
    # rope_theta at the top is what transformers 4 reads; 5 has it in rope_parameters only.
    differing = [key for key in ours if key != "rope_theta" and ours[key] != theirs.get(key)]
    check(f"{name}: config.json, keys that transformers would write otherwise", len(differing), 0, " ".join(differing))

    scores = load_file(out / f"{name}.scores.safetensors")
    theirs = torch.cat([logprobs(model, ids) for ids in sequences])
    for build in ("relaxed", "plain"):
        if f"{build}.forward" not in scores:
            print(f"skip {name}: this Node has no {build} build")
            continue
        check(f"{name}: log-probs of {len(theirs)} tokens, {build} build, max |difference|", (scores[f"{build}.forward"] - theirs).abs().max().item(), 1e-4)
        samples = read(f"{name}.{build}.samples.json")
        sampled = torch.cat([logprobs(model, ids)[19:] for ids in samples])
        check(f"{name}: log-probs of {len(sampled)} sampled tokens, {build} build", (scores[f"{build}.sampled"] - sampled).abs().max().item(), 1e-4)

    tensors, config = load_file(directory / "model.safetensors"), json.loads((directory / "config.json").read_text())
    equations = qwen3.forward({key: value.double() for key, value in tensors.items()}, config, sequences[0])
    with torch.no_grad():
        logits = model(torch.tensor([sequences[0]])).logits[0]
    check(f"{name}: logits of the reference's equations against transformers", (equations - logits).abs().max().item(), 1e-4)

    tokenizer = AutoTokenizer.from_pretrained(directory)
    wrong = sum(tokenizer.encode(one["text"]) != one["ids"] for one in conversations)
    check(f"{name}: tokenisation of {len(conversations)} conversations, different", wrong, 0)
    wrong = sum(tokenizer.decode(one["ids"]) != one["text"] for one in conversations)
    check(f"{name}: decoding of {len(conversations)} conversations, different", wrong, 0)
    render = lambda messages, one, prompt: tokenizer.apply_chat_template(messages, tools=one["tools"], add_generation_prompt=prompt, return_dict=False)
    wrong = [i for i, one in enumerate(conversations) if render(one["messages"], one, False) != one["ids"]]
    check(f"{name}: chat template on {len(conversations)} conversations, different", len(wrong), 0, str(wrong[:5]) if wrong else "")
    wrong = [i for i, one in enumerate(conversations) if render(one["messages"][:2], one, True) != one["prompt"]]
    check(f"{name}: chat template on {len(conversations)} first prompts, different", len(wrong), 0, str(wrong[:5]) if wrong else "")

eager = AutoModelForCausalLM.from_pretrained(out / "models/fresh", attn_implementation="eager")
with torch.no_grad():
    attention = eager(torch.tensor([sequences[0]]), output_attentions=True).attentions[0][0]
mass = min(attention[head].diagonal(-(head + 1)).min().item() for head in (0, 1))
check("fresh: attention that heads 0 and 1 of layer 0 miss their token by", 1 - mass, 1e-2)

plan, ours = read("grpo.json"), load_file(out / "grpo.safetensors")
directories = [out / "models" / name for name in ("policy", "fresh")]
policy, base = (load_file(directory / "model.safetensors") for directory in directories)
config = json.loads((directories[0] / "config.json").read_text())
loss, gradients, norm, after = grpo.step(policy, base, config, plan)
check("GRPO step: loss, relative", abs(plan["loss"] - loss) / abs(loss), 1e-4, f"{loss:.6f}, {len(plan['samples'])} rollouts in {plan['shards']} shards")
check("GRPO step: gradient norm, relative", abs(plan["gradNorm"] - norm) / norm, 1e-4, f"{norm:.4f}, clipped to {plan['optim']['clip']}")
worst = max(gradients, key=lambda name: relative(ours[f"gradient.{name}"], gradients[name]))
check(f"GRPO step: gradient of each of {len(gradients)} tensors, worst relative", relative(ours[f"gradient.{worst}"], gradients[worst]), 1e-4, worst)
worst = max(after, key=lambda name: relative(ours[f"weight.{name}"], after[name]))
check(f"GRPO step: weights after AdamW of {len(after)} tensors, worst relative", relative(ours[f"weight.{worst}"], after[worst]), 1e-4, worst)
move = lambda name, weights: weights.double().flatten() - policy[name].double().flatten()
step = lambda name: relative(move(name, ours[f"weight.{name}"]), move(name, after[name])) if move(name, after[name]).any() else 0.0
worst = max(after, key=step)
# AdamW's first step is the sign of the gradient: where that is a rounding error, so is the sign. Weights bound what matters; this bounds how many such entries there are.
check("GRPO step: the move itself, worst relative", step(worst), 1e-2, worst)
print(f"{failed} checks failed" if failed else "all checks passed")
sys.exit(min(failed, 100))
