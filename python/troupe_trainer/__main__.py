"""Starts the sidecar: stdin and stdout are the wire, and nothing else may write there."""

import os
import sys

# Libraries print to descriptor 1, C code included: the wire moves to a descriptor of its own before any is loaded.
wire = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
sys.stdout = sys.stderr

from .service import serve  # noqa: E402 - after the wire is safe

serve(sys.stdin.buffer, wire)
