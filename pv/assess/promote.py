"""From levels to promotions: what `pv ledger promote` would write, and what is missing when more is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pv.assess.kinds import LADDER
from pv.assess.levels import Assessment
from pv.assess.ratchet import Key, key_of
from pv.ledger.promotion import Promise, promotion_value
from pv.ledger.retraction import Retraction
from pv.ledger.store import name_of
from pv.level import PROMISABLE, Level


@dataclass(frozen=True, slots=True)
class Promotable:
    """What can be promised now, what was already, and what cannot be, each with its assessment."""

    new: tuple[Promise, ...]
    already: tuple[Promise, ...]
    refused: tuple[Assessment, ...]


def promotable(
    rows: Iterable[Assessment], promised: Mapping[Key, Sequence[Promise]], wanted: Level | None = None
) -> Promotable:
    """Each row promised at the level its evidence supports today, or at `wanted` where it supports that.

    `promised` are the promises in force; the same level on the same receipts again adds nothing.
    """
    new: list[Promise] = []
    already: list[Promise] = []
    refused: list[Assessment] = []
    for row in rows:
        level = row.level if wanted is None else wanted
        if row.level not in PROMISABLE or row.level < level:
            refused.append(row)
            continue
        promise = Promise(row.contract, row.test, row.equation, row.subject, level, _cited(row, level))
        (already if promise in promised.get(key_of(row), ()) else new).append(promise)
    return Promotable(tuple(new), tuple(already), tuple(refused))


def missing(row: Assessment, wanted: Level | None) -> list[str]:
    """What `row` lacks, item by item, to be promised (at `wanted`, when that was asked for)."""
    above = [f"{level.short}: " for level in PROMISABLE if wanted is not None and level > wanted]
    return [item for item in row.lacking if not item.startswith(tuple(above))]


def files_of(
    promises: Iterable[Promise], retractions: Iterable[Retraction]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(contract, name, JSON) of each promotion that `promises` make: one for each contract and level.

    Where it would be one that was taken back it names that retraction, so that it is another and binds.
    """
    taken = list(retractions)
    for (contract, level), group in by_level(promises).items():
        value = promotion_value(contract, level, group)
        while ended := [one.name for one in taken if (one.contract, one.target) == (contract, name_of(value))]:
            value = promotion_value(contract, level, group, ended)
        yield contract, name_of(value), value


def by_level(promises: Iterable[Promise]) -> dict[tuple[str, Level], list[Promise]]:
    """Grouped as promotions hold them: one file for each contract and level."""
    groups: dict[tuple[str, Level], list[Promise]] = {}
    for promise in sorted(promises):
        groups.setdefault((promise.contract, promise.level), []).append(promise)
    return groups


def _cited(row: Assessment, level: Level) -> tuple[str, ...]:
    """The receipts that carry `row` up to `level`: all where none is of the very kind, as where that does not apply."""
    rungs = dict(LADDER)
    enough = [receipt for receipt in row.receipts if rungs[receipt.kind] <= level]
    exact = any(rungs[receipt.kind] is level for receipt in enough)
    return tuple(sorted(receipt.name for receipt in (enough if exact else row.receipts)))
