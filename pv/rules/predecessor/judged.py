"""What the rules for the predecessor's dialect judge, and how they register: under codes of their own, or one of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from pv.contract.document import Document, capped
from pv.contract.predecessor.model import Pointer, PredecessorContract
from pv.finding import Finding, Place, Severity
from pv.rules.registry import ProjectFacts, Report, catalogue, explained


class JudgedPredecessor(NamedTuple):
    """A contract of the predecessor whose schema holds, and the project it belongs to, if it does."""

    document: Document
    contract: PredecessorContract
    project: ProjectFacts | None = None

    def at(self, pointer: Pointer) -> Place:
        """Where the value at `pointer` begins, or its nearest ancestor that exists."""
        return self.document.place(pointer)

    def key_at(self, pointer: Pointer) -> Place:
        """Where the key of the value at `pointer` begins."""
        return self.document.place(pointer, key=True)


Check = Callable[[JudgedPredecessor], Iterator[Report]]

_CHECKS: list[tuple[str, Check]] = []


def predecessor_rule(code: str, severity: Severity = Severity.ERROR) -> Callable[[Check], Check]:
    """Register a function as the rule `code`, which only this dialect has; its docstring is what `pv rule CODE` prints."""

    def register(check: Check) -> Check:
        explained(code, check.__doc__ or "", severity)
        _CHECKS.append((code, check))
        return check

    return register


def also(code: str) -> Callable[[Check], Check]:
    """Register a function for a code that our own format has too: the defect is the same, and so is its explanation."""

    def register(check: Check) -> Check:
        _CHECKS.append((code, check))
        return check

    return register


def codes_of_checks() -> set[str]:
    """The codes of the rules that look at a contract of the dialect."""
    return {code for code, _ in _CHECKS}


def check_predecessor(judged: JudgedPredecessor) -> list[Finding]:
    """What every rule of the dialect finds, in the order of places; at most 100 per file."""
    found = [(code, place, message, hint) for code, check in _CHECKS for place, message, hint in check(judged)]
    if not found:
        return []
    severity = _severities()
    rows = sorted(found, key=lambda row: (row[1], row[0]))
    return list(capped([Finding(code, severity[code], place, seen, hint) for code, place, seen, hint in rows]))


@cache
def _severities() -> dict[str, Severity]:
    return {rule.code: rule.severity for rule in catalogue()}


def spoken_once(without: Iterable[tuple[str, Place]], of: int, what: str, hint: str) -> Iterator[Report]:
    """One report, at the first place, on all of `without`: how many of how many, and the first three."""
    rows = sorted(without, key=lambda row: row[1])
    if rows:
        listed = ", ".join(f"{name} (line {place.line})" for name, place in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        yield rows[0][1], f"{len(rows)} of {of} {what}: {listed}{more}", hint
