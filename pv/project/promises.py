"""The promises of a project against what is there today."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pv.assess.freshness import causes
from pv.assess.promises import broken_promises, retracted
from pv.assess.waivers import Excusing, state_of
from pv.contract.model import Contract, FalsificationTest
from pv.finding import Finding
from pv.ledger.promotion import Promise
from pv.root import LEDGER

if TYPE_CHECKING:  # which imports this
    from pv.project.project import Project


def promise_findings(project: Project) -> tuple[Finding, ...]:
    """See `Project.promise_findings`."""
    unread = {Path(file.document.path).stem for file in project.contract_files if file.contract is None}
    broken = broken_promises(project.promotions, project.assessments(), LEDGER, project.excusing, unread)
    return (*broken, *retracted(project.promotions_made, project.retractions, LEDGER))


def excusing(project: Project) -> Excusing:
    """See `Project.excusing`."""
    return Excusing(project.waivers, datetime.now(UTC).date(), lambda promise: _state(project, promise))


def cites_fresh(project: Project, promise: Promise) -> bool:
    """See `Project.cites_fresh`."""
    found = _test_of(project, promise)
    held = {row.name: row for rows in project.receipts.values() for row in rows}
    if found is None or not all(name in held for name in promise.receipts):
        return False
    bound = {row.name: row for row in project.subjects_of(*found)}
    return promise.subject in bound and not any(
        causes(held[name], *found, bound[promise.subject], project.today) for name in promise.receipts
    )


def _state(project: Project, promise: Promise) -> str:
    """What a waiver of `promise` holds on to; empty where the test is gone."""
    found = _test_of(project, promise)
    if found is None:
        return ""
    bound = {row.name: row for row in project.subjects_of(*found)}
    cited = [row for rows in project.receipts.values() for row in rows if row.name in promise.receipts]
    return state_of(*found, bound.get(promise.subject), cited, project.today)


def _test_of(project: Project, promise: Promise) -> tuple[Contract, FalsificationTest] | None:
    every = ((contract, test) for contract in project.contracts for test in contract.tests)
    return next((row for row in every if (row[0].name, row[1].id) == (promise.contract, promise.test)), None)
