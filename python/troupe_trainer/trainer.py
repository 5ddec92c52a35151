"""The verbs of a trainer on a model: accumulate a gradient, step, score, save, go on. Knows tensors and directories; no wire.

The contract is src/gpu/trainer.ts. The KL's reference is the policy without its adapter, or, where all weights train, a second copy of what it began with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from .adapter import Adapter, AdapterOptions
from .batch import Batch, MicroBatch, micro_batches
from .logprobs import CHUNK, token_logprobs
from .model import Policy, Precision, open_model
from .objective import NO_SUMS, Objective, Tokens, add_sums, evaluate
from .optimiser import Optimiser
from .state import load_state, new_directory, save_state
from .weights import frozen_rows, sha256_of, write_model


@dataclass(frozen=True)
class Options:
    """`base`: the model's name in what is written, so that equal runs write equal files wherever they lie. `adapter` None: all weights train.
    `micro_batch_tokens` bounds memory and fixes the order of summation."""

    model: Path
    base: str
    adapter: AdapterOptions | None
    precision: Precision
    checkpointing: bool
    micro_batch_tokens: int
    seed: int


@dataclass(frozen=True)
class Pass:
    """What one pass saw, under the weights as they were: sums over its tokens, and of each sampled token, in batch order, log-prob and entropy."""

    sums: dict[str, float]
    logprobs: np.ndarray  # [sampled tokens] float32, nats
    entropy: np.ndarray  # [sampled tokens] float32, nats


class Trainer:
    def __init__(self, options: Options, open_module: Callable[[Path, Precision], PreTrainedModel] = open_model) -> None:
        self.options = options
        self._open = open_module
        module = open_module(options.model, options.precision)
        self.adapter = None if options.adapter is None else Adapter(module, options.adapter, options.base, options.seed)
        self.policy = Policy(module, options.precision, checkpointing=options.checkpointing)
        self._base: Policy | None = None
        self.optimiser = Optimiser(self.policy.parameters(), {} if self.adapter else frozen_rows(options.model))

    def forward_backward(self, batch: Batch, objective: Objective) -> Pass:
        """Adds the objective's gradient over the batch. A failure leaves no gradient behind, this batch's or an earlier one's."""
        sums = dict(NO_SUMS)
        seen, entropies = (np.zeros(batch.tokens, np.float32) for _ in range(2))
        try:
            for micro in self._cut(batch):
                reference = self._reference(micro) if objective.kl > 0 else None
                logprobs, entropy = self._score(self.policy, micro)
                loss, part = evaluate(
                    objective,
                    Tokens(
                        logprobs=logprobs,
                        behaviour=micro.behaviour,
                        advantages=micro.advantages,
                        sample=micro.row,
                        reference=reference,
                        proximal=micro.proximal,
                        entropy=entropy,
                        denominator=micro.denominator,
                    ),
                )
                loss.backward()
                sums = add_sums(sums, part)
                places = micro.places.cpu().numpy()
                seen[places] = logprobs.detach().cpu().numpy()
                entropies[places] = entropy.cpu().numpy()
        except BaseException:
            self.optimiser.clear()
            raise
        return Pass(sums, seen, entropies)

    def optim_step(self, learning_rate: float, weight_decay: float, clip: float) -> float:
        """The gradient's norm before the bound."""
        norm = self.optimiser.step(learning_rate, weight_decay, clip)
        self._release()
        return norm

    @torch.no_grad()
    def logprobs(self, batch: Batch) -> np.ndarray:
        """[sampled tokens of the batch] float32, in batch order."""
        scores = np.zeros(batch.tokens, np.float32)
        for micro in self._cut(batch):
            logprobs, _ = self._score(self.policy, micro)
            scores[micro.places.cpu().numpy()] = logprobs.cpu().numpy()
        self._release()
        return scores

    def save_weights(self, directory: Path, version: int) -> dict[str, Any]:
        """Writes what a sampler loads: an adapter, or the whole model. Returns kind and sha256 of the safetensors file."""
        with new_directory(directory) as partial:
            if self.adapter is None:
                path = write_model(partial, self.options.model, version, self.policy.parameters(), self.optimiser.frozen)
            else:
                path = self.adapter.write(partial)
            return {"kind": "full" if self.adapter is None else "lora", "sha256": sha256_of(path)}

    def save_state(self, directory: Path) -> None:
        save_state(directory, self.optimiser)

    def load_state(self, directory: Path) -> None:
        load_state(directory, self.optimiser)

    def _cut(self, batch: Batch) -> list[MicroBatch]:
        return micro_batches(batch, self.options.micro_batch_tokens, self.options.precision.device)

    def _score(self, policy: Policy, micro: MicroBatch) -> tuple[Tensor, Tensor]:
        """Only positions whose next token was sampled reach the head."""
        hidden = policy.hidden(micro.ids).index_select(0, micro.at)
        return token_logprobs(hidden, policy.head.weight, micro.targets, CHUNK)

    @torch.no_grad()
    def _reference(self, micro: MicroBatch) -> Tensor:
        if self.adapter is not None:
            with self.adapter.off():
                return self._score(self.policy, micro)[0]
        if self._base is None:
            module = self._open(self.options.model, self.options.precision)
            self._base = Policy(module.requires_grad_(False), self.options.precision)
        return self._score(self._base, micro)[0]

    def _release(self) -> None:
        """Between steps the GPU's memory is the sampler's: the allocator gives back what it holds in reserve."""
        if self.options.precision.device.type == "cuda":
            torch.cuda.empty_cache()
