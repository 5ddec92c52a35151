"""A LoRA adapter on a frozen base: attached, switched off for the KL's reference, written as peft and vLLM read it. Knows peft; no loss and no optimiser.

W + (alpha / rank) B A, A drawn and B = 0 (LoRA, arXiv 2106.09685 section 4.1): the policy begins as the base. A and B are float32 whatever the base is.
"""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from transformers import PreTrainedModel

from .weights import write_tensors


@dataclass(frozen=True)
class AdapterOptions:
    rank: int
    alpha: float
    targets: tuple[str, ...]

    @staticmethod
    def of(args: Mapping[str, Any]) -> "AdapterOptions":
        return AdapterOptions(int(args["rank"]), float(args["alpha"]), tuple(sorted(args["targets"])))


class Adapter:
    def __init__(self, module: PreTrainedModel, options: AdapterOptions, base: str, seed: int) -> None:
        """Freezes `module` and puts the adapter into its layers. `base` is what adapter_config.json names as the model it belongs to."""
        self.options = options
        self.base = base
        torch.manual_seed(seed)
        config = LoraConfig(
            r=options.rank,
            # A whole number as one: vLLM and older pefts declare an int.
            lora_alpha=int(options.alpha) if options.alpha == int(options.alpha) else options.alpha,
            target_modules=list(options.targets),
            lora_dropout=0.0,
            bias="none",
            task_type="CAUSAL_LM",
        )
        self._peft: PeftModel = get_peft_model(module, config, autocast_adapter_dtype=True)

    def off(self) -> AbstractContextManager[object]:
        """Within it the model is its base."""
        return self._peft.disable_adapter()

    def write(self, directory: Path) -> Path:
        """adapter_config.json and adapter_model.safetensors into a directory that exists; returns the latter's path. Equal weights give equal bytes."""
        (directory / "adapter_config.json").write_text(json.dumps(self._config(), indent=2, sort_keys=True) + "\n")
        return write_tensors(directory / "adapter_model.safetensors", get_peft_model_state_dict(self._peft))

    def _config(self) -> dict[str, Any]:
        """As peft writes it, with the modules named: where target_modules is null, peft guesses and silently loads a part."""
        written = {name: sorted(value) if isinstance(value, set) else value for name, value in self._peft.peft_config["default"].to_dict().items()}
        return {**written, "base_model_name_or_path": self.base, "target_modules": list(self.options.targets), "inference_mode": True}
