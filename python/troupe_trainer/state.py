"""What training must remember, in a directory: trained weights, both moments, the count of steps. Knows files; writes nothing that a sampler reads.

The same form as the embedded trainer's (src/gpu/trainers/embedded/service.ts): state.safetensors with `weights.`, `first.` and `second.` before each
parameter's name, all float32, and state.json. So either can go on from the other's state of the same model.
"""

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from .optimiser import Optimiser
from .weights import write_tensors

PARTS = ("weights", "first", "second")


def save_state(directory: Path, optimiser: Optimiser) -> None:
    """Into a directory that must not exist; it appears whole."""
    first, second = optimiser.moments()
    parts: dict[str, dict[str, Tensor]] = {"weights": dict(optimiser.parameters), "first": first, "second": second}
    with new_directory(directory) as partial:
        write_tensors(partial / "state.safetensors", {f"{part}.{name}": tensor for part in PARTS for name, tensor in parts[part].items()})
        (partial / "state.json").write_text(json.dumps({"step": optimiser.steps}) + "\n")


def load_state(directory: Path, optimiser: Optimiser) -> None:
    """ValueError where the state is another model's; then nothing has changed."""
    step = json.loads((directory / "state.json").read_text())["step"]
    found: dict[str, dict[str, Tensor]] = {part: {} for part in PARTS}
    with safe_open(directory / "state.safetensors", framework="pt") as file:
        wanted = {f"{part}.{name}" for part in PARTS for name in optimiser.parameters}
        if set(file.keys()) != wanted:
            raise ValueError(f"{directory} holds the state of another model or adapter")
        for part in PARTS:
            for name, parameter in optimiser.parameters.items():
                tensor = file.get_tensor(f"{part}.{name}")
                if tensor.numel() != parameter.numel():
                    raise ValueError(f"{directory}: {part}.{name} has {tensor.numel()} values, not {parameter.numel()}")
                found[part][name] = tensor
    with torch.no_grad():
        for name, parameter in optimiser.parameters.items():
            parameter.copy_(found["weights"][name].reshape(parameter.shape))
    optimiser.restore(int(step), found["first"], found["second"])
    optimiser.clear()


class new_directory:  # noqa: N801 - read as a verb: with new_directory(path) as partial
    """Hands out a temporary directory beside `path` and renames it into place when the block ends well: `path` is whole or absent."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")

    def __enter__(self) -> Path:
        if self._path.exists():
            raise FileExistsError(f"{self._path} exists")
        _remove(self._partial)
        self._partial.mkdir(parents=True)
        return self._partial

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            os.rename(self._partial, self._path)
        else:
            _remove(self._partial)


def _remove(directory: Path) -> None:
    if directory.exists():
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()
