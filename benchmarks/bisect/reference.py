"""The reference: a decoder written plainly, one rounding after every operation. It knows nothing of pv.

Pre-norm, grouped queries, rotary embedding (half-split), q/k/v bias, gated GELU (erf). Random weights: projections N(0, 1/in),
those that write to the residual stream scaled by 1/√(2·layers), biases N(0, 0.3²), embedding N(0, 1), norms near 1 but for
one outlier channel of 30. Letters as in docs: n tokens, E width, H heads, K heads of keys, D width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding as lookup
from torch.nn.functional import gelu, linear


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the model is made of."""

    layers: int = 12
    width: int = 128
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    ffn: int = 352
    vocabulary: int = 256
    theta: float = 10000.0
    eps: float = 1e-6

    @property
    def both(self) -> int:
        """Heads of q and of k."""
        return self.heads + self.kv_heads


class Block(nn.Module):
    """One layer, [n, E] to [n, E]."""

    def __init__(self, sizes: Sizes, layer: int, generator: torch.Generator) -> None:
        super().__init__()
        self.sizes, self.layer = sizes, layer
        width, few = sizes.width, (2 * sizes.layers) ** -0.5
        self.attn_norm, self.ffn_norm = norm_weight(width, generator), norm_weight(width, generator)
        self.q = projection(width, sizes.heads * sizes.head_dim, generator, bias=True)
        self.k = projection(width, sizes.kv_heads * sizes.head_dim, generator, bias=True)
        self.v = projection(width, sizes.kv_heads * sizes.head_dim, generator, bias=True)
        self.o = projection(sizes.heads * sizes.head_dim, width, generator, scale=few)
        self.gate, self.up = projection(width, sizes.ffn, generator), projection(width, sizes.ffn, generator)
        self.down = projection(sizes.ffn, width, generator, scale=few)

    def forward(self, residual: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """The residual stream after this layer; `cos` and `sin` [n, 1, D/2]."""
        sizes = self.sizes
        attn_norm = rms_norm(residual, self.attn_norm, sizes.eps)
        qkv_matmul = torch.cat([linear(attn_norm, each.weight) for each in (self.q, self.k, self.v)], dim=-1)
        qkv_bias = qkv_matmul + torch.cat([self.q.bias, self.k.bias, self.v.bias])
        q, k, v = qkv_bias.unflatten(-1, (-1, sizes.head_dim)).split(
            [sizes.heads, sizes.kv_heads, sizes.kv_heads], dim=1
        )
        q_post_rope, k_post_rope = rotate(q, cos, sin), rotate(k, cos, sin)
        attention = attend(q_post_rope, k_post_rope, v, self.layer)
        attn_out = linear(attention, self.o.weight)
        post_attn_residual = residual + attn_out
        ffn_norm = rms_norm(post_attn_residual, self.ffn_norm, sizes.eps)
        ffn_gate, ffn_up = linear(ffn_norm, self.gate.weight), linear(ffn_norm, self.up.weight)
        ffn_act = gelu(ffn_gate)
        ffn_swigl = ffn_act * ffn_up
        ffn_out = linear(ffn_swigl, self.down.weight)
        post_ffn_residual = post_attn_residual + ffn_out
        return post_ffn_residual  # noqa: RET504 -- a stage, which the map finds by its name, as are the names above: read as locals


class Reference(nn.Module):
    """Logits [n, V] of tokens [n]."""

    def __init__(self, sizes: Sizes, seed: int, dtype: torch.dtype) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.sizes = sizes
        self.embed = nn.Embedding(sizes.vocabulary, sizes.width)
        self.embed.weight.data = torch.randn(sizes.vocabulary, sizes.width, generator=generator)
        self.layers = nn.ModuleList(Block(sizes, layer, generator) for layer in range(sizes.layers))
        self.final_norm = norm_weight(sizes.width, generator)
        self.head = projection(sizes.width, sizes.vocabulary, generator)
        self.to(dtype)
        # Made after the weights are rounded: frequencies are kept in float32, whatever the weights are.
        self.register_buffer("inv_freq", frequencies(sizes.theta, sizes.head_dim))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [n, V]."""
        embedding = lookup(tokens, self.embed.weight)
        cos, sin = turns(self.inv_freq, len(tokens), embedding.dtype)
        residual = embedding
        for block in self.layers:
            residual = block(residual, cos, sin)
        final_norm = rms_norm(residual, self.final_norm, self.sizes.eps)
        lm_head = linear(final_norm, self.head.weight)
        return lm_head  # noqa: RET504 -- a stage, which the map finds by its name


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """In float32, rounded before the weight: as the models of transformers do it."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Element i of a head turned with element i + D/2."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], dim=-1)


def attend(q: Tensor, k: Tensor, v: Tensor, layer: int) -> Tensor:
    """softmax(q kᵀ / √D + mask) v, [n, H·D]. `layer` is for those who look on."""
    group = q.shape[1] // k.shape[1]
    keys, values = (each.repeat_interleave(group, dim=1).transpose(0, 1) for each in (k, v))
    scores = q.transpose(0, 1) @ keys.mT * q.shape[-1] ** -0.5
    unseen = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    wide = torch.promote_types(q.dtype, torch.float32)
    weights = torch.softmax(scores.masked_fill(unseen, -torch.inf), dim=-1, dtype=wide).to(q.dtype)
    return (weights @ values).transpose(0, 1).flatten(1)


def turns(inv_freq: Tensor, count: int, dtype: torch.dtype, first: int = 0) -> tuple[Tensor, Tensor]:
    """cos and sin of every position, [n, 1, D/2]."""
    wide = torch.promote_types(dtype, torch.float32)
    angles = torch.outer(torch.arange(first, first + count, dtype=wide), inv_freq.to(wide))[:, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)


def frequencies(theta: float, head_dim: int) -> Tensor:
    """θ^(−2i/D), [D/2]."""
    return theta ** (-torch.arange(0, head_dim, 2) / head_dim)


def projection(
    inputs: int, outputs: int, generator: torch.Generator, *, scale: float = 1.0, bias: bool = False
) -> nn.Linear:
    """A linear layer of random weights."""
    made = nn.Linear(inputs, outputs, bias=bias)
    made.weight.data = torch.randn(outputs, inputs, generator=generator) * scale * inputs**-0.5
    if bias:
        made.bias.data = 0.3 * torch.randn(outputs, generator=generator)
    return made


def norm_weight(width: int, generator: torch.Generator) -> nn.Parameter:
    """Near 1, but for one channel of 30."""
    weight = 1 + 0.1 * torch.randn(width, generator=generator)
    weight[int(torch.randint(width, (1,), generator=generator))] = 30.0
    return nn.Parameter(weight)
