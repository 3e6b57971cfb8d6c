"""Well-known ways to get an operation wrong: computed instead of the right one, each says whether it is what was done."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pv.bisect import operations as right
from pv.bisect.operations import Operation

THETAS = (1e4, 1e5, 5e5, 1e6, 1e7)
"""Bases of rotary embeddings in use: RoFormer and Llama 2, …, Llama 3, Qwen2, Mistral Nemo and later."""

EPSILONS = (0.0, 1e-12, 1e-8, 1e-6, 1e-5, 1e-3)

Variant = tuple[str, Mapping[str, Operation]]


def variants_of(operation: str, inner: tuple[str, ...], heads: int) -> Iterator[Variant]:
    """(what was done, operations to take instead) for `operation` and those of `inner`, the stages hidden in it.

    `heads` is how many heads of keys there are; 0 where that is not known.
    """
    known = {operation, *inner}
    for name in ("rope", "attention", "causal_softmax", "bias", "rms_norm", "layer_norm"):
        if name in known or (name == "attention" and {"weighted_values", "causal_softmax"} <= known):
            for said, instead in _OF[name](heads):
                yield said, {str(name): instead}
    for name in known & set(_ACTIVATIONS):
        yield from ((f"{each} for {name}", {name: right.find(each)}) for each in _ACTIVATIONS if each != name)


_ACTIVATIONS = ("gelu", "gelu_tanh", "silu", "relu")


def _ropes(heads: int) -> Iterator[tuple[str, Operation]]:
    yield "pairs interleaved (2i, 2i + 1) instead of half-split (i, i + D/2)", _interleaved
    for first in (1, -1):
        yield f"positions counted from {first}", partial(right.rope, first=first)
    yield "no rotation", partial(_turned, stretch=0.0)
    yield "the rotation turned the other way", partial(_turned, stretch=-1.0)
    yield from ((f"θ = {theta:g}", partial(_of_base, theta=theta)) for theta in THETAS)


def _attentions(heads: int) -> Iterator[tuple[str, Operation]]:
    for shift, said in ((1, "a query sees one token too many"), (-1, "a query does not see its own token")):
        yield f"the mask off by one: {said}", partial(_masked, shift=shift)
    yield "no mask", partial(_masked, shift=None)
    for by in range(1, min(heads, 16)):
        yield f"the heads of keys and values rotated by {by}", partial(_other_heads, by=by)
    yield "query head h reading head h mod K instead of ⌊h·K/H⌋", partial(_other_heads, by=None)
    yield "scores not scaled by 1/√D", partial(_scaled, power=0.0)
    yield "scores scaled by 1/D", partial(_scaled, power=-1.0)


def _softmaxes(heads: int) -> Iterator[tuple[str, Operation]]:
    yield "the mask off by one: a query sees one token too many", partial(_softmax, shift=1)
    yield "the mask off by one: a query does not see its own token", partial(_softmax, shift=-1)
    yield "no mask", partial(_softmax, shift=None)


def _biases(heads: int) -> Iterator[tuple[str, Operation]]:
    yield "no bias", lambda x, *biases: x
    for at in range(3):
        yield f"no bias {at + 1} of those side by side", partial(_without_bias, at=at)


def _norms(heads: int, *, norm: Operation) -> Iterator[tuple[str, Operation]]:
    yield from ((f"eps = {eps:g}", partial(_with_eps, norm, eps)) for eps in EPSILONS)
    yield "no weight", lambda x, weight, *others, eps: norm(x, torch.ones_like(weight), *others, eps=eps)
    yield "1 + weight", lambda x, weight, *others, eps: norm(x, 1 + weight, *others, eps=eps)


_OF: dict[str, Callable[[int], Iterator[tuple[str, Operation]]]] = {
    "rope": _ropes,
    "attention": _attentions,
    "causal_softmax": _softmaxes,
    "bias": _biases,
    "rms_norm": partial(_norms, norm=right.rms_norm),
    "layer_norm": partial(_norms, norm=right.layer_norm),
}


def _interleaved(x: Tensor, inv_freq: Tensor, **options: Any) -> Tensor:
    half = len(inv_freq)
    chosen = right.rope(
        x, torch.zeros_like(inv_freq), **{key: value for key, value in options.items() if key != "scaling"}
    )
    cos, sin = right.angles(chosen, inv_freq, options.get("scaling", 1.0))
    even, odd, rest = chosen[..., 0 : 2 * half : 2], chosen[..., 1 : 2 * half : 2], chosen[..., 2 * half :]
    turned = torch.stack([even * cos - odd * sin, odd * cos + even * sin], dim=-1).flatten(-2)
    return torch.cat([turned, rest], dim=-1)


def _turned(x: Tensor, inv_freq: Tensor, *, stretch: float, **options: Any) -> Tensor:
    return right.rope(x, inv_freq * stretch, **options)


def _of_base(x: Tensor, inv_freq: Tensor, *, theta: float, **options: Any) -> Tensor:
    powers = torch.arange(len(inv_freq), dtype=inv_freq.dtype, device=inv_freq.device) / len(inv_freq)
    return right.rope(x, theta**-powers, **options)


def _masked(q: Tensor, k: Tensor, v: Tensor, *, shift: int | None, **options: Any) -> Tensor:
    """Attention in which query i sees the keys up to i + `shift`; the first query never fewer than one."""
    values = (
        v if v.ndim == 3 else right.heads_of(v, heads=k.shape[1], skip=q.shape[1] + k.shape[1], head_dim=k.shape[2])
    )
    found = right.scores(q, k, scaling=options.get("scaling"))
    return right.weighted_values(_softmax(found, shift=shift), values)


def _softmax(x: Tensor, *, shift: int | None, **options: Any) -> Tensor:
    if shift is None:
        return right.softmax(x)
    hidden = torch.ones(x.shape[-2:], dtype=torch.bool, device=x.device).triu(1 + shift)
    hidden[:, 0] = False
    return right.softmax(x.masked_fill(hidden, -math.inf))


def _other_heads(q: Tensor, k: Tensor, v: Tensor, *, by: int | None, **options: Any) -> Tensor:
    values = (
        v if v.ndim == 3 else right.heads_of(v, heads=k.shape[1], skip=q.shape[1] + k.shape[1], head_dim=k.shape[2])
    )
    if by is None:
        order = torch.arange(q.shape[1], device=q.device) % k.shape[1]
        return right.attention(q, k[:, order], values[:, order], **options)
    return right.attention(q, k.roll(by, 1), values.roll(by, 1), **options)


def _scaled(q: Tensor, k: Tensor, v: Tensor, *, power: float, **options: Any) -> Tensor:
    return right.attention(q, k, v, **{**options, "scaling": q.shape[-1] ** power})


def _without_bias(x: Tensor, *biases: Tensor, at: int) -> Tensor:
    return right.bias(x, *(torch.zeros_like(each) if place == at else each for place, each in enumerate(biases)))


def _with_eps(norm: Operation, other: float, x: Tensor, *weights: Tensor, eps: float) -> Tensor:
    return norm(x, *weights, eps=other)
