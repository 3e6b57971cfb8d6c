"""How the weights of two implementations relate: what must be known before any of their values are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

_LEVELS = (127, 7)  # of symmetric int8 and int4
_BLOCKS = (0, 32, 64, 128)  # columns that share a scale; 0: a row
_ON_A_GRID = 0.12  # mean distance from a grid point, in its steps: 0.25 for values that know of no grid
_SHOWN = 3


class Relation(Enum):
    """How the candidate's weights come from the reference's."""

    SAME = "the same"
    ROUNDED = "rounded"
    QUANTISED = "quantised"
    DIFFERENT = "different"
    OTHER_BYTES = "of other bytes"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Related:
    """What holds of all weights that both have by name; `rounded` says which side was rounded to which dtype.

    `other` are the weights that neither are the same nor rounded, worst first, with their relative L2 distance; `most`
    whether more than half of the matrices are among them (biases and norms may be more, and hold next to nothing), or where
    all are rounded, in a wider dtype than they were rounded to; `only` are the names that one side has alone (reference,
    candidate).
    """

    relation: Relation
    compared: int
    rounded: str = ""
    other: tuple[tuple[str, float], ...] = ()
    most: bool = False
    only: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def speaks_against_values(self) -> bool:
        """Whether most weights are others: then every stage that has some must differ, and none can be blamed for it."""
        return self.relation in (Relation.ROUNDED, Relation.QUANTISED, Relation.DIFFERENT) and self.most

    def __str__(self) -> str:
        what = f"{self.relation.value}{f': {self.rounded}' if self.rounded else ''}"
        if self.relation is Relation.OTHER_BYTES or (self.relation is Relation.SAME and not self.compared):
            return f"weights: {what}, as the digests in the captures say"
        if self.relation is Relation.UNKNOWN:
            return f"weights: {what}: {_names(self.only)}" if any(self.only) else f"weights: {what}"
        parts = [f"weights: {what} ({self.compared} compared by name"]
        if self.other:
            shown = ", ".join(f"{name} {distance:.3g}" for name, distance in self.other[:_SHOWN])
            more = f", {len(self.other) - _SHOWN} more" if len(self.other) > _SHOWN else ""
            parts.append(f"; not the same, by relative L2: {shown}{more}")
        if any(self.only):
            parts.append(f"; {_names(self.only)}")
        return "".join(parts) + ")"


def _names(only: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    sides = [
        f"{len(names)} only the {side} has: {', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
        for side, names in zip(("reference", "candidate"), only, strict=True)
        if names
    ]
    return "; ".join(sides)


def relation_of(reference: Any, candidate: Any) -> Related:
    """How the weights and buffers of two torch modules relate; not known where they share no name, or one has none."""
    sides = [dict(_weights(side)) for side in (reference, candidate)]
    one, other = sides
    only = (tuple(name for name in one if name not in other), tuple(name for name in other if name not in one))
    shared = {name: (one[name], other[name]) for name in one if name in other}
    if not shared:
        return Related(Relation.UNKNOWN, 0, only=only)
    distances = {name: _distance(*pair) for name, pair in shared.items()}
    off = {name: distance for name, distance in distances.items() if distance > 0}
    rounded = {name: _rounding(*shared[name]) for name in off}
    left = sorted(((name, off[name]) for name, found in rounded.items() if found is None), key=lambda row: -row[1])
    if not off:
        return Related(Relation.SAME, len(shared), only=only)
    matrices = {name for name, (weight, _) in shared.items() if weight.ndim > 1} or set(shared)
    if not left:
        said = ", ".join(sorted({str(found) for found in rounded.values()}))
        wider = {name for name, found in rounded.items() if found and found.is_wider}
        return Related(Relation.ROUNDED, len(shared), said, most=2 * len(matrices & wider) > len(matrices), only=only)
    quantised = all(_is_quantised(shared[name][1]) for name, _ in left)
    kind = Relation.QUANTISED if quantised else Relation.DIFFERENT
    most = 2 * sum(name in matrices for name, _ in left) > len(matrices)
    return Related(kind, len(shared), other=tuple(left), most=most, only=only)


def relation_of_digests(reference: str | None, candidate: str | None) -> Related:
    """What the digests of two models, as captures name them, say of their weights."""
    if not reference or not candidate:
        return Related(Relation.UNKNOWN, 0)
    return Related(Relation.SAME if reference == candidate else Relation.OTHER_BYTES, 0)


def _weights(module: Any) -> Mapping[str, Tensor]:
    own = module.named_buffers() if hasattr(module, "named_buffers") else ()  # frequencies of a rope are not saved
    state = {**dict(own), **(module.state_dict() if hasattr(module, "state_dict") else {})}
    found = {name.removeprefix("_orig_mod."): value for name, value in state.items()}
    return {name: value.detach() for name, value in found.items() if hasattr(value, "is_floating_point")}


def _distance(one: Tensor, other: Tensor) -> float:
    """‖other − one‖ / ‖one‖; infinite where the shapes differ, or one has NaN where the other has none."""
    import torch

    if one.shape != other.shape:
        return float("inf")
    left, right = one.cpu().to(torch.float64), other.cpu().to(torch.float64)
    if torch.equal(left.nan_to_num(), right.nan_to_num()) and torch.equal(left.isnan(), right.isnan()):
        return 0.0
    norm = left.norm().item()
    distance = (right - left).norm().item()
    return distance / norm if norm > 0 and distance == distance else float("inf")


class _Rounding(NamedTuple):
    """A weight of `side` is that of the other side rounded to `dtype`, and may lie there in a wider one."""

    side: str
    dtype: str
    is_wider: bool

    def __str__(self) -> str:
        return f"the {self.side}'s to {self.dtype}"


def _rounding(one: Tensor, other: Tensor) -> _Rounding | None:
    """Which side is the other one rounded, and to what; None where neither is."""
    import torch

    if one.shape != other.shape or not (one.is_floating_point() and other.is_floating_point()):
        return None
    for side, wide, narrow in (("candidate", one, other), ("reference", other, one)):
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            if torch.equal(wide.cpu().to(dtype).double(), narrow.cpu().double()):
                return _Rounding(side, str(dtype).removeprefix("torch."), narrow.dtype != dtype)
    return None


def _is_quantised(weight: Tensor) -> bool:
    """Whether the values are integers, or lie on a grid of few steps by row or block."""
    import torch

    if not weight.is_floating_point() or weight.element_size() == 1:
        return True
    if weight.ndim < 2:
        return False
    rows = weight.cpu().to(torch.float64).flatten(0, -2)
    widths = [width or rows.shape[1] for width in _BLOCKS if rows.shape[1] % (width or 1) == 0]
    return any(_on_grid(rows.reshape(-1, width), levels) for width in widths for levels in _LEVELS)


def _on_grid(blocks: Tensor, levels: int) -> bool:
    if blocks.shape[1] < 8:  # too few to tell a grid from chance
        return False
    largest = blocks.abs().amax(-1, keepdim=True)
    used = largest[:, 0] > 0  # a block of zeros is on every grid
    steps = blocks[used] / largest[used] * levels
    return bool(used.any() and (steps - steps.round()).abs().mean() < _ON_A_GRID)
