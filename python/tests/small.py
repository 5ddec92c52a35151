"""A Qwen3 of a few thousand random weights in a directory, and batches for it."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from troupe_trainer.adapter import AdapterOptions
from troupe_trainer.batch import Batch
from troupe_trainer.model import Precision
from troupe_trainer.trainer import Options, Trainer

TARGETS = ("down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj")
LORA = AdapterOptions(rank=8, alpha=16, targets=TARGETS)


_folders: list[tempfile.TemporaryDirectory[str]] = []


def folder() -> Path:
    """An empty folder that goes when the process does."""
    _folders.append(tempfile.TemporaryDirectory(prefix="troupe-small-"))
    return Path(_folders[-1].name)


def model_directory(vocabulary: int = 300, *, tied: bool = True) -> Path:
    torch.manual_seed(1)
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=1024,
        tie_word_embeddings=tied,
        initializer_range=0.3,
    )
    directory = folder()
    Qwen3ForCausalLM(config).save_pretrained(directory)
    return directory


def trainer(directory: Path, *, adapter: AdapterOptions | None = LORA, dtype: str = "float32", checkpointing: bool = False, most: int = 128) -> Trainer:
    precision = Precision.of("cpu", dtype, whole=adapter is None)
    return Trainer(Options(directory, "small", adapter, precision, checkpointing, most, seed=3))


def batch(lengths: list[tuple[int, int]], vocabulary: int = 300, seed: int = 0) -> Batch:
    """(prompt, reply) lengths of each sample; replies sampled, behaviour near what a random model says."""
    chance = np.random.default_rng(seed)
    sizes = [prompt + reply for prompt, reply in lengths]
    sampled = np.concatenate([np.arange(prompt + reply) >= prompt for prompt, reply in lengths]).astype(np.uint8)
    return Batch(
        ids=chance.integers(0, vocabulary, sum(sizes)).astype(np.int32),
        sampled=sampled,
        logprobs=np.where(sampled, -6.0, 0.0).astype(np.float32),
        proximal=None,
        lengths=np.array(sizes, np.int32),
        advantages=chance.normal(size=len(lengths)).astype(np.float32),
        denominator=float(sampled.sum()),
    )


def part(whole: Batch, index: int) -> Batch:
    """One sample of a batch, under the whole's denominator."""
    start, length = int(whole.starts()[index]), int(whole.lengths[index])
    cut = slice(start, start + length)
    return Batch(whole.ids[cut], whole.sampled[cut], whole.logprobs[cut], None, whole.lengths[[index]], whole.advantages[[index]], whole.denominator)
