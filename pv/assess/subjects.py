"""Which code a falsification test is judged on: the default subject, another one by its name, or all; and why not on some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pv.contract.model import Binding, Contract, FalsificationTest

ALL = "all"


class Subjects(NamedTuple):
    """The subjects meant for one test: those it can be put to, and those it cannot, each with the reason."""

    applicable: tuple[Binding, ...]
    not_applicable: tuple[tuple[Binding, str], ...]


def by_equation(bindings: Iterable[Binding]) -> dict[tuple[str, str], tuple[Binding, ...]]:
    """`bindings` by contract and equation, in their order: for who asks about one equation after the other."""
    found: dict[tuple[str, str], list[Binding]] = {}
    for row in bindings:
        found.setdefault((row.contract, row.equation), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def subjects_of(bindings: Iterable[Binding], contract: str, equation: str) -> tuple[Binding, ...]:
    """The code under test for `equation` of the contract called `contract`: the default first, the others as written."""
    bound = [row for row in bindings if (row.contract, row.equation, row.role) == (contract, equation, "subject")]
    return tuple(sorted(bound, key=lambda row: not row.default))


def default_subject(bindings: Iterable[Binding], contract: str, equation: str) -> Binding | None:
    """The subject meant when none is named: the default, or the only one."""
    bound = subjects_of(bindings, contract, equation)
    return bound[0] if bound and (bound[0].default or len(bound) == 1) else None


def reference_of(bindings: Iterable[Binding], contract: str, equation: str) -> Binding | None:
    """What subjects of `equation` are compared with: the default reference, or the only one."""
    bound = [row for row in bindings if (row.contract, row.equation, row.role) == (contract, equation, "reference")]
    return next((row for row in bound if row.default or len(bound) == 1), None)


def choose(bindings: Iterable[Binding], contract: str, equation: str, which: str) -> tuple[Binding, ...]:
    """The subjects that `which` means: those of that name, `all`, or (empty) the default one."""
    bound = subjects_of(bindings, contract, equation)
    if not which:
        default = default_subject(bound, contract, equation)
        return (default,) if default else ()
    return tuple(row for row in bound if which in (row.name, ALL))


def not_applicable(contract: Contract, test: FalsificationTest, binding: Binding) -> str:
    """Why `test` cannot be put to the subject of `binding`; empty when it can.

    One clause that does not apply is enough: a falsifier attacks all clauses that its test is bound to.
    """
    if not binding.not_applicable:
        return ""
    reasons = dict(binding.not_applicable)
    clauses = (contract.invariant(name) for name in test.binds_to)
    return next((reasons[clause.about] for clause in clauses if clause is not None and clause.about in reasons), "")
