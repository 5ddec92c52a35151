"""Training rate of PyTorch on a CPU, to compare ours with: python reference_step.py [threads=2] [repetitions=5 | -]. One JSON line per repetition.

With `-` a repetition runs for each line on stdin, so that a bench can interleave it with its own; the process ends with stdin.
The reference shape: 4 layers, hidden 192, 6 heads of 32 for queries, keys and values alike, feed-forward 512, vocabulary 512, tied head; 32 sequences of 160 tokens;
forward, cross-entropy on every token, backward, AdamW, in float32. Written with torch's own fused norm and attention, which is faster than transformers' modules.
Random weights and tokens: the rate does not depend on them.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

VOCABULARY, HIDDEN, LAYERS, HEADS, DIM, WIDE = 512, 192, 4, 6, 32, 512
BATCH, LENGTH = 32, 160
STEPS = 3

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
wanted = sys.argv[2] if len(sys.argv) > 2 else "5"
torch.set_num_threads(threads)
torch.manual_seed(0)
matrix = lambda rows, cols: torch.nn.Parameter(torch.randn(rows, cols) * cols**-0.5)
norm = lambda width: torch.nn.Parameter(torch.ones(width))
embedding, last = matrix(VOCABULARY, HIDDEN), norm(HIDDEN)
layers = [
    dict(
        n1=norm(HIDDEN), qkv=matrix(3 * HEADS * DIM, HIDDEN), nq=norm(DIM), nk=norm(DIM), o=matrix(HIDDEN, HEADS * DIM),
        n2=norm(HIDDEN), gate_up=matrix(2 * WIDE, HIDDEN), down=matrix(HIDDEN, WIDE),
    )
    for _ in range(LAYERS)
]
parameters = [embedding, last, *(tensor for layer in layers for tensor in layer.values())]
optimizer = torch.optim.AdamW(parameters, lr=1e-4, fused=True)
angles = torch.arange(LENGTH)[:, None] * 1e6 ** (-torch.arange(DIM // 2) / (DIM // 2))
cos, sin = angles.cos(), angles.sin()


def rotate(x):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def step():
    ids = torch.randint(0, VOCABULARY, (BATCH, LENGTH + 1))
    x = F.embedding(ids[:, :-1], embedding)
    for layer in layers:
        heads = F.linear(F.rms_norm(x, (HIDDEN,), layer["n1"], 1e-6), layer["qkv"]).view(BATCH, LENGTH, -1, DIM).transpose(1, 2)
        q, k, v = heads.chunk(3, 1)
        q, k = rotate(F.rms_norm(q, (DIM,), layer["nq"], 1e-6)), rotate(F.rms_norm(k, (DIM,), layer["nk"], 1e-6))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + F.linear(y.transpose(1, 2).reshape(BATCH, LENGTH, -1), layer["o"])
        gate, up = F.linear(F.rms_norm(x, (HIDDEN,), layer["n2"], 1e-6), layer["gate_up"]).chunk(2, -1)
        x = x + F.linear(F.silu(gate) * up, layer["down"])
    logits = F.linear(F.rms_norm(x, (HIDDEN,), last, 1e-6), embedding)
    F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
    optimizer.step()
    optimizer.zero_grad()


def repetition():
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(STEPS):
        step()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    tokens = STEPS * BATCH * LENGTH
    figures = {"tokensPerSecond": round(tokens / wall), "tokensPerCpuSecond": round(tokens / cpu), "seconds": round(wall, 3), "threads": threads}
    print(json.dumps({**figures, "parameters": sum(p.numel() for p in parameters), "torch": torch.__version__}), flush=True)


step()
if wanted == "-":
    for _ in sys.stdin:
        repetition()
else:
    for _ in range(int(wanted)):
        repetition()
