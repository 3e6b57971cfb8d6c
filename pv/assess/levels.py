"""The level of each (falsification test, subject): computed from receipts in any order, never typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pv.assess.freshness import Cause, Today, causes
from pv.assess.kinds import LADDER, declared_away, is_its_own_command, unbound
from pv.assess.policy import Policy, Scope
from pv.assess.standing import Judged, Standing, standing, strongest
from pv.assess.subjects import not_applicable, reference_of
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.finding import Severity
from pv.ledger.receipt import Receipt
from pv.level import Level
from pv.verdict import Kind, Verdict


class Assessment(NamedTuple):
    """What is known today of one test on one subject.

    `receipts` carry the level, one for each kind on the way up to it; `receipt` is the one that decides for people (None
    without evidence). `stale` says why evidence that once showed more no longer does, `was` the level with that; `lacking` says
    item by item what the levels above need. `stopped` is a fresh receipt of the next kind that does not count; `shown` are the
    kinds that are shown today, whatever the level; `examples` says how many cases to ask for where a run saw too few. `default`
    is false of a subject that has to be named to be meant; `not_applicable` says why the test cannot be put to this subject,
    and is empty when it can.

    >>> import pv
    >>> rows = pv.open_project().assessments().values()
    >>> all(isinstance(row, pv.Assessment) for row in rows), [row for row in rows if row.level and not row.contract]
    (True, [])
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
    receipts: tuple[Receipt, ...] = ()
    stopped: Receipt | None = None
    shown: tuple[Kind, ...] = ()
    examples: int = 0

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of the deciding receipt."""
        return self.receipt.verdict if self.receipt else None

    @property
    def severity(self) -> Severity:
        """How a missing level weighs: what failed, or cannot be, must be mended; what is stale or missing must be run."""
        if self.level in (Level.NOT_APPLICABLE, Level.FALSIFIED, Level.NO_CHECK):
            return Severity.ERROR
        broken = self.stopped is not None and self.stopped.verdict in (Verdict.VACUOUS, Verdict.ERRORED)
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
        return row._replace(
            level=never, was=never, lacking=(f"a subject it applies to: {reason}",), not_applicable=reason
        )
    if not today.index.falsifiers_of(contract.name, test.id):
        return row._replace(lacking=(f"a falsifier: no function is marked @falsifier({test.id!r})",))
    judged = list(_judged(receipts, contract, test, binding, today))
    broken = [receipt for receipt, stale in judged if not stale and receipt.verdict is Verdict.FALSIFIED]
    if broken:
        lacking = ("the invariant to hold: see the counterexample",)
        found = row._replace(level=Level.FALSIFIED, was=Level.FALSIFIED, lacking=lacking)
        return found._replace(receipt=strongest(broken), receipts=(strongest(broken),))
    rungs = [standing(kind, judged, contract, test, scope, policy) for kind, _ in LADDER]
    if is_its_own_command(binding):
        rungs[1] = rungs[0]._replace(kind=Kind.LIVE)
    reference = reference_of(today.bound(contract.name, test.equation), contract.name, test.equation)
    return _climbed(row, rungs, judged, test, lambda kind: unbound(kind, contract, test, binding, reference))


def _judged(
    receipts: Iterable[Receipt], contract: Contract, test: FalsificationTest, binding: Binding, today: Today
) -> Iterator[Judged]:
    """Those about `test` on the subject; what depends on the same, which is then one object, is stale for the same reasons."""
    about = binding.contract, test.id, binding.equation, binding.name
    known: dict[tuple[int, str, int], tuple[Cause, ...]] = {}
    for receipt in receipts:
        if (receipt.contract, receipt.test, receipt.equation, receipt.subject) == about:
            # By identity: to hash what is depended on, or an Enum, takes longer than all the rest.
            key = id(receipt.depends), receipt.digests, id(receipt.kind)
            if key not in known:
                known[key] = causes(receipt, contract, test, binding, today)
            yield receipt, known[key]


def _climbed(
    row: Assessment,
    rungs: Sequence[Standing],
    judged: Sequence[Judged],
    test: FalsificationTest,
    missing: Callable[[Kind], str],
) -> Assessment:
    """`row` at the highest rung reached without a gap."""
    level = _climb([rung.holds for rung in rungs], test)
    was = _climb([rung.held for rung in rungs], test)
    above = [
        (rung, reached)
        for rung, (kind, reached) in zip(rungs, LADDER, strict=True)
        if reached > level and not rung.holds and not declared_away(test, kind)
    ]
    lost = [cause for rung, reached in above if reached <= was or level is Level.NO_EVIDENCE for cause in rung.stale]
    lacking = [item for rung, reached in above for item in _lacking(row, rung, reached, missing(rung.kind))]
    if level is Level.NO_EVIDENCE and above:
        lacking = list(_lacking(row, *above[0], missing(above[0][0].kind)))
    carrying = [rung.best for rung, (_, reached) in zip(rungs, LADDER, strict=True) if rung.best and reached <= level]
    return Assessment(
        row.contract,
        row.test,
        row.equation,
        row.subject,
        level,
        was,
        stale=tuple(dict.fromkeys(lost)),
        receipt=_deciding(rungs, judged),
        lacking=tuple(lacking),
        default=row.default,
        receipts=tuple({receipt.name: receipt for receipt in carrying}.values()),
        stopped=next((rung.weak for rung, _ in above), None),
        shown=tuple(rung.kind for rung in rungs if rung.holds),
        examples=max((rung.examples for rung, _ in above), default=0),
    )


def _climb(holds: Sequence[bool], test: FalsificationTest) -> Level:
    """The highest rung up to which all hold; a kind that cannot apply is stepped over but grants nothing."""
    level = Level.NO_EVIDENCE
    for held, (kind, reached) in zip(holds, LADDER, strict=True):
        if held:
            level = reached
        elif not declared_away(test, kind):
            return level
    return level


def _lacking(row: Assessment, rung: Standing, level: Level, missing: str) -> tuple[str, ...]:
    """What one rung needs: something to be written, a mended receipt, a run."""
    aim = "" if rung.kind is Kind.ALGORITHM else f"{level.short}: "
    if missing:
        return (f"{aim}{missing}",)
    if rung.wants:
        return tuple(f"{aim}{item}" for item in rung.wants)
    if rung.kind is Kind.ALGORITHM:
        return (f"a run: {run_command(row)}",)
    why = f" (stale: {'; '.join(map(str, rung.stale[:3]))})" if rung.stale else ""
    return (f"{aim}a run of the kind {rung.kind.value!r}{why}: {run_command(row, rung.kind)}",)


def _deciding(rungs: Sequence[Standing], judged: Sequence[Judged]) -> Receipt | None:
    """The receipt for people: of generated cases where there is one, and of these the one that counts before all others."""
    first = rungs[0].best or rungs[0].weak or rungs[0].old
    if first is not None or not judged:
        return first
    return next((found for rung in rungs if (found := rung.best or rung.weak or rung.old)), None)


def run_command(row: Assessment, kind: Kind | None = None) -> str:
    """The command that runs this test on this subject, of all kinds or of one."""
    only = "" if kind is None else f" --kind {kind.value}"
    only += f" --examples {row.examples}" if row.examples else ""
    return f"pv falsify --id {row.test}" + ("" if row.default else f" --subject {row.subject}") + only
