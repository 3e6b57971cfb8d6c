"""What the bindings of a project stand for: subjects and references, by contract and equation."""

from __future__ import annotations

from collections.abc import Sequence

from pv.assess.subjects import (
    ALL,
    Subjects,
    by_equation,
    choose,
    default_subject,
    not_applicable,
    reference_of,
    subjects_of,
)
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.contract.quote import nearest
from pv.finding import PvError
from pv.root import BINDING


class Bound:
    """Bindings as their tests ask for them."""

    def __init__(self, bindings: Sequence[Binding]) -> None:
        self._by_equation = by_equation(bindings)
        self._names = sorted({row.name for row in bindings if row.role == "subject"})

    def all(self, contract: Contract, test: FalsificationTest) -> tuple[Binding, ...]:
        """The code under test for the equation of `test`, the default first."""
        return subjects_of(self._rows(contract, test), contract.name, test.equation)

    def default(self, contract: Contract, test: FalsificationTest) -> Binding | None:
        """The default subject of the test's equation, or its only one."""
        return default_subject(self._rows(contract, test), contract.name, test.equation)

    def reference(self, contract: Contract, test: FalsificationTest) -> Binding | None:
        """What subjects of the test's equation are compared with, if there is something."""
        return reference_of(self._rows(contract, test), contract.name, test.equation)

    def chosen(self, contract: Contract, test: FalsificationTest, which: str) -> tuple[Binding, ...]:
        """Those of `all` that `which` means: a name, `all`, or (empty) the default one.

        Raises PvError, with the nearest name, when no subject of the project is called so.
        """
        if which not in ("", ALL) and which not in self._names:
            raise PvError(f"no subject is called {which!r} in {BINDING}", hint=nearest(which, [*self._names, ALL]))
        return choose(self._rows(contract, test), contract.name, test.equation, which)

    def applicable(self, contract: Contract, test: FalsificationTest, which: str) -> Subjects:
        """`chosen`, those to which `test` does not apply apart, each with the reason."""
        reasons = [(row, not_applicable(contract, test, row)) for row in self.chosen(contract, test, which)]
        kept = tuple(row for row, reason in reasons if not reason)
        return Subjects(kept, tuple((row, reason) for row, reason in reasons if reason))

    def _rows(self, contract: Contract, test: FalsificationTest) -> tuple[Binding, ...]:
        return self._by_equation.get((contract.name, test.equation), ())
