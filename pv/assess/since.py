"""What became of levels between two states of a project: what rose, fell, went stale, came or went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pv.assess.freshness import Cause
from pv.assess.levels import Assessment
from pv.assess.ratchet import Key
from pv.level import Level
from pv.root import BINDING


class Turn(Enum):
    """What became of one test on one subject, the worst first."""

    FELL = "fell"
    STALE = "went stale"
    WENT = "went"
    CAME = "came"
    ROSE = "rose"


@dataclass(frozen=True, slots=True)
class Change:
    """One test on one subject whose level is another: `row` is today's (of what went, the one it had), `was` the level then.

    `was` is None of what came.
    """

    turn: Turn
    row: Assessment
    was: Level | None


def changes(then: Mapping[Key, Assessment], now: Mapping[Key, Assessment]) -> list[Change]:
    """What is not as it was `then`, the worst first."""
    found = [Change(Turn.WENT, row, row.level) for key, row in then.items() if key not in now]
    for key, row in now.items():
        before = then.get(key)
        turn = _turn(before, row)
        if turn is not None:
            found.append(Change(turn, row, None if before is None else before.level))
    order = list(Turn)
    return sorted(found, key=lambda change: order.index(change.turn))


def edited_file(cause: Cause, contract: str) -> str:
    """The file whose edit is `cause`; `contract` is the path of the row's contract."""
    if cause.cause == "clause":
        return contract
    return BINDING if cause.cause == "binding" else cause.what.partition(": ")[0]


def _turn(before: Assessment | None, row: Assessment) -> Turn | None:
    if before is None:
        return Turn.CAME
    if row.stale and before.receipt is not None and not before.stale:
        return Turn.STALE
    if row.level == before.level:
        return None
    # That a case which breaks it is no longer known is no progress.
    forgotten = before.level is Level.FALSIFIED and row.level < Level.PARTIAL_ALGORITHM_LEVEL
    return Turn.ROSE if row.level > before.level and not forgotten else Turn.FELL
