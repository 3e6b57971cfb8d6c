"""Promotions: a level somebody relies on, with the receipts that support it; the ledger's ratchet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pv.ledger.store import Stored, read_shelf
from pv.level import Level

FORMAT = "pv/promotion-v1"


class Promise(NamedTuple):
    """One test on one subject, promised at a level; `receipts` are the digests cited."""

    contract: str
    test: str
    equation: str
    subject: str
    level: Level
    receipts: tuple[str, ...]


class Promotion(NamedTuple):
    """One file of promises made together; there is at least one, and all are of one contract."""

    name: str
    path: Path
    promises: tuple[Promise, ...]

    @property
    def contract(self) -> str:
        """The contract it promises of."""
        return self.promises[0].contract


def promotion_value(
    contract: str, level: Level, promises: Iterable[Promise], after: Iterable[str] = ()
) -> dict[str, Any]:
    """The JSON of a promotion of `promises`, all of `contract` and at `level`.

    `after` are retractions of the very same promises: without them the file would be the one that was taken back.
    """
    known = sorted(after)
    return {
        "format": FORMAT,
        "contract": contract,
        "level": level.name,
        **({"after": known} if known else {}),
        "tests": [
            {
                "id": promise.test,
                "equation": promise.equation,
                "subject": promise.subject,
                "receipts": sorted(promise.receipts),
            }
            for promise in sorted(promises)
        ],
    }


def read_promotions(folder: Path) -> Iterator[Promotion | Stored]:
    """The promotions below `folder`; what cannot be believed comes as its `Stored`, with the problem."""
    from pv.ledger.formats import problem_of

    for stored in read_shelf(folder):
        problem = stored.problem or problem_of(FORMAT, stored.value)
        yield Stored(stored.path, stored.name, None, problem) if problem else _build(stored)


def _build(stored: Stored) -> Promotion:
    value = stored.value
    level = Level[value["level"]]
    promises = tuple(
        Promise(value["contract"], row["id"], row["equation"], row["subject"], level, tuple(row["receipts"]))
        for row in value["tests"]
    )
    return Promotion(stored.name, stored.path, promises)
