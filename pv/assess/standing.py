"""What the receipts of one kind come to today: the one that counts, or what the nearest to that lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pv.assess.freshness import Cause
from pv.assess.policy import Policy, Scope
from pv.contract.model import SMOKE_ABOUT, Contract, FalsificationTest
from pv.ledger.receipt import Receipt, Stratum
from pv.verdict import Kind, Verdict

# Of receipts for the same digests the strongest statement counts: a case that breaks the invariant exists; a run that held,
# with faults caught, exists; then the rest. A later run takes nothing back, so the order of receipts does not matter.
_STRENGTH = (Verdict.FALSIFIED, Verdict.HELD, Verdict.VACUOUS, Verdict.ERRORED, Verdict.NOT_MEASURED)

Judged = tuple[Receipt, tuple[Cause, ...]]
"""A receipt and why it is stale (empty: it is fresh)."""


class Standing(NamedTuple):
    """The receipts of one kind.

    `best` supports its level. Of those that do not, `weak` is the strongest fresh one, with what it `wants` and how many
    `examples` to ask for where it saw too few (0: as many as usual), and `old` the nearest stale one, with why it is `stale`
    and whether it `stood` while it was fresh.
    """

    kind: Kind
    best: Receipt | None = None
    weak: Receipt | None = None
    wants: tuple[str, ...] = ()
    examples: int = 0
    old: Receipt | None = None
    stale: tuple[Cause, ...] = ()
    stood: bool = False

    @property
    def holds(self) -> bool:
        """Whether this kind is shown today."""
        return self.best is not None

    @property
    def held(self) -> bool:
        """Whether it is, or would be if what is stale were fresh."""
        return self.best is not None or (self.weak is None and self.stood)


def standing(
    kind: Kind, judged: Sequence[Judged], contract: Contract, test: FalsificationTest, scope: Scope, policy: Policy
) -> Standing:
    """The standing of `kind` by those of `judged` that are of it, whatever their order."""
    mine = [(receipt, stale) for receipt, stale in judged if receipt.kind is kind]
    if not mine:
        return Standing(kind)
    fresh = [receipt for receipt, stale in mine if not stale]
    if fresh:
        most = sorted(fresh, key=lambda receipt: (-receipt.cases, receipt.name))
        best = next((receipt for receipt in most if not wants(receipt, contract, test, scope, policy)), None)
        if best is not None:
            return Standing(kind, best=best)
        weak = strongest(fresh)
        lacks = wants(weak, contract, test, scope, policy)
        return Standing(kind, weak=weak, wants=lacks, examples=_examples(weak, policy))
    receipt, stale = min(mine, key=lambda pair: (len(pair[1]), _STRENGTH.index(pair[0].verdict), pair[0].name))
    return Standing(kind, old=receipt, stale=stale, stood=not wants(receipt, contract, test, Scope(), policy))


def strongest(receipts: Sequence[Receipt]) -> Receipt:
    """The receipt that states most, and of such the one with most cases."""
    return min(receipts, key=lambda receipt: (_STRENGTH.index(receipt.verdict), -receipt.cases, receipt.name))


def wants(
    receipt: Receipt, contract: Contract, test: FalsificationTest, scope: Scope, policy: Policy
) -> tuple[str, ...]:
    """What a receipt lacks to count at all."""
    if receipt.verdict is not Verdict.HELD:
        return (f"a run that holds: the last was {receipt.verdict.label}: {receipt.reason}",)
    found = []
    outside = scope.outside(receipt)
    if outside:
        found.append(f"a run in scope: this one has {outside}")
    bitten = {tooth.invariant for tooth in receipt.teeth if tooth.caught}
    toothless = [name for name in test.binds_to if name not in bitten]
    if toothless or not all(tooth.caught for tooth in receipt.teeth):
        found.append(f"teeth: no caught fault of {', '.join(toothless) or 'some invariant'}")
    if not _bites(receipt, contract, test):
        found.append("teeth: no mutant of the subject killed")
    if receipt.checks < receipt.cases:
        found.append("a check for every case")
    thin = _thin(receipt, policy)
    if thin or not receipt.strata:
        seen = ", ".join(f"{row.name} {row.distinct}" for row in thin) or "no strata"
        found.append(f"more cases: {seen}; {_share(receipt, policy)} in each stratum")
    return tuple(found)


def _share(receipt: Receipt, policy: Policy) -> int:
    """How many distinct cases each stratum must have seen."""
    return max(policy.stratum, -(-policy.cases // max(len(receipt.strata), 1)))


def _thin(receipt: Receipt, policy: Policy) -> list[Stratum]:
    """The strata that saw too few."""
    share = _share(receipt, policy)
    return [row for row in receipt.strata if row.distinct < (_all_there_are(row, receipt, policy) or share)]


def _examples(receipt: Receipt, policy: Policy) -> int:
    """How many cases to ask for instead of those that were too few: what a falsifier asks for itself may be less."""
    if receipt.verdict is not Verdict.HELD or not _thin(receipt, policy):
        return 0
    enough = _share(receipt, policy) * len(receipt.strata)
    return enough if receipt.requested < enough else 2 * receipt.requested


def _all_there_are(row: Stratum, receipt: Receipt, policy: Policy) -> int:
    """How many cases are enough because there are no others; 0 where there are.

    The strata of arguments are called `x.huge` (`ordinary`, where none is declared). Others are a falsifier's own: that
    it makes no more cases says nothing of what there is.
    """
    if not row.exhausted:
        return 0
    declared = "." in row.name or row.name == "ordinary" or receipt.kind is Kind.LIVE
    return 1 if declared else policy.stratum


def _bites(receipt: Receipt, contract: Contract, test: FalsificationTest) -> bool:
    """Whether a mutant was killed, or none got past the smoke check; not asked where all clauses are about what that sees."""
    clauses = [clause for name in test.binds_to if (clause := contract.invariant(name)) is not None]
    if all(clause.about in SMOKE_ABOUT for clause in clauses):
        return True
    return receipt.mutants is not None and (bool(receipt.mutants.killed) or not receipt.mutants.past)
