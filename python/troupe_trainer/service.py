"""The sidecar's loop: one frame asks, one frame answers, in order. Knows verbs and their arguments' names; no model and no byte.

Frames: {id, verb, args} -> {id, ok} | {id, fault: {kind, message}}. The first verb is `open`; its answer says what was opened, and on what.
A fault's kind is whose it is: `config` (what was to be opened cannot be), `record` (a file cannot be written or read), `trainer`. Its trace goes to stderr.
When stdin ends the process ends at once, even in the middle of a step: whoever asked is gone.
"""

import os
import platform
import queue
import threading
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError

from .adapter import AdapterOptions
from .batch import Batch
from .model import Precision
from .objective import Objective
from .trainer import Options, Pass, Trainer
from .wire import read_frame, wire_array, write_frame

Verb = Callable[[dict[str, Any]], Any]


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answers until stdin ends. Whatever a verb raises is its answer; a stream that is none ends the process with code 2."""
    calls: queue.Queue[dict[str, Any]] = queue.Queue(maxsize=64)
    threading.Thread(target=_read, args=(stdin, calls), daemon=True).start()
    verbs: dict[str, Verb] = {"open": lambda args: _open(verbs, args)}
    while True:
        call = calls.get()
        write_frame(stdout, {"id": call["id"], **_answer(verbs, call)})


def _read(stdin: BinaryIO, calls: "queue.Queue[dict[str, Any]]") -> None:
    """Reads ahead in a thread of its own, so that the end of stdin is seen while a verb runs."""
    try:
        while (call := read_frame(stdin)) is not None:
            calls.put(call)
    except BaseException:
        traceback.print_exc()
        os._exit(2)
    os._exit(0)


def _answer(verbs: dict[str, Verb], call: dict[str, Any]) -> dict[str, Any]:
    """The one place that turns what was raised into data."""
    opening = call["verb"] == "open"
    try:
        verb = verbs.get(call["verb"])
        if verb is None:
            raise ValueError(f"there is no verb {call['verb']}, or nothing is open")
        return {"ok": verb(call["args"])}
    except torch.cuda.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        fix = "--dry-run prints how the card is divided" if opening else "a smaller trainer.microBatchTokens needs less"
        return _fault("config" if opening else "trainer", f"out of GPU memory; {fix}: {error}")
    except (OSError, SafetensorError) as error:
        full = "No space left" in str(error)
        return _fault("config" if opening else "record", f"{error}{'; free some space, then resume the run' if full else ''}")
    except Exception as error:
        return _fault("config", str(error)) if opening else _fault("trainer", f"{type(error).__name__}: {error}")


def _fault(kind: str, message: str) -> dict[str, Any]:
    """Called where it was raised: whoever looks for the reason finds the trace in the log."""
    traceback.print_exc()
    return {"fault": {"kind": kind, "message": message[:2000]}}


def _open(verbs: dict[str, Verb], args: dict[str, Any]) -> dict[str, Any]:
    """Makes the trainer and its verbs; answers what it runs on."""
    torch.set_num_threads(int(args["threads"]))
    adapter = None if args["adapter"] is None else AdapterOptions.of(args["adapter"])
    options = Options(
        model=Path(args["model"]),
        base=args["base"],
        adapter=adapter,
        precision=Precision.of(args["device"], args["dtype"], whole=adapter is None),
        checkpointing=bool(args["gradientCheckpointing"]),
        micro_batch_tokens=int(args["microBatchTokens"]),
        seed=int(args["seed"]),
    )
    trainer = Trainer(options)
    verbs.clear()
    verbs.update(_verbs(trainer))
    return describe(trainer)


def _verbs(trainer: Trainer) -> dict[str, Verb]:
    def batch(args: dict[str, Any]) -> Batch:
        return Batch.of(args["batch"], trainer.policy.vocabulary)

    return {
        "forward_backward": lambda args: _passed(trainer.forward_backward(batch(args), Objective.of(args["objective"]))),
        "optim_step": lambda args: {"gradNorm": trainer.optim_step(args["learningRate"], args["weightDecay"], args["clip"])},
        "logprobs": lambda args: wire_array(trainer.logprobs(batch(args))),
        "save_weights": lambda args: trainer.save_weights(Path(args["dir"]), int(args["version"])),
        "save_state": lambda args: trainer.save_state(Path(args["dir"])),
        "load_state": lambda args: trainer.load_state(Path(args["dir"])),
    }


def _passed(seen: Pass) -> dict[str, Any]:
    return {"sums": seen.sums, "logprobs": wire_array(seen.logprobs), "entropy": wire_array(seen.entropy)}


def describe(trainer: Trainer) -> dict[str, Any]:
    """Versions, device, number format and sizes: for logs, doctor and the bench."""
    precision = trainer.options.precision
    cuda = precision.device.type == "cuda"
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "peft": version("peft"),
        "device": torch.cuda.get_device_name(precision.device) if cuda else "cpu",
        "dtype": str(precision.compute).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "vocabulary": trainer.policy.vocabulary,
        "parameters": sum(parameter.numel() for parameter in trainer.policy.module.parameters()),
        "trained": sum(parameter.numel() for parameter in trainer.policy.parameters().values()),
        "memoryBytes": torch.cuda.memory_allocated(precision.device) if cuda else _resident(),
    }


def _resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE")
