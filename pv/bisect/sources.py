"""Several places that are one source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pv.bisect.described import Described
from pv.tensors.place import Place


def grouped(
    described: Described, sources: Sequence[Place], hidden: Mapping[Place, tuple[Place, ...]]
) -> list[tuple[Place, ...]]:
    """`sources` by what is wrong: one operation of one layer (a rope of q and of k), or one stage hidden in all of them."""
    groups: list[list[Place]] = []
    for place in sources:
        own = next((group for group in groups if any(_one(described, place, each, hidden) for each in group)), None)
        if own is None:
            groups.append([place])
        else:
            own.append(place)
    return [tuple(group) for group in groups]


def _one(described: Described, place: Place, other: Place, hidden: Mapping[Place, tuple[Place, ...]]) -> bool:
    if place.layer != other.layer:
        return False
    one, two = described.stage(place), described.stage(other)
    siblings = one.operation == two.operation and described.inputs(place) == described.inputs(other)
    return siblings or bool(set(hidden[place]) & set(hidden[other]))
