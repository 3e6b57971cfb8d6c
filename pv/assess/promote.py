"""From levels to promotions: what `pv ledger promote` would write, and what is missing when more is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pv.assess.levels import Assessment
from pv.assess.promises import Key, key_of
from pv.ledger.promotion import Promise
from pv.level import PROMISABLE, Level


@dataclass(frozen=True, slots=True)
class Promotable:
    """What can be promised now, what was already, and what cannot be, each with its assessment."""

    new: tuple[Promise, ...]
    already: tuple[Promise, ...]
    refused: tuple[Assessment, ...]


def promotable(rows: Iterable[Assessment], promised: Mapping[Key, Sequence[Promise]]) -> Promotable:
    """Each row promised at the level its evidence supports today.

    `promised` are the promises in the ledger; the same level on the same receipt again adds nothing.
    """
    new: list[Promise] = []
    already: list[Promise] = []
    refused: list[Assessment] = []
    for row in rows:
        if row.level not in PROMISABLE or row.receipt is None:
            refused.append(row)
            continue
        promise = Promise(row.contract, row.test, row.equation, row.subject, row.level, (row.receipt.name,))
        (already if promise in promised.get(key_of(row), ()) else new).append(promise)
    return Promotable(tuple(new), tuple(already), tuple(refused))


def by_level(promises: Iterable[Promise]) -> dict[tuple[str, Level], list[Promise]]:
    """Grouped as promotions hold them: one file for each contract and level."""
    groups: dict[tuple[str, Level], list[Promise]] = {}
    for promise in sorted(promises):
        groups.setdefault((promise.contract, promise.level), []).append(promise)
    return groups
