"""The candidate: the same decoder as a fused port, and the ways in which it may be wrong. It knows nothing of pv.

One matrix for q, k and v with its bias, one for gate and up; `F.rms_norm`; rotation and activation in float32, rounded once;
scaled_dot_product_attention; the output projection added to the residual by `addmm`; the down projection in another order of
accumulation. `scores`, `softmax`, the products before the bias, the activation and the attention's output projection are
never tensors of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from reference import Block, Reference, Sizes, frequencies, turns
from torch import Tensor, nn
from torch.nn.functional import embedding as lookup
from torch.nn.functional import gelu, linear, rms_norm, scaled_dot_product_attention


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in which layer, and where it must be found. `at` draws what else there is to choose (0 ≤ at < 1)."""

    name: str
    layer: int
    at: float

    @property
    def truth(self) -> frozenset[str]:
        """The stages that are wrong, as names of the map."""
        return frozenset(STAGES_OF[self.name] or [self.pick(CHANNELS if self.name == "channel" else NORMS)])

    def pick(self, choices: tuple[str, ...]) -> str:
        """The one of `choices` that was drawn."""
        return choices[int(self.at * len(choices))]


CHANNELS = ("attn_norm", "attention", "ffn_norm", "ffn_swigl")
NORMS = ("attn_norm", "ffn_norm")
ROPES = ("q_post_rope", "k_post_rope")
STAGES_OF: dict[str, tuple[str, ...]] = {
    "rope off by one": ROPES, "rope interleaved": ROPES, "rope theta": ROPES, "head map": ("attention",),
    "mask off by one": ("attention",), "token of v": ("v",), "channel": (), "q bias": ("qkv_bias",), "k bias": ("qkv_bias",),
    "v bias": ("qkv_bias",), "gelu tanh": ("ffn_swigl",), "eps": (),
}  # fmt: skip
GROSS = tuple(STAGES_OF)[:10]
SUBTLE = tuple(STAGES_OF)[10:]


class FusedBlock(nn.Module):
    """One layer, [n, E] to [n, E]."""

    def __init__(self, block: Block, fault: Fault | None) -> None:
        super().__init__()
        self.sizes, self.layer = block.sizes, block.layer
        self.fault = fault if fault and fault.layer == block.layer else None
        self.attn_norm, self.ffn_norm = block.attn_norm, block.ffn_norm
        self.qkv = nn.Parameter(torch.cat([block.q.weight, block.k.weight, block.v.weight]).detach())
        biases = {"q bias": block.q.bias, "k bias": block.k.bias, "v bias": block.v.bias}
        kept = [each * (self.wrong != name) for name, each in biases.items()]
        self.bias = nn.Parameter(torch.cat(kept).detach())
        self.gate_up = nn.Parameter(torch.cat([block.gate.weight, block.up.weight]).detach())
        self.o, self.down = block.o.weight, block.down.weight

    @property
    def wrong(self) -> str:
        """The fault's name; "" in a layer that has none."""
        return self.fault.name if self.fault else ""

    def forward(self, residual: Tensor, inv_freq: Tensor) -> Tensor:
        """The residual stream after this layer."""
        sizes = self.sizes
        attn_norm = self.normed("attn_norm", residual, self.attn_norm)
        qkv_bias = linear(attn_norm, self.qkv, self.bias)
        q, k, v = qkv_bias.unflatten(-1, (-1, sizes.head_dim)).split(
            [sizes.heads, sizes.kv_heads, sizes.kv_heads], dim=1
        )
        q_post_rope, k_post_rope = self.rotated(q, inv_freq), self.rotated(k, inv_freq)
        if self.wrong == "token of v":
            v = v.clone()
            v[int(self.fault.at * len(v))] = 0
        attention = self.zeroed("attention", self.attended(q_post_rope, k_post_rope, v))
        post_attn_residual = torch.addmm(residual, attention, self.o.T)
        ffn_norm = self.normed("ffn_norm", post_attn_residual, self.ffn_norm)
        ffn_gate, ffn_up = linear(ffn_norm, self.gate_up).chunk(2, dim=-1)
        ffn_swigl = self.zeroed("ffn_swigl", self.activated(ffn_gate, ffn_up))
        ffn_out = linear(ffn_swigl.flip(-1), self.down.flip(-1))
        post_ffn_residual = post_attn_residual + ffn_out
        return post_ffn_residual  # noqa: RET504 -- a stage, which the map finds by its name, as are the names above: read as locals

    def normed(self, stage: str, x: Tensor, weight: Tensor) -> Tensor:
        """RMSNorm; one channel zero, or another eps, where that is the fault."""
        eps = 1e-5 if self.wrong == "eps" and stage in self.fault.truth else self.sizes.eps
        return self.zeroed(stage, rms_norm(x, weight.shape, weight, eps))

    def zeroed(self, stage: str, x: Tensor) -> Tensor:
        """`x`, without one channel where that is the fault."""
        if self.wrong != "channel" or stage not in self.fault.truth:
            return x
        x = x.clone()
        x[:, int(self.fault.at * 1e6) % x.shape[-1]] = 0
        return x

    def rotated(self, x: Tensor, inv_freq: Tensor) -> Tensor:
        """Rotary embedding, rounded once."""
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        if self.wrong == "rope theta":
            inv_freq = frequencies(500000.0, self.sizes.head_dim)
        cos, sin = turns(inv_freq, len(x), wide.dtype, first=int(self.wrong == "rope off by one"))
        if self.wrong == "rope interleaved":
            even, odd = wide[..., ::2], wide[..., 1::2]
            return torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1).flatten(-2).to(x.dtype)
        low, high = wide.chunk(2, dim=-1)
        return torch.cat([low * cos - high * sin, high * cos + low * sin], dim=-1).to(x.dtype)

    def attended(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention by one kernel, [n, H·D]."""
        if self.wrong == "head map":
            k, v = k.roll(1, dims=1), v.roll(1, dims=1)
        q, k, v = (each.transpose(0, 1)[None] for each in (q, k, v))
        if self.wrong == "mask off by one":
            seen = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).tril(1)
            found = scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)
        else:
            found = scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return found[0].transpose(0, 1).flatten(1)

    def activated(self, gate: Tensor, up: Tensor) -> Tensor:
        """Gated GELU, rounded once."""
        wide = torch.promote_types(gate.dtype, torch.float32)
        shape = "tanh" if self.wrong == "gelu tanh" else "none"
        return (gelu(gate.to(wide), approximate=shape) * up.to(wide)).to(gate.dtype)


class Candidate(nn.Module):
    """Logits [n, V] of tokens [n], with the weights of `reference` (the very tensors, where they are not packed)."""

    def __init__(self, reference: Reference, fault: Fault | None = None) -> None:
        super().__init__()
        self.sizes: Sizes = reference.sizes
        self.embed, self.final_norm, self.head = reference.embed, reference.final_norm, reference.head
        self.layers = nn.ModuleList(FusedBlock(block, fault) for block in reference.layers)
        self.register_buffer("inv_freq", reference.inv_freq)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [n, V]."""
        embedding = lookup(tokens, self.embed.weight)
        residual = embedding
        for block in self.layers:
            residual = block(residual, self.inv_freq)
        final_norm = rms_norm(residual, self.final_norm.shape, self.final_norm, self.sizes.eps)
        lm_head = linear(final_norm, self.head.weight)
        return lm_head  # noqa: RET504 -- a stage, which the map finds by its name
