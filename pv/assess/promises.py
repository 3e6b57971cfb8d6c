"""Whether what is relied on is supported: promotions against today's levels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pv.assess.levels import Assessment, run_command
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


def unsupported(promotions: Iterable[Promotion], assessments: Mapping[Key, Assessment]) -> set[Key]:
    """What is promised above its support, among what there still is."""
    made = strongest(promotions).items()
    return {key for key, promise in made if key in assessments and assessments[key].level < promise.level}


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


def is_excused(row: Assessment) -> bool:
    """Whether nobody has to do anything: the test does not apply to a subject that is not the default one."""
    return row.level is Level.NOT_APPLICABLE and not row.default


def mend(row: Assessment) -> str:
    """The cheapest command that brings `row` on."""
    show = f"pv show {row.test}" + ("" if row.default else f" --subject {row.subject}")
    if row.level is Level.NOT_APPLICABLE and row.default:
        return f"bind {row.equation} to a default subject that {row.test} applies to"
    if row.level is Level.NOT_APPLICABLE:
        return f"take `not_applicable` out of the binding {row.subject} of {row.equation}"
    if row.level is Level.FALSIFIED:
        return show
    if row.level is Level.NO_CHECK:
        return f"write a falsifier for {row.test}"
    if row.severity is Severity.ERROR:
        return f"mend what {show} says, then {run_command(row)}"
    return run_command(row)


def _because(row: Assessment) -> str:
    if row.stale:
        return ": stale, " + "; ".join(str(cause) for cause in row.stale[:3])
    return ": " + "; ".join(row.lacking[:2]) if row.lacking else ""
