"""PV310, PV312, PV313: what only a look at all contracts, all bindings and all falsifiers together can show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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
    names: Sequence[str],
    unread: Collection[str],
    bindings: Iterable[Binding],
    index: FalsifierIndex,
    contracts: Callable[[], Sequence[Contract]],
) -> Iterator[Finding]:
    """Findings on a project as a whole: `names` are its `contracts`, which are asked for where their tests have to be known.

    `unread` names those that are there and could not be read.
    """
    yield from index.findings
    known = {*names, *unread}
    for binding in bindings:
        if binding.contract not in known:
            seen = f"binds the contract {binding.contract!r}, which is not there"
            yield Finding("PV312", Severity.ERROR, binding.place, seen, nearest(binding.contract, names))
    falsifiers = [entry for entry in index.falsifiers if entry.contract is None]
    faults = [entry for entry in index.faults if entry.contract is None]
    if set(names) != known or not (falsifiers or faults):
        return  # what belongs to a contract that could not be read is not known
    tests = [test.id for contract in contracts() for test in contract.tests]
    clauses = [clause.name for contract in contracts() for clause in contract.invariants()]
    for entry in falsifiers:
        if entry.id not in tests:
            seen = f"{entry.function} attacks {entry.id!r}, which is no test of any contract"
            yield Finding("PV313", Severity.ERROR, entry.place, seen, nearest(entry.id, tests))
    for fault in faults:
        if fault.invariant not in clauses:
            seen = f"{fault.function} violates {fault.invariant!r}, which is no invariant of any contract"
            yield Finding("PV313", Severity.ERROR, fault.place, seen, nearest(fault.invariant, clauses))
