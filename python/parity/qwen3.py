"""Qwen3 written from its equations, on a dict of Hugging Face tensors, in whatever precision they have. Shares no code with transformers or with our engine.

Source: Qwen3 technical report (arXiv 2505.09388) section 2; RMSNorm arXiv 1910.07467; RoPE arXiv 2104.09864 (halves rotated, as Llama does);
grouped queries arXiv 2305.13245; SwiGLU arXiv 2002.05202. Query and key are RMS-normalised per head before the rotation.
"""

import torch


def rms_norm(x, weight, eps):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * weight


def rotate(x, theta):
    """x: [heads, positions, head_dim]; pair i is (x[i], x[i + half]), turned by position * theta^(-i / half)."""
    half = x.shape[-1] // 2
    angles = torch.arange(x.shape[1], dtype=x.dtype)[:, None] * theta ** (-torch.arange(half, dtype=x.dtype) / half)
    cos, sin = angles.cos(), angles.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def forward(tensors, config, ids):
    """ids: list of tokens; returns logits [positions, vocabulary]."""
    heads, kv_heads, dim = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    eps, theta = config["rms_norm_eps"], config["rope_parameters"]["rope_theta"]
    embedding = tensors["model.embed_tokens.weight"]
    x = embedding[ids]
    n = len(ids)
    future = torch.ones(n, n, dtype=torch.bool).triu(1)
    for layer in range(config["num_hidden_layers"]):
        at = lambda name: tensors[f"model.layers.{layer}.{name}.weight"]
        split = lambda y, count: y.view(n, count, dim).transpose(0, 1)
        h = rms_norm(x, at("input_layernorm"), eps)
        q = rotate(rms_norm(split(h @ at("self_attn.q_proj").T, heads), at("self_attn.q_norm"), eps), theta)
        k = rotate(rms_norm(split(h @ at("self_attn.k_proj").T, kv_heads), at("self_attn.k_norm"), eps), theta)
        v = split(h @ at("self_attn.v_proj").T, kv_heads)
        k, v = (y.repeat_interleave(heads // kv_heads, 0) for y in (k, v))
        scores = (q @ k.transpose(1, 2) / dim**0.5).masked_fill(future, float("-inf"))
        x = x + (scores.softmax(-1) @ v).transpose(0, 1).reshape(n, heads * dim) @ at("self_attn.o_proj").T
        h = rms_norm(x, at("post_attention_layernorm"), eps)
        x = x + (torch.nn.functional.silu(h @ at("mlp.gate_proj").T) * (h @ at("mlp.up_proj").T)) @ at("mlp.down_proj").T
    head = embedding if config["tie_word_embeddings"] else tensors["lm_head.weight"]
    return rms_norm(x, tensors["model.norm.weight"], eps) @ head.T


def logprobs(tensors, config, ids):
    """Log-probability of ids[1:], each given what stands before it."""
    return forward(tensors, config, ids[:-1]).log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None]).squeeze(1)
