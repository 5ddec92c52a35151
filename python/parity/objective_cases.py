"""Evaluates the torch trainer's objective on the cases of a file: python objective_cases.py CASES.json. Prints one JSON line [{gradient, sums}]: test/stages/python compares with objective.ts."""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from troupe_trainer.objective import Objective, Tokens, evaluate  # noqa: E402 - found only now

results = []
for case in json.loads(Path(sys.argv[1]).read_text()):
    tokens = {name: None if values is None else torch.tensor(values, dtype=torch.float32) for name, values in case["tokens"].items()}
    logprobs = tokens["logprobs"].requires_grad_()
    sizes = torch.tensor(case["bounds"]).diff()
    loss, sums = evaluate(
        Objective.of(case["objective"]),
        Tokens(
            logprobs=logprobs,
            behaviour=tokens["behaviour"],
            advantages=tokens["advantages"],
            sample=torch.arange(len(sizes)).repeat_interleave(sizes),
            reference=tokens["reference"],
            proximal=tokens["proximal"],
            entropy=tokens["entropy"],
            denominator=case["denominator"],
        ),
    )
    loss.backward()
    results.append({"gradient": logprobs.grad.tolist(), "sums": sums})
print(json.dumps(results))
