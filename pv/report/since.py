"""What became of levels since a reference, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pv.assess.policy import Scope
from pv.assess.since import Change, Turn
from pv.report.status import freshness


@dataclass(frozen=True, slots=True)
class Told:
    """A change with who made the edits behind it: (path, name) of each file of which that is known."""

    change: Change
    authors: tuple[tuple[str, str], ...] = ()

    @property
    def was(self) -> str:
        """The level then, as tables print it; a dash for what was not there."""
        return "–" if self.change.was is None else self.change.was.short

    @property
    def now(self) -> str:
        """The level today; a dash for what is gone."""
        return "–" if self.change.turn is Turn.WENT else self.change.row.level.short


@dataclass(frozen=True, slots=True)
class Since:
    """Everything that changed since `reference`, the worst first."""

    reference: str
    told: tuple[Told, ...]


def since_lines(since: Since, scope: Scope) -> list[str]:
    """What changed, a line each, and how much of each kind."""
    lines = []
    for row in since.told:
        change = row.change
        line = f"{change.turn.value}: {change.row.test} ({change.row.contract}: {change.row.equation}, {change.row.subject})"
        because = "; ".join(part for part in (why(change, scope), by(row)) if part)
        lines.append(f"{line}  {row.was} → {row.now}" + (f"  {because}" if because else ""))
    return [*lines, f"since {since.reference}: {counts_text(since.told)}"]


def since_value(since: Since, scope: Scope) -> dict[str, Any]:
    """The same as JSON."""
    rows = [
        {
            "turn": row.change.turn.value,
            "contract": row.change.row.contract,
            "test": row.change.row.test,
            "equation": row.change.row.equation,
            "subject": row.change.row.subject,
            "was": None if row.change.was is None else row.change.was.name,
            "now": None if row.change.turn is Turn.WENT else row.change.row.level.name,
            "why": why(row.change, scope),
            "by": [{"path": path, "author": name} for path, name in row.authors],
        }
        for row in since.told
    ]
    counts = Counter(row.change.turn for row in since.told)
    return {
        "reference": since.reference,
        "counts": {turn.value: counts[turn] for turn in Turn},
        "changes": rows,
    }


def counts_text(told: Iterable[Told]) -> str:
    """`1 fell, 2 went stale`, what there is; or that nothing changed."""
    counts = Counter(row.change.turn for row in told)
    return ", ".join(f"{counts[turn]:,} {turn.value}" for turn in Turn if counts[turn]) or "no level changed"


def why(change: Change, scope: Scope) -> str:
    """What the level of today is due to; nothing for what rose or went."""
    row = change.row
    if change.turn in (Turn.WENT, Turn.ROSE):
        return ""
    if row.stale or row.receipt is None:
        return freshness(row, scope)
    return "; ".join(row.lacking) if change.turn is Turn.FELL else ""


def by(told: Told) -> str:
    """`by Ann (kernels.py)`, every author with the files edited; empty where it is not known."""
    names: dict[str, list[str]] = {}
    for path, name in told.authors:
        names.setdefault(name, []).append(path)
    return ", ".join(f"by {name} ({', '.join(paths)})" for name, paths in names.items())
