"""The ratchet: of all that was promised of a test on a subject, the highest. Needs promotions alone, no level of today."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # documents that show what is promised need none of what levels are computed by
    from pv.assess.levels import Assessment
    from pv.ledger.promotion import Promise, Promotion

Key = tuple[str, str, str, str]


def key_of(row: Assessment | Promise) -> Key:
    """(contract, test, equation, subject)."""
    return row.contract, row.test, row.equation, row.subject


def strongest(promotions: Iterable[Promotion]) -> dict[Key, Promise]:
    """The highest promise made for each (test, subject), whatever the order."""
    found: dict[Key, Promise] = {}
    for promotion in promotions:
        for promise in promotion.promises:
            before = found.get(key_of(promise))
            if before is None or before.level < promise.level:
                found[key_of(promise)] = promise
    return found
