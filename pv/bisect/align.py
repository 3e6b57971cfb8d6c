"""Two sides made comparable: shapes before values, and the differences of shape that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Size, Tensor

from pv.bisect.described import Described
from pv.bisect.floor import fit
from pv.bisect.side import Side
from pv.finding import PvError
from pv.tensors.place import Place

VOCABULARY = "V"
"""The axis that a port may pad."""


def aligned(described: Described, reference: Side, candidate: Side) -> tuple[Side, tuple[str, ...], tuple[str, ...]]:
    """`candidate` in the shapes of `reference`, without what its vocabulary is padded by; notes of that; and shapes that do not
    go together, as problems."""
    wide: dict[Place, int] = {}
    shapes: dict[Place, Size] = {}
    problems = []
    for place in described.places:
        if place not in reference or place not in candidate:
            continue
        one, other = reference[place], candidate[place]
        if _padded(described, place, one, other):
            wide[place] = one.shape[-1]
            continue
        try:
            fit(place, one, other)
        except PvError:
            both = f"{list(other.shape)} in the candidate and {list(one.shape)} in the reference"
            problems.append(f"{place} has the shape {both}: nothing says which element belongs to which")
        else:
            if one.numel() == other.numel():
                shapes[place] = one.shape
    notes = tuple(
        f"the candidate's vocabulary is padded: {candidate[place].shape[-1] - size} more at {place}, left out"
        for place, size in wide.items()
    )
    return _shaped(candidate, wide, shapes), notes, tuple(problems)


def _padded(described: Described, place: Place, one: Tensor, other: Tensor) -> bool:
    axes = described.stage(place).axes
    if not axes or axes[-1] != VOCABULARY or one.ndim != other.ndim or not one.ndim:
        return False
    return one.shape[:-1] == other.shape[:-1] and one.shape[-1] < other.shape[-1]


def _shaped(side: Side, wide: Mapping[Place, int], shapes: Mapping[Place, Size]) -> Side:
    def load(place: Place) -> Tensor:
        value = side[place]
        if place in wide:
            return value[..., : wide[place]]
        return value.reshape(shapes[place]) if place in shapes else value

    return Side(side.places, load, side.missing, side.changed, side.verified)
