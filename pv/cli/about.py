"""What a receipt speaks of, and whether it still does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pv.assess.freshness import Cause, causes

if TYPE_CHECKING:
    from pv.contract.model import Binding, Contract, FalsificationTest
    from pv.ledger.receipt import Receipt
    from pv.project import Project

GONE = "its test or its subject is gone"


class About:
    """The tests and bindings of a project, to be found by receipts."""

    def __init__(self, project: Project) -> None:
        self._today = project.today
        self._tests = {(row.name, test.id): (row, test) for row in project.contracts for test in row.tests}
        self._bindings = {(row.contract, row.equation, row.name): row for row in project.bindings}

    def of(self, receipt: Receipt) -> tuple[Contract, FalsificationTest, Binding] | None:
        """What `receipt` speaks of; None when its test or its subject is gone."""
        found = self._tests.get((receipt.contract, receipt.test))
        binding = self._bindings.get((receipt.contract, receipt.equation, receipt.subject))
        return None if found is None or binding is None else (*found, binding)

    def causes(self, receipt: Receipt) -> tuple[Cause, ...] | None:
        """Why `receipt` is stale, empty when it is fresh; None when what it speaks of is gone."""
        found = self.of(receipt)
        return None if found is None else causes(receipt, *found, self._today)

    def why_not(self, receipt: Receipt) -> str:
        """Why `receipt` does not speak of today, in a line; empty when it is fresh."""
        stale = self.causes(receipt)
        if stale is None:
            return GONE
        return f"stale: {'; '.join(map(str, stale))}" if stale else ""
