"""PV310, PV312, PV313: what only a look at all contracts, all bindings and all falsifiers together can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pv.contract.model import Binding, Contract
from pv.contract.quote import nearest
from pv.finding import Finding, Severity
from pv.rules.registry import explained

if TYPE_CHECKING:
    from pv.source.falsifiers import FalsifierIndex

explained(
    "PV312",
    """A binding names a contract that is not there.

    The code it stands for is then attacked by nothing, while the binding looks as if it were.

        FAIL    {contract: microgpt-v2, equation: one_hot, …}    contracts/ holds microgpt-v1.yaml
        PASS    {contract: microgpt-v1, equation: one_hot, …}
    """,
)
explained(
    "PV313",
    """A falsifier or fault belongs to no contract: its module names none, and no contract has its test or invariant.

    It runs for nothing. Correct the id, or say `CONTRACT = "…"` in the module.

        FAIL    @falsifier("FALSIFY-CAP-01")
        PASS    @falsifier("FALSIFY-CAP-001")
    """,
)


def check_project(
    contracts: Sequence[Contract], unread: Iterable[str], bindings: Iterable[Binding], index: FalsifierIndex
) -> Iterator[Finding]:
    """Findings on a project as a whole. `unread` names contracts that are there and could not be read."""
    yield from index.findings
    names = [contract.name for contract in contracts]
    known = {*names, *unread}
    for binding in bindings:
        if binding.contract not in known:
            seen = f"binds the contract {binding.contract!r}, which is not there"
            yield Finding("PV312", Severity.ERROR, binding.place, seen, nearest(binding.contract, names))
    if set(names) != known:
        return  # what belongs to a contract that could not be read is not known
    tests = [test.id for contract in contracts for test in contract.tests]
    clauses = [clause.name for contract in contracts for clause in contract.invariants()]
    for entry in index.falsifiers:
        if entry.contract is None and entry.id not in tests:
            seen = f"{entry.function} attacks {entry.id!r}, which is no test of any contract"
            yield Finding("PV313", Severity.ERROR, entry.place, seen, nearest(entry.id, tests))
    for fault in index.faults:
        if fault.contract is None and fault.invariant not in clauses:
            seen = f"{fault.function} violates {fault.invariant!r}, which is no invariant of any contract"
            yield Finding("PV313", Severity.ERROR, fault.place, seen, nearest(fault.invariant, clauses))
