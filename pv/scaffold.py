"""What a contract still lacks in code: falsifiers, faults and bindings to be written, with names for them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pv.contract.model import Binding, Contract, Equation, FalsificationTest, Holds, Invariant
from pv.source.falsifiers import FalsifierIndex

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-v[0-9]+")  # what the schema of bindings takes for a contract
_TAKEN = frozenset(("falsifier", "fault", "case", "check", "subject", "any"))
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class FalsifierStub:
    """A function to write for `test`; `attempts` pairs each clause with a line that might check it."""

    test: FalsificationTest
    function: str
    attempts: tuple[tuple[Invariant, str], ...]


@dataclass(frozen=True, slots=True)
class FaultStub:
    """A function to write that violates `clause`."""

    clause: Invariant
    function: str

    @property
    def first(self) -> str:
        """The first parameter: what an error is about is only wrong before there is an output."""
        return "subject" if self.clause.about == "error" else "output"


@dataclass(frozen=True, slots=True)
class Lacking:
    """All that is to be written for one contract; `notes` on what nothing can be written for."""

    falsifiers: tuple[FalsifierStub, ...]
    faults: tuple[FaultStub, ...]
    equations: tuple[Equation, ...]
    notes: tuple[str, ...]


def lacking(contract: Contract, index: FalsifierIndex, bindings: Iterable[Binding]) -> Lacking:
    """What `contract` lacks, in the order written: falsifiers of tests, faults of invariants, subjects of equations."""
    used: set[str] = set(_TAKEN)
    tests = [test for test in contract.tests if not index.falsifiers_of(contract.name, test.id)]
    bound = [test for test in tests if any(contract.invariant(name) for name in test.binds_to)]
    violated = {fault.invariant for fault in index.faults_of(contract.name)}
    subjects = {row.equation for row in bindings if row.contract == contract.name and row.role == "subject"}
    without = tuple(equation for equation in contract.equations if equation.name not in subjects)
    notes = [f"{test.id} binds to no invariant of {contract.name}: pv validate" for test in tests if test not in bound]
    if without and not _NAME.fullmatch(contract.name):
        notes.append(f"{contract.name} cannot be bound: a contract is called NAME-vN (pv rule PV204)")
    return Lacking(
        tuple(_falsifier(contract, test, used) for test in bound),
        tuple(
            FaultStub(clause, _unused(f"wrong_{clause.equation}_{clause.id}".lower(), used))
            for clause in contract.invariants()
            if clause.name not in violated
        ),
        without if _NAME.fullmatch(contract.name) else (),
        tuple(notes),
    )


def module_stem(contract: Contract, index: FalsifierIndex, folder: str, taken: Iterable[str]) -> str:
    """The module for new functions: that of the contract's name, or the first `…_more` which is not `taken`.

    A module of that name which says that it is another contract's is passed by: `soft_cap_v2` beside `soft_cap`.
    """
    base = _identifier(re.sub(r"-v[0-9]+$", "", contract.name))
    path = f"{folder}/{base}.py"
    owners = {entry.contract for entry in index.falsifiers if entry.path == path}
    owners |= {entry.contract for entry in index.faults if entry.path == path}
    if owners and owners.isdisjoint((None, contract.name)):
        base = _identifier(contract.name)
    present = set(taken)
    stem, number = base, 1
    while stem in present:
        stem = f"{base}_more" if number == 1 else f"{base}_more_{number}"
        number += 1
    return stem


def binding_row(contract: Contract, equation: Equation) -> str:
    """The line that binds `equation` to code whose name only the author knows."""
    return (
        f'{{contract: {contract.name}, equation: {equation.name}, name: torch, target: "your_module:{equation.name}"}}'
    )


def _falsifier(contract: Contract, test: FalsificationTest, used: set[str]) -> FalsifierStub:
    clauses = [clause for name in test.binds_to if (clause := contract.invariant(name)) is not None]
    several = len(clauses) > 1
    words = re.sub(r"[^a-z0-9]+", "_", test.rule.lower()).strip("_")
    short = words if len(words) <= _LONGEST else words[:_LONGEST].rpartition("_")[0] or words[:_LONGEST]
    attempts = tuple((clause, _attempt(clause, clause.name if several else "")) for clause in clauses)
    return FalsifierStub(test, _unused(short or "attack", used), attempts)


def _attempt(clause: Invariant, named: str) -> str:
    """A line that would check `clause`, its expectation left open."""
    suffix = f', clause="{named}")' if named else ")"
    if clause.about == "error":
        return f"check.raises(ValueError, subject, *case, naming=[…]{suffix}"
    if clause.about == "shape":
        return f"check.shape(output, […]{suffix}"
    method = "equal" if clause.holds is Holds.EXACT else "close"
    return f"check.{method}(output, expected{suffix}"


def _unused(name: str, used: set[str]) -> str:
    wanted = _identifier(name)
    found, number = wanted, 2
    while found in used:
        found, number = f"{wanted}_{number}", number + 1
    used.add(found)
    return found


def _identifier(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"attack_{name}".rstrip("_")
