"""Frames over two byte streams: u32 little-endian length, then that many bytes of MessagePack. Knows no verb, no tensor and no model.

A typed array travels as {"dtype": name, "data": bytes}, little-endian as every machine this runs on.
"""

import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import msgpack
import numpy as np

FRAME_LIMIT = 1 << 30
"""Bytes of one frame at most; the other side has the same bound."""

DTYPES = {"float32": np.float32, "int32": np.int32, "uint8": np.uint8}

_LENGTH = struct.Struct("<I")


class WireError(Exception):
    """The bytes are no frame of this protocol: the stream cannot be followed any further."""


def read_frame(stream: BinaryIO) -> Any:
    """The next value, or None where the stream ends between two frames. Raises WireError where it ends inside one or holds something else."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise WireError("the stream ends inside a frame's length")
    (length,) = _LENGTH.unpack(head)
    if length > FRAME_LIMIT:
        raise WireError(f"a frame of {length} bytes; the limit is {FRAME_LIMIT}")
    body = stream.read(length)
    if len(body) < length:
        raise WireError(f"the stream ends {length - len(body)} bytes before its frame does")
    try:
        return msgpack.unpackb(body, raw=False, max_bin_len=FRAME_LIMIT)
    except Exception as error:
        raise WireError(f"not a readable frame: {error}") from error


def write_frame(stream: BinaryIO, value: Any) -> None:
    """Raises WireError for a value that cannot travel; then nothing was written."""
    try:
        body = msgpack.packb(value, use_bin_type=True)
    except Exception as error:
        raise WireError(f"cannot be packed: {error}") from error
    if len(body) > FRAME_LIMIT:
        raise WireError(f"a frame of {len(body)} bytes; the limit is {FRAME_LIMIT}")
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def array_of(value: Mapping[str, Any], dtype: str) -> np.ndarray:
    """The array of a wire value, one-dimensional and read-only; TypeError unless it has that element type."""
    if value["dtype"] != dtype:
        raise TypeError(f"an array of {value['dtype']} where {dtype} was expected")
    return np.frombuffer(value["data"], dtype=DTYPES[dtype])


def wire_array(array: np.ndarray) -> dict[str, Any]:
    """The wire value of an array; KeyError for an element type that the protocol lacks."""
    if array.dtype.name not in DTYPES:
        raise KeyError(array.dtype.name)
    return {"dtype": array.dtype.name, "data": np.ascontiguousarray(array).tobytes()}
