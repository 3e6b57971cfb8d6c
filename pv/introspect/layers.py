"""The layers of a model, by the names of its tensors; nothing is run and nothing is made up."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pv.families.roles import role_of
from pv.introspect.describe import Described, Named

_LAYER = re.compile(r"(?:^|\.)(?:layers?|h|blk|blocks)\.(\d{1,6})\.")


@dataclass(frozen=True, slots=True)
class Layer:
    """A block, or what stands before or after the blocks."""

    name: str
    tensors: tuple[str, ...]
    parameters: int


def layers_of(described: Described) -> Sequence[Layer]:
    """Embedding, blocks, head. A family with one block does not number it: what is no embedding and no head is its block."""
    groups: dict[tuple[int, int], list[Named]] = {}
    for tensor in described.tensors:
        groups.setdefault(_where(described, tensor.name), []).append(tensor)
    return [
        Layer(
            _NAMES.get(where[0], f"block {where[1]}"), tuple(t.name for t in own), sum(math.prod(t.shape) for t in own)
        )
        for where, own in sorted(groups.items())
    ]


_EMBEDDING, _BLOCK, _FINAL, _HEAD, _OTHER = range(5)
_NAMES = {_EMBEDDING: "embedding", _FINAL: "final norm", _HEAD: "head", _OTHER: "others"}


def _where(described: Described, name: str) -> tuple[int, int]:
    numbered = _LAYER.search(name)
    if numbered:
        return _BLOCK, int(numbered[1])
    role = role_of(described.family, name) if described.family else None
    if role is None:
        return _OTHER, 0
    what = role.row.role
    if "embedding" in what:
        return _EMBEDDING, 0
    if "head" in what or "pooler" in what:
        return _HEAD, 0
    return (_FINAL, 0) if "final norm" in what else (_BLOCK, 0)
