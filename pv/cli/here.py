"""What a run on this machine would speak for, and which tests no run has shown there."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from pv.assess.policy import Scope
from pv.cli.about import About

if TYPE_CHECKING:
    from pv.assess.levels import Assessment
    from pv.ledger.receipt import Receipt
    from pv.project import Project

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Here:
    """This machine: its scope (None without torch, with which nothing can be measured), and the rows not measured in it."""

    scope: Scope | None
    missing: tuple[Assessment, ...]
    selected: int

    @property
    def text(self) -> str:
        """One line for people."""
        if self.scope is None:
            return "here: torch is not installed, nothing can be measured on this machine"
        where = ", ".join(f"{key} {values[0]}" for key, values in self.scope.accepted)
        seen = f"here ({where}): {len(self.missing):,} of {self.selected:,} not measured"
        names = [f"{row.test} ({row.subject})" for row in self.missing[:_SHOWN]]
        more = [f"{len(self.missing) - _SHOWN:,} more"] if len(self.missing) > _SHOWN else []
        return f"{seen}: {', '.join([*names, *more])}" if names else seen

    @property
    def value(self) -> dict[str, Any]:
        """The same as JSON."""
        rows = [{"contract": row.contract, "test": row.test, "subject": row.subject} for row in self.missing]
        scope = None if self.scope is None else {key: values[0] for key, values in self.scope.accepted}
        return {"scope": scope, "selected": self.selected, "not_measured": rows}


def measured_here(project: Project, rows: Iterable[Assessment]) -> Here:
    """Which of `rows` no fresh receipt of this machine's Python, torch and device speaks of."""
    applicable = [row for row in rows if not row.not_applicable and row.subject]
    scope, about = _scope(), About(project)
    missing = tuple(
        row
        for row in applicable
        if scope is None or not _measured(row, project.receipts.get(row.test, ()), scope, about)
    )
    return Here(scope, missing, len(applicable))


def _scope() -> Scope | None:
    """As a run would record it, without importing torch; runs measure on the CPU."""
    try:
        torch = version("torch").partition("+")[0]
    except PackageNotFoundError:
        return None
    python = ".".join(platform.python_version_tuple()[:2])
    return Scope((("python", (python,)), ("torch", (torch,)), ("device", ("cpu",))))


def _measured(row: Assessment, receipts: Iterable[Receipt], scope: Scope, about: About) -> bool:
    from pv.report.status import MEASURED

    wanted = (row.contract, row.equation, row.subject)
    return any(
        receipt.verdict in MEASURED and not scope.outside(receipt) and not about.why_not(receipt)
        for receipt in receipts
        if (receipt.contract, receipt.equation, receipt.subject) == wanted
    )
