"""Starts the sidecar: stdin and stdout are the wire, and nothing else may write there.

Exit code 78 (EX_CONFIG): this Python lacks a package; the last line on stderr says which.
"""

import os
import sys

# Libraries print to descriptor 1, C code included: the wire moves to a descriptor of its own before any is loaded.
wire = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
sys.stdout = sys.stderr

try:
    from .service import serve
except ImportError as error:
    print(f"{sys.executable} lacks what the trainer needs: {error}", file=sys.stderr)
    sys.exit(os.EX_CONFIG)

serve(sys.stdin.buffer, wire)
