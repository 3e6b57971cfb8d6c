"""Whether what is relied on is supported: promotions against today's levels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pv.assess.levels import Assessment
from pv.finding import Finding, Place, Severity
from pv.ledger.promotion import Promise, Promotion
from pv.level import Level

Key = tuple[str, str, str, str]


def key_of(row: Assessment | Promise) -> Key:
    """(contract, test, equation, subject)."""
    return row.contract, row.test, row.equation, row.subject


def strongest(promotions: Iterable[Promotion]) -> dict[Key, Promise]:
    """The highest promise made for each (test, subject): the ratchet, whatever the order."""
    found: dict[Key, Promise] = {}
    for promotion in promotions:
        for promise in promotion.promises:
            before = found.get(key_of(promise))
            if before is None or before.level < promise.level:
                found[key_of(promise)] = promise
    return found


def broken_promises(
    promotions: Iterable[Promotion], assessments: Mapping[Key, Assessment], shown: str
) -> Iterator[Finding]:
    """PV402: a promotion above its support, PV403: a promotion of a test or subject that is gone. `shown` is the ledger."""
    made = list(promotions)
    homes = {(key_of(promise), promise.level): promotion for promotion in made for promise in promotion.promises}
    for key, promise in sorted(strongest(made).items()):
        place = Place(f"{shown}/promotions/{promise.contract}/{homes[key, promise.level].path.name}")
        now = assessments.get(key)
        what = f"{promise.test} ({promise.equation}, {promise.subject}) is promised at {promise.level.short}"
        if now is None:
            yield Finding("PV403", Severity.ERROR, place, f"{what}, but there is no such test or subject any more",
                          "bring it back: a promise is not dropped by deleting what it is about")  # fmt: skip
        elif now.level < promise.level:
            yield Finding(
                "PV402", now.severity, place, f"{what}, supported is {now.level.short}{_because(now)}", mend(now)
            )


def mend(row: Assessment) -> str:
    """The cheapest command that brings `row` on."""
    if row.level is Level.FALSIFIED:
        return f"pv show {row.test}"
    if row.level is Level.NO_CHECK:
        return f"write a falsifier for {row.test}"
    if row.severity is Severity.ERROR:
        return f"mend what pv show {row.test} says, then pv falsify --id {row.test}"
    return f"pv falsify --id {row.test}"


def _because(row: Assessment) -> str:
    if row.stale:
        return ": stale, " + "; ".join(str(cause) for cause in row.stale[:3])
    return ": " + "; ".join(row.lacking[:2]) if row.lacking else ""
