"""Whether what is relied on is supported: promotions against today's levels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pv.assess.levels import Assessment, run_command
from pv.assess.ratchet import Key, key_of, strongest
from pv.assess.waivers import NOTHING_EXCUSED, Excusing
from pv.finding import Finding, Place, Severity
from pv.ledger.promotion import Promise, Promotion
from pv.ledger.retraction import Retraction, in_force
from pv.ledger.waiver import Waiver
from pv.level import Level
from pv.verdict import Verdict


def unsupported(promotions: Iterable[Promotion], assessments: Mapping[Key, Assessment]) -> set[Key]:
    """What is promised above its support, among what there still is."""
    made = strongest(promotions).items()
    return {key for key, promise in made if key in assessments and assessments[key].level < promise.level}


class Broken(NamedTuple):
    """A promise above its support: the promotion that made it, what is so today (None: the test or subject is gone), and each
    waiver of it with why it has lapsed (empty while it holds).
    """

    promise: Promise
    home: Promotion
    now: Assessment | None
    waivers: tuple[tuple[Waiver, str], ...]

    @property
    def waived(self) -> Waiver | None:
        """The waiver that holds, if one does."""
        return next((waiver for waiver, lapsed in self.waivers if not lapsed), None)


def broken(
    promotions: Iterable[Promotion], assessments: Mapping[Key, Assessment], excusing: Excusing
) -> Iterator[Broken]:
    """Every promise in force that is above its support; of several about the same the strongest."""
    makers: dict[tuple[Key, Level], list[tuple[Promotion, Promise]]] = {}
    made = list(promotions)
    for promotion in made:
        for promise in promotion.promises:
            makers.setdefault((key_of(promise), promise.level), []).append((promotion, promise))
    for key, promise in sorted(strongest(made).items()):
        own, now = makers[key, promise.level], assessments.get(key)
        if now is None:
            yield Broken(promise, own[-1][0], None, ())
        elif now.level < promise.level:
            answers = [answer for home, one in own for answer in excusing.about(home.name, one, now)]
            yield Broken(promise, own[-1][0], now, tuple(answers))


def broken_promises(
    promotions: Iterable[Promotion],
    assessments: Mapping[Key, Assessment],
    shown: str,
    excusing: Excusing = NOTHING_EXCUSED,
    unread: Collection[str] = (),
) -> Iterator[Finding]:
    """PV402: a promotion above its support, a warning while a waiver holds; PV403: one of a test or subject that is gone;
    PV605: a waiver that has lapsed. `promotions` are those in force, `shown` is the ledger, `unread` names the contracts
    that are there and cannot be read: nobody should take back what was promised of them.
    """
    for one in broken(promotions, assessments, excusing):
        promise, place = one.promise, Place(f"{shown}/promotions/{one.promise.contract}/{one.home.path.name}")
        what = f"{promise.test} ({promise.equation}, {promise.subject}) is promised at {promise.level.short}"
        if one.now is None:
            if promise.contract in unread:
                message, hint = f"{what}, and its contract cannot be read", f"pv validate {promise.contract}"
            else:
                message = f"{what}, but there is no such test or subject any more"
                take_back = f"pv ledger retract {one.home.name[:12]} --id {promise.test} --reason …"
                hint = f"bring it back, or take the promise back: {take_back}"
            yield Finding("PV403", Severity.ERROR, place, message, hint)
            continue
        seen = f"{what}, supported is {one.now.level.short}{_because(one.now)}"
        if one.waived is not None:
            seen = f"{seen}; waived until {one.waived.until}: {one.waived.reason}"
            yield Finding("PV402", Severity.WARNING, place, seen, mend(one.now))
            continue
        yield Finding("PV402", one.now.severity, place, seen, _mend_for_all(one.now, promise.level))
        for waiver, lapsed in one.waivers:
            place = Place(f"{shown}/waivers/{waiver.contract}/{waiver.path.name}")
            message = f"the waiver of {promise.test} ({waiver.reason}) has lapsed: {lapsed}"
            yield Finding("PV605", Severity.WARNING, place, message, mend(one.now))


def retracted(promotions: Iterable[Promotion], retractions: Iterable[Retraction], shown: str) -> Iterator[Finding]:
    """PV606: each retraction, as long as something that it took back is not promised again. `promotions` are all there are."""
    made, taken = list(promotions), list(retractions)
    binding = strongest(in_force(made, taken))
    by_name = {promotion.name: promotion for promotion in made}
    for one in taken:
        target = by_name.get(one.target)
        lost = [] if target is None else [row for row in target.promises if one.covers(target, row.test)]
        missed = [row for row in lost if key_of(row) not in binding or binding[key_of(row)].level < row.level]
        if missed:
            first = ", ".join(row.test for row in missed[:3]) + (", …" if len(missed) > 3 else "")
            message = f"{len(missed):,} retracted at {missed[0].level.short} ({first}): {one.reason}"
            place = Place(f"{shown}/retractions/{one.contract}/{one.path.name}")
            yield Finding("PV606", Severity.NOTE, place, message, f"pv ledger promote {one.contract} promises anew")


def standing(findings: Sequence[Finding]) -> dict[str, int]:
    """How many promises are broken, wait for a run or are waived; how many waivers have lapsed, retractions there are."""
    rows = [(row.code, row.severity) for row in findings if row.code in ("PV402", "PV403")]
    return {
        "broken": sum(1 for _, severity in rows if severity is Severity.ERROR),
        "unmeasured": rows.count(("PV402", Severity.UNMEASURED)),
        "waived": rows.count(("PV402", Severity.WARNING)),
        "lapsed": sum(1 for row in findings if row.code == "PV605"),
        "retracted": sum(1 for row in findings if row.code == "PV606"),
    }


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
    if row.severity is Severity.ERROR or _would_come_to_the_same(row):
        return f"mend what {show} says, then {run_command(row)}"
    return run_command(row)


def _would_come_to_the_same(row: Assessment) -> bool:
    """Whether the last run was of what is there now, and measured nothing."""
    return row.stopped is not None and row.stopped.verdict is Verdict.NOT_MEASURED


def _mend_for_all(row: Assessment, level: Level) -> str:
    """What mends a promise of `level`; where that is a run, also what gives its receipt to everybody who reads the ledger."""
    if row.severity is Severity.ERROR or _would_come_to_the_same(row):
        return mend(row)
    subject = "" if row.default else f" --subject {row.subject}"
    return f"{mend(row)}, then pv ledger promote {row.test}{subject} --to {level.short}"


def _because(row: Assessment) -> str:
    if row.stale:
        return ": stale, " + "; ".join(str(cause) for cause in row.stale[:3])
    return ": " + "; ".join(row.lacking[:2]) if row.lacking else ""
