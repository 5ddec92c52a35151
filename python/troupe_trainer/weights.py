"""A whole model directory, as src/gpu/weights.ts and vLLM read it: the base's own files beside new weights. Knows files; computes nothing."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

KEPT = ("config.json", "generation_config.json", "tokenizer*", "vocab.*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.jinja")
"""Of the base's files those that hold for the trained model too; where it came from does not."""


def frozen_rows(directory: Path) -> dict[str, int]:
    """Parameter -> first rows that stay as they are, from troupe.json; none where that is absent."""
    path = directory / "troupe.json"
    if not path.is_file():
        return {}
    return {entry["name"]: int(entry["rows"]) for entry in json.loads(path.read_text())["frozen"]}


def write_model(directory: Path, base: Path, version: int, parameters: Mapping[str, Tensor], frozen: dict[str, int]) -> Path:
    """Into a directory that exists; returns the weights' path. Equal weights give equal bytes."""
    for file in sorted(base.iterdir()):
        if file.is_file() and any(file.match(pattern) for pattern in KEPT):
            shutil.copyfile(file, directory / file.name)
    config = json.loads((base / "config.json").read_text())
    written = {key: "float32" if key in ("dtype", "torch_dtype") else value for key, value in config.items()}
    if written != config:
        (directory / "config.json").write_text(json.dumps(written, indent=2) + "\n")
    notes = {"version": version, "frozen": [{"name": name, "rows": rows} for name, rows in frozen.items()]}
    (directory / "troupe.json").write_text(json.dumps(notes, indent=2) + "\n")
    return write_tensors(directory / "model.safetensors", parameters)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> Path:
    """One safetensors file, readable by whoever may read the folder: the library alone would shut out a sampler of another user."""
    save_file({name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}, path, metadata={"format": "pt"})
    path.chmod(0o644)
    return path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
