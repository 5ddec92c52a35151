"""A whole model directory, as src/gpu/weights.ts and vLLM read it: the base's own files beside new weights. Knows files; computes nothing."""

import hashlib
import json
import shutil
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.pt", "*.pth", "*.gguf")
"""Of the base's files those that are replaced or never used."""


def frozen_rows(directory: Path) -> dict[str, int]:
    """Parameter -> first rows that stay as they are, from troupe.json; none where that is absent."""
    path = directory / "troupe.json"
    if not path.is_file():
        return {}
    return {entry["name"]: int(entry["rows"]) for entry in json.loads(path.read_text())["frozen"]}


def write_model(directory: Path, base: Path, version: int, parameters: dict[str, nn.Parameter], frozen: dict[str, int]) -> Path:
    """Into a directory that exists; returns the weights' path. Equal weights give equal bytes."""
    for file in sorted(base.iterdir()):
        if file.is_file() and not file.name.startswith(".") and not any(file.match(pattern) for pattern in WEIGHTS):
            shutil.copyfile(file, directory / file.name)
    config = json.loads((base / "config.json").read_text())
    written = {key: "float32" if key in ("dtype", "torch_dtype") else value for key, value in config.items()}
    if written != config:
        (directory / "config.json").write_text(json.dumps(written, indent=2) + "\n")
    notes = {"version": version, "frozen": [{"name": name, "rows": rows} for name, rows in frozen.items()]}
    (directory / "troupe.json").write_text(json.dumps(notes, indent=2) + "\n")
    tensors = {name: parameter.detach().float().cpu().contiguous() for name, parameter in parameters.items()}
    path = directory / "model.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
