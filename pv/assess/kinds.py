"""Which kinds of evidence there can be of a test on a subject, and what stands in the way of the others."""

from __future__ import annotations

from pv.contract.model import Binding, Contract, FalsificationTest
from pv.level import Level
from pv.verdict import Kind

# From the least to the most: a kind and the level that its receipts reach, where those of all kinds before it hold as well.
LADDER = (
    (Kind.ALGORITHM, Level.PARTIAL_ALGORITHM_LEVEL),
    (Kind.LIVE, Level.FUNCTIONAL),
    (Kind.ORACLE, Level.DISCHARGED),
)


def declared_away(test: FalsificationTest, kind: Kind) -> str:
    """Why the contract says that `kind` does not apply to `test`; empty when it says no such thing."""
    return dict(test.not_applicable).get(kind.value, "") if test.not_applicable else ""


def is_its_own_command(binding: Binding) -> bool:
    """Whether the subject is what a user runs: then every run of it is a live one."""
    return bool(binding.command)


def unbound(
    kind: Kind, contract: Contract, test: FalsificationTest, binding: Binding, reference: Binding | None
) -> str:
    """What has to be written before `test` can be run as `kind` on the subject of `binding`; empty when nothing is missing."""
    if kind is Kind.LIVE and not binding.live and not is_its_own_command(binding):
        return f"a `live` command in the binding {binding.name} of {binding.equation}"
    if kind is Kind.ORACLE:
        clauses = (contract.invariant(name) for name in test.binds_to)
        if any(clause is not None and clause.about == "gradient" for clause in clauses):
            return f"`oracle: {{not_applicable: …}}` in {test.id}: a reference gives values, and no gradients"
        if reference is None:
            return f"a binding of {binding.equation} with `role: reference`"
    return ""


def kinds_of(
    contract: Contract, test: FalsificationTest, binding: Binding, reference: Binding | None
) -> tuple[Kind, ...]:
    """The kinds that can be run: bound, not declared away, and no run of another kind."""
    return tuple(
        kind
        for kind, _ in LADDER
        if not declared_away(test, kind)
        and not unbound(kind, contract, test, binding, reference)
        and not (kind is Kind.LIVE and is_its_own_command(binding))
    )
