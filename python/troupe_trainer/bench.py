"""How fast a step is and how much memory it takes, on a model of a given shape with random weights: `python -m troupe_trainer.bench`.
One JSON line for what was opened, then one a step.

Speed and memory do not depend on the weights' values. Samples come in groups that share a prompt; a share of each is sampled, as in a run.
The defaults are Qwen3-8B on one GPU, 16 tasks of 8 rollouts of 2,048 tokens; `--shape tiny` runs anywhere.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, Qwen3Config

from .adapter import AdapterOptions
from .batch import Batch
from .model import Precision
from .objective import Objective
from .service import describe
from .trainer import Options, Trainer

# Of their config.json on huggingface.co/Qwen.
SHAPES: dict[str, dict[str, Any]] = {
    "qwen3-8b": {
        "vocab_size": 151_936,
        "hidden_size": 4096,
        "intermediate_size": 12_288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
    "qwen3-4b": {
        "vocab_size": 151_936,
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "tie_word_embeddings": True,
    },
    "qwen3-0.6b": {
        "vocab_size": 151_936,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "tie_word_embeddings": True,
    },
    "tiny": {
        "vocab_size": 4096,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "tie_word_embeddings": True,
    },
}


def random_model(shape: str, tokens: int) -> Callable[[Path, Precision], PreTrainedModel]:
    """In place of a model directory: weights drawn on the device itself."""
    config = Qwen3Config(**{"head_dim": 128, "rope_theta": 1e6, **SHAPES[shape]}, max_position_embeddings=max(40_960, tokens))

    def open_module(_directory: Path, precision: Precision) -> PreTrainedModel:
        torch.manual_seed(0)
        with torch.device(precision.device):
            return AutoModelForCausalLM.from_config(config, dtype=precision.storage, attn_implementation="sdpa")

    return open_module


def random_batch(args: argparse.Namespace, vocabulary: int) -> Batch:
    """Groups of one prompt; lengths from half to all of `--tokens`, or all alike with `--even`."""
    chance = np.random.default_rng(0)
    ids, sampled, lengths = [], [], []
    for _ in range(args.tasks):
        prompt = chance.integers(0, vocabulary, int(args.tokens * (1 - args.sampled)))
        for _ in range(args.group):
            length = args.tokens if args.even else int(chance.integers(max(len(prompt) + 1, args.tokens // 2), args.tokens + 1))
            ids.append(np.concatenate([prompt, chance.integers(0, vocabulary, length - len(prompt))]))
            sampled.append(np.arange(length) >= len(prompt))
            lengths.append(length)
    marks = np.concatenate(sampled).astype(np.uint8)
    return Batch(
        ids=np.concatenate(ids).astype(np.int32),
        sampled=marks,
        logprobs=np.zeros(len(marks), np.float32),
        proximal=None,
        lengths=np.array(lengths, np.int32),
        advantages=chance.normal(size=len(lengths)).astype(np.float32),
        denominator=float(marks.sum()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="qwen3-8b")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--dtype", choices=["auto", "float32", "bfloat16"], default="auto")
    parser.add_argument("--tasks", type=int, default=16)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=2048, help="positions of one trace")
    parser.add_argument("--sampled", type=float, default=0.5, help="share of a trace that the policy sampled")
    parser.add_argument("--even", action="store_true", help="all traces equally long")
    parser.add_argument("--rank", type=int, default=32, help="of the adapter; 0 trains every weight")
    parser.add_argument("--kl", type=float, default=0.001, help="0 spares the base's forward pass")
    parser.add_argument("--micro-batch-tokens", type=int, default=16_384)
    parser.add_argument("--no-checkpointing", action="store_true")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    targets = ("down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj")
    adapter = AdapterOptions(args.rank, 2.0 * args.rank, targets) if args.rank > 0 else None
    precision = Precision.of(args.device, args.dtype, whole=adapter is None)
    options = Options(Path(), args.shape, adapter, precision, not args.no_checkpointing, args.micro_batch_tokens, seed=0)
    started = time.perf_counter()
    trainer = Trainer(options, random_model(args.shape, args.tokens))
    print(json.dumps({"event": "opened", "shape": args.shape, "seconds": round(time.perf_counter() - started, 2), **describe(trainer)}), flush=True)

    batch = random_batch(args, trainer.policy.vocabulary)
    objective = Objective("grpo", 0.2, 0.2, kl=args.kl)
    for step in range(args.steps):
        print(json.dumps(measured(trainer, batch, objective, step, args)), flush=True)


def measured(trainer: Trainer, batch: Batch, objective: Objective, step: int, args: argparse.Namespace) -> dict[str, Any]:
    """One on-policy step: score (what the sampler said), forward-backward, optimiser."""
    cuda = trainer.options.precision.device.type == "cuda"
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = work()
        if cuda:
            torch.cuda.synchronize()
        seconds[name] = round(time.perf_counter() - started, 3)
        return result

    if cuda:
        torch.cuda.reset_peak_memory_stats()
    scores = timed("logprobs", lambda: trainer.logprobs(batch))
    behaviour = batch.logprobs.copy()
    behaviour[np.flatnonzero(batch.sampled)] = scores
    on_policy = Batch(**{**vars(batch), "logprobs": behaviour})
    sums = timed("forwardBackward", lambda: trainer.forward_backward(on_policy, objective)).sums
    norm = timed("optimStep", lambda: trainer.optim_step(1e-5, 0.0, 1.0))
    positions = int(batch.lengths.sum())
    trained = seconds["forwardBackward"] + seconds["optimStep"]
    peak = torch.cuda.max_memory_allocated() if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    reserved = torch.cuda.max_memory_reserved() if cuda else peak
    return {
        "event": "step",
        "step": step,
        "traces": len(batch.lengths),
        "positions": positions,
        "sampled": batch.tokens,
        "microBatchTokens": args.micro_batch_tokens,
        "kl": args.kl,
        "checkpointing": not args.no_checkpointing,
        "seconds": seconds,
        "tokensPerSecond": round(positions / trained),
        "peakBytes": peak,
        "reservedBytes": reserved,
        "loss": sums["loss"],
        "gradNorm": norm,
    }


if __name__ == "__main__":
    main()
