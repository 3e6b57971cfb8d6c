"""The level of each (falsification test, subject): computed from receipts in any order, never typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pv.assess.freshness import Cause, Today, causes
from pv.assess.policy import Policy, Scope
from pv.assess.subjects import not_applicable
from pv.contract.model import SMOKE_ABOUT, Binding, Contract, FalsificationTest
from pv.finding import Severity
from pv.ledger.receipt import Receipt
from pv.level import Level
from pv.verdict import Kind, Verdict

# Of receipts for the same digests the strongest statement counts: a case that breaks the invariant exists; a run that held,
# with faults caught, exists; then the rest. A later run takes nothing back, so the order of receipts does not matter.
_STRENGTH = (Verdict.FALSIFIED, Verdict.HELD, Verdict.VACUOUS, Verdict.ERRORED, Verdict.NOT_MEASURED)
_LADDER = (
    (Kind.ALGORITHM, Level.PARTIAL_ALGORITHM_LEVEL),
    (Kind.LIVE, Level.FUNCTIONAL),
    (Kind.ORACLE, Level.DISCHARGED),
)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is known today of one test on one subject.

    `receipt` is the one that decides (None without evidence); `stale` its causes; `was` the level it would support if it
    were fresh; `lacking` says item by item what the next level needs. `default` is false of a subject that has to be named
    to be meant; `not_applicable` says why the test cannot be put to this subject, and is empty when it can.
    """

    contract: str
    test: str
    equation: str
    subject: str
    level: Level
    was: Level
    stale: tuple[Cause, ...]
    receipt: Receipt | None
    lacking: tuple[str, ...]
    default: bool = True
    not_applicable: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of the deciding receipt."""
        return self.receipt.verdict if self.receipt else None

    @property
    def severity(self) -> Severity:
        """How a missing level weighs: what failed, or cannot be, must be mended; what is stale or missing must be run."""
        if self.level in (Level.NOT_APPLICABLE, Level.FALSIFIED, Level.NO_CHECK):
            return Severity.ERROR
        broken = (
            self.receipt is not None and not self.stale and self.receipt.verdict in (Verdict.VACUOUS, Verdict.ERRORED)
        )
        return Severity.ERROR if broken else Severity.UNMEASURED


def assess(
    contract: Contract,
    test: FalsificationTest,
    binding: Binding,
    receipts: Iterable[Receipt],
    today: Today,
    scope: Scope,
    policy: Policy,
    *,
    default: bool = True,
) -> Assessment:
    """The level that `receipts` support for `test` on the subject of `binding`, today."""
    none = Level.NO_CHECK
    row = Assessment(contract.name, test.id, test.equation, binding.name, none, none, (), None, (), default)
    if reason := not_applicable(contract, test, binding):
        never = Level.NOT_APPLICABLE
        return replace(
            row, level=never, was=never, lacking=(f"a subject it applies to: {reason}",), not_applicable=reason
        )
    if not today.index.falsifiers_of(contract.name, test.id):
        return replace(row, lacking=(f"a falsifier: no function is marked @falsifier({test.id!r})",))
    judged = [
        (receipt, causes(receipt, contract, test, binding, today))
        for receipt in receipts
        if _about(receipt, test, binding)
    ]
    fresh = [receipt for receipt, stale in judged if not stale]
    if not fresh:
        none = Level.NO_EVIDENCE
        return _without_fresh(replace(row, level=none, was=none), judged, contract, test, policy)
    return _with_fresh(row, fresh, contract, test, scope, policy)


def _with_fresh(
    row: Assessment,
    fresh: Sequence[Receipt],
    contract: Contract,
    test: FalsificationTest,
    scope: Scope,
    policy: Policy,
) -> Assessment:
    strongest = min(fresh, key=lambda receipt: (_STRENGTH.index(receipt.verdict), -receipt.cases, receipt.name))
    if strongest.verdict is Verdict.FALSIFIED:
        lacking = ("the invariant to hold: see the counterexample",)
        return replace(row, level=Level.FALSIFIED, was=Level.FALSIFIED, receipt=strongest, lacking=lacking)
    wants = {receipt.name: _wants(receipt, contract, test, scope, policy) for receipt in fresh}
    supporting = [receipt for receipt in fresh if not wants[receipt.name]]
    level, missing = _climb(supporting, test)
    if level is Level.NO_EVIDENCE:
        return replace(row, level=level, was=level, receipt=strongest, lacking=wants[strongest.name] or missing)
    best = min(supporting, key=lambda receipt: (-receipt.cases, receipt.name))
    return replace(row, level=level, was=level, receipt=best, lacking=missing)


def run_command(row: Assessment) -> str:
    """The command that runs this test on this subject."""
    return f"pv falsify --id {row.test}" + ("" if row.default else f" --subject {row.subject}")


def _about(receipt: Receipt, test: FalsificationTest, binding: Binding) -> bool:
    return (receipt.contract, receipt.test, receipt.equation, receipt.subject) == (
        binding.contract, test.id, binding.equation, binding.name,
    )  # fmt: skip


def _without_fresh(
    row: Assessment,
    judged: Sequence[tuple[Receipt, tuple[Cause, ...]]],
    contract: Contract,
    test: FalsificationTest,
    policy: Policy,
) -> Assessment:
    """No fresh receipt: nothing is supported; the nearest stale one says why and what it once showed."""
    row = replace(row, lacking=(f"a run: {run_command(row)}",))
    if not judged:
        return row
    receipt, stale = min(judged, key=lambda pair: (len(pair[1]), _STRENGTH.index(pair[0].verdict), pair[0].name))
    was, _ = _climb([receipt] if not _wants(receipt, contract, test, Scope(), policy) else [], test)
    return replace(row, was=was, stale=stale, receipt=receipt)


def _wants(
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
    share = max(policy.stratum, -(-policy.cases // max(len(receipt.strata), 1)))
    thin = [row for row in receipt.strata if row.distinct < (1 if row.exhausted else share)]
    if thin or not receipt.strata:
        seen = ", ".join(f"{row.name} {row.distinct}" for row in thin) or "no strata"
        found.append(f"more cases: {seen}; {share} in each stratum")
    return tuple(found)


def _bites(receipt: Receipt, contract: Contract, test: FalsificationTest) -> bool:
    """Whether a mutant was killed, or none got past the smoke check; not asked where all clauses are about what that sees."""
    clauses = [clause for name in test.binds_to if (clause := contract.invariant(name)) is not None]
    if all(clause.about in SMOKE_ABOUT for clause in clauses):
        return True
    return receipt.mutants is not None and (bool(receipt.mutants.killed) or not receipt.mutants.past)


def _climb(supporting: Sequence[Receipt], test: FalsificationTest) -> tuple[Level, tuple[str, ...]]:
    """The highest rung reached without a gap; a kind that cannot apply is stepped over but grants nothing."""
    kinds = {receipt.kind for receipt in supporting}
    waived = dict(test.not_applicable)
    level = Level.NO_EVIDENCE
    for kind, rung in _LADDER:
        if kind in kinds:
            level = rung
        elif kind.value not in waived:
            return level, (f"a run of the kind {kind.value!r} for {rung.short}",)
    return level, ()
