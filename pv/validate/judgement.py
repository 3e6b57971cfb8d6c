"""What judging one file came to; as JSON, because it travels between processes and is kept in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from pv.contract.links import Links, links_from
from pv.finding import Finding, Place, Severity
from pv.rules.suppress import Ignore

Row = list[Any]


class Kind(Enum):
    """What a file was judged as; a skipped one says that it is something else.

    `DATA` is plain data in a format of ours, `OTHER` a format of the predecessor.
    """

    CONTRACT = "contract"
    PREDECESSOR = "predecessor"
    BINDING = "binding"
    DATA = "data"
    OTHER = "other"
    SKIPPED = "skipped"


class Counts(NamedTuple):
    """What was looked at: the denominator of the verdict."""

    values: int = 0
    contracts: int = 0
    invariants: int = 0
    tests: int = 0


class Judgement(NamedTuple):
    """One file: what it is, what was counted in it, what was found, which comments answer findings, what it links to.

    `lasting` is false when something was asked that the cache's key does not cover.
    """

    path: str
    kind: Kind
    counts: Counts = Counts()
    findings: tuple[Finding, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    lasting: bool = True
    links: Links | None = None

    @property
    def unread(self) -> bool:
        """Whether the rules never saw it, because the document or its layout is wrong."""
        return self.kind in (Kind.CONTRACT, Kind.PREDECESSOR) and not self.counts.contracts


def to_row(judgement: Judgement) -> Row:
    """The judgement as JSON."""
    own = judgement.path
    ignores = [[i.place.line, i.place.column, i.line, list(i.codes), i.reason] for i in judgement.ignores]
    links = None if judgement.links is None else list(judgement.links)
    return [judgement.kind.value, list(judgement.counts), finding_rows(judgement.findings, own), ignores, links]


def from_row(path: str, row: Any, *, lasting: bool = True) -> Judgement:
    """What `to_row` made a row of. Raises ValueError, TypeError or KeyError for anything else."""
    kind, counts, findings, ignores, links = row
    return Judgement(
        path,
        Kind(kind),
        Counts(*map(_number, counts)),
        tuple(findings_from(findings, path)),
        tuple(_ignore(path, *ignore) for ignore in ignores),
        lasting,
        None if links is None else links_from(links),
    )


def finding_rows(findings: tuple[Finding, ...], own: str) -> list[Row]:
    """Findings as JSON; a place in the file `own` does not repeat its name."""
    return [
        [
            finding.code,
            finding.severity.value,
            None if finding.place.path == own else finding.place.path,
            finding.place.line,
            finding.place.column,
            finding.message,
            finding.hint,
        ]
        for finding in findings
    ]


def findings_from(rows: Any, own: str) -> Iterator[Finding]:
    """What `finding_rows` made rows of; raises as `from_row` does."""
    for code, severity, path, line, column, message, hint in rows:
        if not (
            type(code) is type(message) is type(hint) is str
            and type(line) is type(column) is int
            and (path is None or type(path) is str)
        ):
            raise ValueError("a finding is made of text, and of two whole numbers")
        place = Place(own if path is None else path, line, column)
        yield Finding(code, _SEVERITIES[severity], place, message, hint)


_SEVERITIES = {severity.value: severity for severity in Severity}


def _number(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a count is a whole number")
    return value


def _ignore(path: str, line: Any, column: Any, speaks_of: Any, codes: Any, reason: Any) -> Ignore:
    if not (type(reason) is str and type(codes) is list and all(type(code) is str for code in codes)):
        raise ValueError("a comment is made of text")
    return Ignore(Place(path, _number(line), _number(column)), _number(speaks_of), tuple(codes), reason)
