"""Retractions: a promotion taken back, for a reason. Both files stay; the promise no longer binds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pv.ledger.promotion import Promotion
from pv.ledger.records import read_records
from pv.ledger.store import Stored

FORMAT = "pv/retraction-v1"


class Retraction(NamedTuple):
    """The promotion `target` taken back: of its tests those with an id of `tests`, or all where there are none."""

    name: str
    path: Path
    contract: str
    target: str
    tests: tuple[str, ...]
    reason: str

    def covers(self, promotion: Promotion, test: str) -> bool:
        """Whether the promise that `promotion` makes of `test` is taken back."""
        return (self.contract, self.target) == (promotion.contract, promotion.name) and test in (self.tests or (test,))


def retraction_value(contract: str, target: str, tests: Iterable[str], reason: str) -> dict[str, Any]:
    """The JSON of a retraction."""
    return {"format": FORMAT, "contract": contract, "target": target, "tests": sorted(set(tests)), "reason": reason}


def read_retractions(folder: Path) -> Iterator[Retraction | Stored]:
    """The retractions below `folder`; what cannot be believed comes as its `Stored`, with the problem."""
    return read_records(folder, FORMAT, _build)


def in_force(promotions: Iterable[Promotion], retractions: Iterable[Retraction]) -> tuple[Promotion, ...]:
    """What still binds of `promotions`, in their order; one that is taken back altogether is left out."""
    taken: dict[str, list[Retraction]] = {}
    for retraction in retractions:
        taken.setdefault(retraction.target, []).append(retraction)
    kept = (_without(promotion, taken.get(promotion.name, ())) for promotion in promotions)
    return tuple(promotion for promotion in kept if promotion.promises)


def _without(promotion: Promotion, retractions: Iterable[Retraction]) -> Promotion:
    own = tuple(retractions)
    if not own:
        return promotion
    left = (row for row in promotion.promises if not any(one.covers(promotion, row.test) for one in own))
    return promotion._replace(promises=tuple(left))


def _build(stored: Stored) -> Retraction:
    value = stored.value
    return Retraction(
        stored.name, stored.path, value["contract"], value["target"], tuple(value["tests"]), value["reason"]
    )
