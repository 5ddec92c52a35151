"""A batch of token samples and its cut into micro-batches of similar length. Knows arrays and lengths; no model and no loss.

The cut depends on the batch alone, so it fixes the order in which gradients are summed. Nothing behind a sample's last sampled token is computed:
rows 0 .. last - 1 predict ids 1 .. last. Rows are padded on the right, where the causal mask hides the padding from every token that counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .wire import array_of


@dataclass(frozen=True)
class Batch:
    """Samples behind each other; tokens in the order of samples and positions. The nouns are those of src/learning/batch.ts."""

    ids: np.ndarray  # [positions] int32
    sampled: np.ndarray  # [positions] uint8: 1 where the policy sampled the token
    logprobs: np.ndarray  # [positions] float32: the sampler's, where sampled
    proximal: np.ndarray | None  # [positions] float32: the trainer's at the start of the step
    lengths: np.ndarray  # [samples] int32, positions of each sample
    advantages: np.ndarray  # [samples] float32
    denominator: float

    @staticmethod
    def of(args: Mapping[str, Any], vocabulary: int) -> "Batch":
        """From the wire. ValueError where arrays do not fit each other or a token is none of the model's: on a GPU the latter would end the process."""
        proximal = args.get("proximal")
        batch = Batch(
            ids=array_of(args["ids"], "int32"),
            sampled=array_of(args["sampled"], "uint8"),
            logprobs=array_of(args["logprobs"], "float32"),
            proximal=None if proximal is None else array_of(proximal, "float32"),
            lengths=array_of(args["lengths"], "int32"),
            advantages=array_of(args["advantages"], "float32"),
            denominator=float(args["denominator"]),
        )
        positions = int(batch.lengths.sum())
        lists = [batch.ids, batch.sampled, batch.logprobs] + ([] if batch.proximal is None else [batch.proximal])
        if any(len(one) != positions for one in lists) or len(batch.advantages) != len(batch.lengths):
            raise ValueError(f"the arrays of a batch of {len(batch.lengths)} samples and {positions} positions do not fit each other")
        if positions and (int(batch.ids.min()) < 0 or int(batch.ids.max()) >= vocabulary):
            raise ValueError(f"token {batch.ids.min()} or {batch.ids.max()} is not in 0 .. {vocabulary - 1}")
        starts = batch.starts()
        if any(batch.sampled[start] for start, length in zip(starts, batch.lengths, strict=True) if length):
            raise ValueError("a sample begins with a sampled token: nothing predicts it")
        return batch

    def starts(self) -> np.ndarray:
        """Where each sample begins in the arrays of positions."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def tokens(self) -> int:
        """Sampled tokens of the whole batch."""
        return int(self.sampled.sum())


@dataclass(frozen=True)
class MicroBatch:
    """What one forward pass computes; n = its sampled tokens, sample after sample. All on one device."""

    ids: Tensor  # [rows, width] int64, padded with 0 on the right
    at: Tensor  # [n] int64: flat position in [rows, width] whose next token was sampled
    targets: Tensor  # [n] int64: that token
    places: Tensor  # [n] int64: its number among the sampled tokens of the batch
    row: Tensor  # [n] int64: its sample, 0 .. rows - 1
    behaviour: Tensor  # [n] float32
    proximal: Tensor | None  # [n] float32
    advantages: Tensor  # [n] float32
    denominator: float


def micro_batches(batch: Batch, most: int, device: torch.device) -> list[MicroBatch]:
    """The longest first, so that a lack of memory shows at once; rows times width at most `most`, a single longer sample excepted."""
    starts = batch.starts()
    widths = [_width(batch.sampled[start : start + length]) for start, length in zip(starts, batch.lengths, strict=True)]
    counts = [int(batch.sampled[start : start + length].sum()) for start, length in zip(starts, batch.lengths, strict=True)]
    places = np.cumsum(counts) - counts if counts else np.zeros(0, np.int64)
    order = sorted((index for index, width in enumerate(widths) if width > 0), key=lambda index: (-widths[index], index))
    parts: list[list[int]] = []
    for index in order:
        if parts and (len(parts[-1]) + 1) * widths[parts[-1][0]] <= most:
            parts[-1].append(index)
        else:
            parts.append([index])
    return [_micro_batch(batch, part, [(int(starts[i]), widths[i], int(places[i])) for i in part], device) for part in parts]


def _width(sampled: np.ndarray) -> int:
    """Rows the model must compute of a sample: up to the one that predicts its last sampled token."""
    marked = np.flatnonzero(sampled)
    return int(marked[-1]) if len(marked) else 0


def _micro_batch(batch: Batch, part: list[int], cuts: list[tuple[int, int, int]], device: torch.device) -> MicroBatch:
    width = cuts[0][1]
    ids = np.zeros((len(part), width), np.int64)
    at, targets, places, rows, positions = [], [], [], [], []
    for row, (start, own, place) in enumerate(cuts):
        ids[row, :own] = batch.ids[start : start + own]
        marked = np.flatnonzero(batch.sampled[start : start + own + 1])
        at.append(row * width + marked - 1)
        targets.append(batch.ids[start + marked].astype(np.int64))
        places.append(place + np.arange(len(marked)))
        rows.append(np.full(len(marked), row))
        positions.append(start + marked)
    flat = np.concatenate(positions)
    row = np.concatenate(rows)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(array)).to(device)

    return MicroBatch(
        ids=tensor(ids),
        at=tensor(np.concatenate(at)),
        targets=tensor(np.concatenate(targets)),
        places=tensor(np.concatenate(places)),
        row=tensor(row),
        behaviour=tensor(batch.logprobs[flat]),
        proximal=None if batch.proximal is None else tensor(batch.proximal[flat]),
        advantages=tensor(batch.advantages[np.array(part)][row]),
        denominator=batch.denominator,
    )
