"""Whether the ledger is what pv wrote, and all of it that it cites; `pv.ledger.against` compares it with an older state.

Names catch damage and edits. They do not stop somebody who writes a receipt by hand: only running again does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pv.collector import collector_paused
from pv.finding import Finding, Place, Severity
from pv.ledger.cited import Cited
from pv.ledger.lineage import line_findings, subject_of
from pv.ledger.promotion import Promise, Promotion, read_promotions
from pv.ledger.receipt import Receipt, read_receipts
from pv.ledger.record import Record, read_runs
from pv.ledger.release import Release, read_releases
from pv.ledger.retraction import Retraction, read_retractions
from pv.ledger.store import Stored, files_below
from pv.ledger.waiver import Waiver, read_waivers
from pv.level import Level
from pv.verdict import Kind

SHELVES = ("receipts", "promotions", "retractions", "waivers", "releases", "records")
_REACH = {
    Kind.ALGORITHM: Level.PARTIAL_ALGORITHM_LEVEL,
    Kind.LIVE: Level.FUNCTIONAL,
    Kind.ORACLE: Level.DISCHARGED,
}
_FUNCTION = re.compile(r"[\w.]+:[\w.]+")
_TAMPERED = "files of the ledger are written by pv alone"
_NOT_OURS = "does not belong here"

Restore = Callable[[str], str]
"""The command that brings a file of the ledger back as it was written; empty where none does."""

Found = TypeVar("Found", Receipt, Promotion, Retraction, Waiver, Release, Record)


@dataclass(frozen=True, slots=True, eq=False)
class _Ledger:
    """What could be believed of each shelf, by name, and how to write the path of a file."""

    home: Path
    shown: str
    restore: Restore
    receipts: dict[str, Receipt | Cited]
    promotions: dict[str, Promotion]
    retractions: dict[str, Retraction]
    waivers: dict[str, Waiver]
    releases: dict[str, Release]

    def place(self, path: Path) -> Place:
        return Place(f"{self.shown}/{path.relative_to(self.home).as_posix()}")

    def bring_back(self, what: str, contract: str, name: str) -> str:
        """How the missing receipt (or other sort of file) called `name` comes back."""
        path = f"{self.shown}/{what}s/{contract}/{name}.json"
        return self.restore(path) or f"bring {path} back: no commit that git has here knows it"

    def undo(self, path: Path, problem: str) -> str:
        """How a file that cannot be believed becomes what it was."""
        shown = self.place(path).path
        if problem.startswith(_NOT_OURS):
            return f"{_TAMPERED}: take {shown} away"
        return self.restore(shown) or f"{_TAMPERED}, and no commit that git has here knows this one: take it away"


def verify(
    ledger: Path,
    shown: str,
    receipts: Iterable[Receipt | Stored] | Mapping[str, Receipt | Cited] | None = None,
    restore: Restore = lambda path: "",
    promotions: Iterable[Promotion | Stored] | None = None,
) -> Iterator[Finding]:
    """PV601 a file that cannot be believed, PV602 a cited one that is missing, PV603 one that does not fit, PV607 releases
    that contradict each other.

    `shown` is how the ledger's path is written in findings; `receipts` and `promotions` are those of the ledger, where they
    were read already; receipts by their names, where each is known to be what its name says, and in its contract's folder.
    """
    held = _Ledger(ledger, shown, restore, {}, {}, {}, {}, {})
    with collector_paused():
        if isinstance(receipts, Mapping):
            held.receipts.update(receipts)
        else:
            yield from _read(held, read_receipts(ledger / "receipts") if receipts is None else receipts, held.receipts)
        made = read_promotions(ledger / "promotions") if promotions is None else promotions
        yield from _read(held, made, held.promotions)
        yield from _findings(held)


def _findings(held: _Ledger) -> Iterator[Finding]:
    ledger = held.home
    yield from _read(held, read_retractions(ledger / "retractions"), held.retractions)
    yield from _read(held, read_waivers(ledger / "waivers"), held.waivers)
    yield from _read(held, read_releases(ledger / "releases"), held.releases)
    yield from _read(held, read_runs(ledger / "records"), {})
    for promotion in held.promotions.values():
        yield from _promotion(held, promotion)
    for retraction in held.retractions.values():
        yield from _target(held, retraction)
    for waiver in held.waivers.values():
        yield from _target(held, waiver)
    for release in held.releases.values():
        yield from _release(held, release)
    yield from line_findings(
        held.releases.values(), held.promotions.values(), held.retractions.values(), held.place, held.bring_back
    )


def count(ledger: Path) -> dict[str, int]:
    """How many files each shelf holds."""
    return {shelf: sum(1 for _ in _files(ledger / shelf)) for shelf in SHELVES}


def is_empty(ledger: Path) -> bool:
    """Whether no shelf holds a file."""
    return not any(True for shelf in SHELVES for _ in _files(ledger / shelf))


def _files(shelf: Path) -> Iterator[str]:
    return (file for _, file, below in files_below(shelf) if below == 1 and file.endswith(".json"))


def _read(held: _Ledger, found: Iterable[Found | Stored], into: MutableMapping[str, Any]) -> Iterator[Finding]:
    """Put what can be believed `into` its shelf; the rest, and what lies in another contract's folder, is a finding."""
    for record in found:
        if isinstance(record, Stored):
            leftover = "interrupted write" in record.problem
            severity, hint = (
                (Severity.WARNING, "") if leftover else (Severity.ERROR, held.undo(record.path, record.problem))
            )
            yield Finding("PV601", severity, held.place(record.path), record.problem, hint)
            continue
        into[record.path.relative_to(held.home).as_posix() if isinstance(record, Release) else record.name] = record
        folder = record.folder if isinstance(record, Receipt) else record.path.parent
        if folder.name != record.contract:
            message = f"is about {record.contract} and lies in the folder of {folder.name}"
            yield Finding("PV603", Severity.ERROR, held.place(record.path), message, _TAMPERED)


def _promotion(held: _Ledger, promotion: Promotion) -> Iterator[Finding]:
    place = held.place(promotion.path)
    for promise in promotion.promises:
        for name in promise.receipts:
            receipt = held.receipts.get(name)
            if receipt is None:
                message = f"cites the receipt {name[:12]}… for {promise.test}, which is not in the ledger"
                back = held.bring_back("receipt", promise.contract, name)
                yield Finding("PV602", Severity.ERROR, place, message, back)
            elif misfit := _misfit(promise, receipt):
                message = f"cites for {promise.test} the receipt {name[:12]}…, {misfit}"
                yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)
        cited = [held.receipts[name] for name in promise.receipts if name in held.receipts]
        if cited and max(map(_reach, cited)) < promise.level:
            kinds = ", ".join(sorted({receipt.kind.value for receipt in cited}))
            message = f"promises {promise.test} at {promise.level.short} on receipts of the kind {kinds} alone"
            yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)


def _misfit(promise: Promise, receipt: Receipt | Cited) -> str:
    """Why a receipt that `promise` cites is no evidence for it; empty when it is."""
    if (receipt.contract, receipt.test, receipt.equation, receipt.subject) != (
        promise.contract, promise.test, promise.equation, promise.subject,
    ):  # fmt: skip
        return f"which is about {receipt.test}"
    if receipt.verdict.value != "held":
        return f"whose verdict is {receipt.verdict.label}"
    if not receipt.bites:
        return "whose falsifier has no teeth"
    return ""


def _reach(receipt: Receipt | Cited) -> Level:
    """The level that a receipt can reach by its kind; where the subject is a command, every run is a live one."""
    if receipt.kind is Kind.ALGORITHM and not _is_function(receipt.target):
        return Level.FUNCTIONAL
    return _REACH[receipt.kind]


@lru_cache(maxsize=1_024)
def _is_function(target: str) -> bool:
    return _FUNCTION.fullmatch(target) is not None


def _target(held: _Ledger, record: Retraction | Waiver) -> Iterator[Finding]:
    """The promotion that is taken back or excused is there, and promises what is said of it."""
    place = held.place(record.path)
    promotion = held.promotions.get(record.target)
    verb = "takes back" if isinstance(record, Retraction) else "excuses"
    if promotion is None:
        message = f"{verb} the promotion {record.target[:12]}…, which is not in the ledger"
        back = held.bring_back("promotion", record.contract, record.target)
        yield Finding("PV602", Severity.ERROR, place, message, back)
        return
    tests = record.tests if isinstance(record, Retraction) else [row.test for row in record.excuses]
    promised = {promise.test for promise in promotion.promises if promise.contract == record.contract}
    for test in dict.fromkeys(tests):
        if test not in promised:
            message = f"{verb} {test}, which the promotion {record.target[:12]}… does not promise"
            yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)


def _release(held: _Ledger, release: Release) -> Iterator[Finding]:
    """Everything it lists is there, and each level was promised, on these receipts, by a promotion it lists."""
    place = held.place(release.path)
    listed = [("promotion", name, name in held.promotions) for name in release.promotions]
    listed += [("retraction", name, name in held.retractions) for name in release.retractions]
    listed += [("receipt", name, name in held.receipts) for row in release.promises for name in row.receipts]
    for what, name, there in dict.fromkeys(listed):
        if not there:
            message = f"cites the {what} {name[:12]}…, which is not in the ledger"
            back = held.bring_back(what, release.contract, name)
            yield Finding("PV602", Severity.ERROR, place, message, back)
    promised = {
        (subject_of(promise), promise.level, frozenset(promise.receipts))
        for name in release.promotions
        if name in held.promotions
        for promise in held.promotions[name].promises
        if promise.contract == release.contract
    }
    if all(name in held.promotions for name in release.promotions):
        for row in release.promises:
            if (subject_of(row), row.level, frozenset(row.receipts)) not in promised:
                message = f"has {row.test} ({row.subject}) at {row.level.short}, which no promotion it cites promises"
                yield Finding("PV603", Severity.ERROR, place, message, _TAMPERED)
