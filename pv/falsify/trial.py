"""One falsifier against one subject: cases are drawn, checks counted, and an outcome results.

Nothing here believes a falsifier. A case without an executed check, a stratum that was hardly visited and a changed argument
each keep the outcome from being `held`, with the reason; `pv.falsify.teeth` adds the faults that it must catch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pv.contract.model import Equation, Invariant
from pv.falsify.cases import Case, Region, regions
from pv.falsify.check import Check, Failure, Falsified, Nearest
from pv.falsify.declare import Falsifier, Fault
from pv.falsify.encode import fingerprint
from pv.falsify.explore import Flaky, Unsatisfiable, explore
from pv.falsify.subject import Subject
from pv.finding import PvError
from pv.ledger.receipt import Stratum, Tooth
from pv.verdict import Verdict

SIMPLE_EXAMPLES = 200
_TOP_UPS = 3
_HERE = f"{Path(__file__).parent.as_posix()}/"


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard to try: cases over all strata together, and the seed they are drawn from."""

    examples: int = 200
    seed: int = 0

    def share(self, strata: int) -> int:
        """Cases for each of so many strata, rounded up."""
        return -(-self.examples // strata)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What a trial needs: the test's id and clauses, the falsifier, the faults of the clauses, and the subject."""

    test: str
    equation: Equation
    invariants: tuple[Invariant, ...]
    falsifier: Falsifier
    faults: tuple[Fault, ...]
    subject: Subject

    def regions(self) -> tuple[Region, ...]:
        """The strata of the falsifier's own cases, or those the equation's arguments declare."""
        if not self.falsifier.cases:
            return regions(self.equation)
        return tuple(Region(name, strategy, lambda case: True) for name, strategy in self.falsifier.cases)


@dataclass(frozen=True, slots=True, eq=False)
class Counterexample:
    """The smallest case found that breaks an invariant, and what the failed check saw."""

    case: Case
    stratum: str
    failure: Failure


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a trial came to, with its denominators."""

    verdict: Verdict
    reason: str
    strata: tuple[Stratum, ...] = ()
    valid: int = 0
    checks: int = 0
    cases_digest: str = hashlib.sha256().hexdigest()
    nearest: tuple[tuple[tuple[str, str], Nearest], ...] = ()
    dtypes: tuple[str, ...] = ()
    teeth: tuple[Tooth, ...] = ()
    counterexample: Counterexample | None = None


class ForeignError(Exception):
    """A falsifier or its subject raised something that is no failed check."""


class SilentCase(Exception):
    """A falsifier judged a case without a check."""


@dataclass(slots=True, eq=False)
class Tally:
    """What is counted while cases run; reset by nothing, read once."""

    check: Check
    valid: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    seen: dict[str, set[bytes]] = field(default_factory=dict)
    offered: dict[str, set[bytes]] = field(default_factory=dict)
    dtypes: set[str] = field(default_factory=set)
    last: tuple[Case, str, Failure] | None = None

    def strata(self, exhausted: set[str]) -> tuple[Stratum, ...]:
        """The strata visited so far. One of which the falsifier turned most cases away has more than it judged."""
        return tuple(
            Stratum(name, len(seen), name in exhausted and 2 * len(seen) >= len(self.offered.get(name, ())))
            for name, seen in self.seen.items()
        )


def attack(trial: Trial, plan: Plan, *, shrink: bool = True) -> Outcome:
    """Attack the subject and leave the faults alone: `held` says nothing about whether the falsifier could fail.

    With `shrink`, a counterexample is made as small as can be. Exceptions of the falsifier, of the subject and of the
    case strategies become the outcome's reason; only KeyboardInterrupt comes out.
    """
    tally = Tally(Check(trial.invariants))
    exhausted: set[str] = set()
    try:
        found = trial.regions()
        for region in found:
            tally.seen[region.name] = set()
            if _visit(trial, region, tally, plan, plan.share(len(found)), shrink=shrink):
                exhausted.add(region.name)
    except Falsified:
        return _falsified(tally, exhausted)
    except SilentCase as silent:
        return _outcome(Verdict.VACUOUS, str(silent), tally, exhausted)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, pytest's skip and their like are no verdict either
        return _outcome(Verdict.ERRORED, why(error), tally, exhausted)
    short = _short_strata(tally.strata(exhausted), plan)
    if short:
        return _outcome(Verdict.NOT_MEASURED, short, tally, exhausted)
    return _outcome(Verdict.HELD, "", tally, exhausted)


def _visit(trial: Trial, region: Region, tally: Tally, plan: Plan, share: int, *, shrink: bool) -> bool:
    """Draw cases of a region until `share` distinct ones were judged, it holds no others, or topping up brings none."""
    body = judge_of(trial, region, tally, trial.subject)
    for round_ in range(_TOP_UPS):
        missing = share - len(tally.seen[region.name])
        examples = missing + 2 if round_ == 0 else 2 * missing + 8  # every run begins with the simplest cases again
        seed = seed_of(trial.test, region.name, plan.seed, round_)
        try:
            if explore(region, body, examples=examples, seed=seed, shrink=shrink):
                return True
        except Unsatisfiable:
            return False
        except Falsified:
            if shrink and region.simple is not None:
                _look_for_a_simpler_one(trial, replace(region, strategy=region.simple), tally, seed)
            raise
        if len(tally.seen[region.name]) >= share:
            break
    return False


def _look_for_a_simpler_one(trial: Trial, region: Region, tally: Tally, seed: int) -> None:
    """A case made from a seed shrinks badly: try for one that breaks the invariant and that a person can read."""
    again = Tally(Check(trial.invariants), seen={region.name: set()})
    try:
        explore(region, judge_of(trial, region, again, trial.subject), examples=SIMPLE_EXAMPLES, seed=seed, shrink=True)
    except Falsified:
        if again.last is not None and tally.last is not None and _size(again.last[0]) <= _size(tally.last[0]):
            tally.last = again.last
    except KeyboardInterrupt:
        raise
    except BaseException:
        return  # the case that was found stands


def _size(case: Case) -> int:
    return sum(value.numel() if hasattr(value, "numel") else 1 for value in case)


def judge_of(trial: Trial, region: Region, tally: Tally, subject: Any) -> Callable[[Case], None]:
    """What happens to one case. A failed check comes out as Falsified, everything else that is wrong as itself."""
    import hypothesis

    def judge(case: Case) -> None:
        hypothesis.assume(region.holds(case))
        before = fingerprint(case.values)
        tally.offered.setdefault(region.name, set()).add(before)
        check, checks = tally.check, tally.check.count
        check.failure = None
        try:
            _call(trial.falsifier, subject, case, check)
        except Exception:
            if check.failure is None:
                raise
        if check.failure is not None:
            # Also when the falsifier swallowed it, or raised something else, or called the case invalid afterwards.
            tally.last = (case, region.name, check.failure)
            raise Falsified(check.failure.message)
        if check.count == checks:
            raise SilentCase(f"no check was executed for the case {case!r:.200}")
        if fingerprint(case.values) != before:
            raise ForeignError("the subject changed its argument in place")
        tally.valid += 1
        tally.digest.update(before)
        tally.seen[region.name].add(before)
        tally.dtypes.update(_dtypes(case))

    return judge


def _call(falsifier: Falsifier, subject: Any, case: Case, check: Check) -> None:
    import inspect

    roles = {"subject": subject, "case": case, "check": check}
    falsifier.function(**{role: roles[role] for role in inspect.signature(falsifier.function).parameters})


def _short_strata(strata: Sequence[Stratum], plan: Plan) -> str:
    """Which strata saw too little; at least half of their share is asked of each, or all there is."""
    least = max(1, plan.share(len(strata)) // 2)
    short = [row for row in strata if row.distinct < (1 if row.exhausted else least)]
    if not short:
        return ""
    seen = ", ".join(f"{row.name} {row.distinct}" for row in short)
    return f"too few distinct cases: {seen}; at least {least} are needed in each stratum"


def _falsified(tally: Tally, exhausted: set[str]) -> Outcome:
    assert tally.last is not None, "a check failed, so the case was kept"
    case, stratum, failure = tally.last
    counterexample = Counterexample(case, stratum, failure)
    return _outcome(Verdict.FALSIFIED, failure.message, tally, exhausted, counterexample=counterexample)


def _outcome(
    verdict: Verdict,
    reason: str,
    tally: Tally,
    exhausted: set[str],
    counterexample: Counterexample | None = None,
) -> Outcome:
    return Outcome(
        verdict=verdict,
        reason=reason,
        strata=tally.strata(exhausted),
        valid=tally.valid,
        checks=tally.check.count,
        cases_digest=tally.digest.hexdigest(),
        nearest=tuple(sorted(tally.check.nearest.items())),
        dtypes=tuple(sorted(tally.dtypes)),
        counterexample=counterexample,
    )


def why(error: BaseException) -> str:
    """One line for people: the type, the text and the innermost line that is the project's."""
    if isinstance(error, Flaky):
        return "not reproducible: the same case gave another answer the second time"
    if isinstance(error, PvError):
        return error.message
    if isinstance(error, ForeignError):
        return str(error)
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}{_innermost(error)}"[:500]


def _innermost(error: BaseException) -> str:
    trace, found = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not any(elsewhere in name for elsewhere in ("/site-packages/", "/lib/python", _HERE)):
            found = f" ({name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return found


def _dtypes(case: Case) -> set[str]:
    return {str(value.dtype).removeprefix("torch.") for value in case if hasattr(value, "dtype")}


def seed_of(test: str, region: str, seed: int, round_: int) -> int:
    """A seed of its own for each region and round, the same everywhere."""
    return int.from_bytes(hashlib.sha256(f"{test}|{region}|{seed}|{round_}".encode()).digest()[:8], "big")
