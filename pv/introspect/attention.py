"""Who attends to whom, head by head, and what the structure of attention promises, measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pv.introspect.forward import Forward

NEEDED = ("embed_norm", "q", "k", "v", "attn_softmax", "attention", "attn_mask")
"""The stages without which there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class Head:
    """One head: shapes, whom each position attends to, and the shape of what comes out."""

    q: tuple[int, ...]
    k: tuple[int, ...]
    v: tuple[int, ...]
    weights: tuple[tuple[float, ...], ...]
    output: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Attention:
    """The attention of one forward pass. `row_sum` is the largest |Σ − 1| over rows, `above` the largest weight of a later
    position; `norms` are the lengths of the positions' vectors after embedding and norm."""

    tokens: tuple[int, ...]
    scale: float
    norms: tuple[float, ...]
    heads: tuple[Head, ...]
    mask: tuple[tuple[float, ...], ...]
    row_sum: float
    above: float


def attention(passed: Forward) -> Attention | None:
    """The attention of `passed`; None where a stage of `NEEDED` was not seen."""
    found = {name: passed.value(name) for name in NEEDED}
    if any(value is None for value in found.values()):
        return None
    seen: dict[str, Any] = found
    weights = seen["attn_softmax"].double()
    heads = tuple(
        Head(
            q=tuple(seen["q"][index].shape),
            k=tuple(seen["k"][index].shape),
            v=tuple(seen["v"][index].shape),
            weights=rows(weights[index]),
            output=tuple(seen["attention"][index].shape),
        )
        for index in range(len(weights))
    )
    return Attention(
        tokens=passed.asked.tokens,
        scale=seen["q"].shape[-1] ** -0.5,
        norms=tuple(seen["embed_norm"].double().norm(dim=-1).tolist()),
        heads=heads,
        mask=rows(seen["attn_mask"]),
        row_sum=(weights.sum(dim=-1) - 1).abs().max().item(),
        above=weights.triu(diagonal=1).max().item(),
    )


def rows(matrix: Any) -> tuple[tuple[float, ...], ...]:
    """A matrix as numbers."""
    return tuple(tuple(row) for row in matrix.tolist())
