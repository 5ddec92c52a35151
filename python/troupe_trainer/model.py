"""The transformer that is trained, or held against it: a causal language model of transformers, taken apart into backbone and head.
Knows no adapter, loss or optimiser.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging

# What it says goes to a log, where a progress bar is noise.
logging.disable_progress_bar()

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Precision:
    """`storage` of the weights; `compute` of the activations. They differ where bfloat16 is computed in and every weight is trained:
    a bfloat16 weight would not move by an update of 1e-6."""

    device: torch.device
    storage: torch.dtype
    compute: torch.dtype

    @staticmethod
    def of(device: str, dtype: str, whole: bool) -> "Precision":
        """`auto`: a GPU if there is one, bfloat16 there and float32 on a CPU. `whole`: all weights train."""
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise ValueError("there is no CUDA device; set trainer.torch.device to cpu")
        compute = DTYPES[("bfloat16" if device == "cuda" else "float32") if dtype == "auto" else dtype]
        # The adapter's own products stay float32 in name; tensor cores may round their factors to TF32 where all else is bfloat16.
        torch.set_float32_matmul_precision("high" if compute == torch.bfloat16 else "highest")
        return Precision(torch.device("cuda", 0) if device == "cuda" else torch.device(device), torch.float32 if whole else compute, compute)


def open_model(directory: Path, precision: Precision) -> PreTrainedModel:
    """Reads a model directory in Hugging Face form: safetensors only, no code of the directory's own, no network."""
    if not (directory / "config.json").is_file():
        raise ValueError(f"{directory} holds no config.json")
    on_device = {"device_map": precision.device} if precision.device.type == "cuda" else {}
    model, loading = AutoModelForCausalLM.from_pretrained(
        directory,
        dtype=precision.storage,
        attn_implementation="sdpa",
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
        **on_device,
    )
    wrong = sorted(str(key) for kind in ("missing_keys", "mismatched_keys") for key in loading[kind])
    if wrong:
        raise ValueError(f"{directory}: {len(wrong)} tensors are missing or of another shape: {' '.join(wrong[:3])}")
    return model


class Policy:
    """A causal language model whose hidden states can be asked for, and whose head is a plain matrix."""

    def __init__(self, module: PreTrainedModel, precision: Precision, *, checkpointing: bool = False) -> None:
        self.module = module
        self.precision = precision
        self.backbone: nn.Module = module.base_model
        self.head: nn.Module = module.get_output_embeddings()
        _refuse_other_heads(module, self.head)
        _without_dropout(module)
        module.config.use_cache = False
        if checkpointing:
            module.gradient_checkpointing_enable({"use_reentrant": False})
        # Checkpointing is off in eval mode; nothing else differs, dropout being 0.
        module.train()

    @property
    def vocabulary(self) -> int:
        """Rows of the head; the ids the model knows are below it."""
        return self.head.weight.shape[0]

    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by Hugging Face name, a tied head once."""
        return {name: parameter for name, parameter in self.module.named_parameters() if parameter.requires_grad}

    def hidden(self, ids: Tensor) -> Tensor:
        """ids [rows, width] -> the last layer's output after its norm, [rows * width, hidden].
        No mask: rows are padded on the right, behind everything that counts, and attention without a mask takes the fast kernels."""
        with self._casting():
            states = self.backbone(input_ids=ids, use_cache=False).last_hidden_state
        return states.flatten(0, 1).to(self.head.weight.dtype)

    def _casting(self) -> AbstractContextManager[object]:
        precision = self.precision
        if precision.compute == precision.storage:
            return nullcontext()
        return torch.autocast(precision.device.type, dtype=precision.compute)


def _refuse_other_heads(module: PreTrainedModel, head: nn.Module) -> None:
    """log softmax(h W^T) is what is computed here: a head that does more would be computed wrongly in silence."""
    if type(head) is not nn.Linear or head.bias is not None:
        raise ValueError(f"the head of {type(module).__name__} is no plain matrix")
    for name in ("final_logit_softcapping", "logits_scaling", "logit_scale", "lm_head_multiplier"):
        if getattr(module.config, name, None) not in (None, 1, 1.0):
            raise ValueError(f"{type(module).__name__} scales its logits ({name}); the trainer does not")


def _without_dropout(module: PreTrainedModel) -> None:
    """Ratios compare the same function twice: nothing in it may be drawn by chance."""
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        if isinstance(getattr(part, "attention_dropout", None), float):
            part.attention_dropout = 0.0
