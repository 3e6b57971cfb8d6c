"""What happens to one case: the falsifier runs, its checks are counted, and what it did is believed in nothing."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pv.contract.model import Equation, Invariant
from pv.falsify.cases import Case, Region, regions
from pv.falsify.check import Check, Falsified
from pv.falsify.declare import Falsifier, Fault
from pv.falsify.drawn import Strata
from pv.falsify.encode import encode, fingerprint
from pv.falsify.explore import Flaky
from pv.falsify.oracle import Oracle
from pv.falsify.outcome import PINNED, Failure, Recorded
from pv.falsify.strata import KNOWN
from pv.falsify.subject import Subject
from pv.falsify.telling import readable
from pv.finding import PvError

_HERE = f"{Path(__file__).parent.as_posix()}/"

Judge = Callable[[Case], None]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What a trial needs: the test's id and clauses, the falsifier, the faults of the clauses, and the subject.

    `pins` are cases that once broke a clause: they are tried first. `strata` are those that the equation may name. With an
    `oracle` every call of a subject is also held against a reference; `captured` are the only cases of a live trial.
    """

    test: str
    equation: Equation
    invariants: tuple[Invariant, ...]
    falsifier: Falsifier
    faults: tuple[Fault, ...]
    subject: Subject
    pins: tuple[Case, ...] = ()
    strata: Strata = field(default_factory=lambda: KNOWN)
    oracle: Oracle | None = None
    captured: tuple[Case, ...] | None = None

    def regions(self) -> tuple[Region, ...]:
        """The strata of the falsifier's own cases, or those the equation's arguments declare."""
        if not self.falsifier.cases:
            return regions(self.equation, self.strata)
        return tuple(Region(name, strategy, lambda case: True) for name, strategy in self.falsifier.cases)

    def remember(self) -> None:
        """From now on its subject and its reference make each call once."""
        self.subject.remember()
        if self.oracle is not None:
            self.oracle.reference.remember()

    def call(self, subject: Subject, case: Case, check: Check) -> None:
        """The falsifier, its roles filled."""
        if self.oracle is not None:
            subject = self.oracle.beside(subject, check)
        roles = {"subject": subject, "case": case, "check": check}
        self.falsifier.function(**{role: roles[role] for role in _roles(self.falsifier.function)})


@lru_cache(64)
def _roles(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


class ForeignError(Exception):
    """A falsifier or its subject raised something that is no failed check."""


class SilentCase(Exception):
    """A falsifier judged a case without a check."""


@dataclass(slots=True, eq=False)
class Tally:
    """What is counted while the cases of one unit run; the cases at `keep` are recorded."""

    check: Check
    keep: frozenset[int] = frozenset()
    valid: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    seen: set[bytes] = field(default_factory=set)
    offered: set[bytes] = field(default_factory=set)
    dtypes: set[str] = field(default_factory=set)
    recorded: list[Recorded] = field(default_factory=list)
    last: tuple[Case, Failure] | None = None
    calls: tuple[Case, ...] = ()
    reached: bool = False
    """Whether some call of the subject had arguments of the region: a falsifier may change those of its cases."""


def judge_of(
    trial: Trial,
    region: Region | None,
    tally: Tally,
    subject: Subject,
    progress: Callable[[], None] = lambda: None,
) -> Judge:
    """What happens to one case. A failed check comes out as Falsified, everything else that is wrong as itself."""
    import hypothesis

    def judge(case: Case) -> None:
        hypothesis.assume(region is None or region.holds(case))
        progress()
        before = fingerprint(case.values)
        keep = len(tally.seen) in tally.keep and before not in tally.seen
        arguments = arguments_of(case) if keep else {}
        tally.offered.add(before)
        if keep:
            subject.listen()
        attempt(trial, subject, case, tally)
        outputs = subject.heard() if keep else ""
        tally.reached = tally.reached or any(_is_of(region, call) for call in tally.calls)
        if fingerprint(case.values) != before:
            raise ForeignError("an argument was changed in place, by the subject or by the falsifier")
        if keep:
            tally.recorded.append(Recorded(region.name if region else PINNED, arguments, outputs))
        tally.valid += 1
        tally.digest.update(before)
        tally.seen.add(before)
        tally.dtypes.update(_dtypes(case))

    return judge


def attempt(trial: Trial, subject: Subject, case: Case, tally: Tally) -> None:
    """Run the falsifier on `case`: Falsified when one of its checks failed, SilentCase when it executed none."""
    check, checks = tally.check, tally.check.count
    check.failure = None
    try:
        with subject.noting() as calls, subject.in_force():
            trial.call(subject, case, check)
    except Falsified as error:
        if check.failure is None:
            raise ForeignError("the falsifier raised Falsified itself: only a check may fail it") from error
    except Exception:
        if check.failure is None:
            raise
    if check.failure is not None:
        # Also when the falsifier swallowed it, or raised something else, or called the case invalid afterwards.
        tally.last = (case, check.failure)
        raise Falsified(check.failure.message)
    if check.count == checks:
        raise SilentCase(f"no check was executed for the case {case!r:.200}")
    if not calls:
        raise SilentCase(f"the subject was not called for the case {case!r:.200}")
    tally.calls = tuple(calls)


def _is_of(region: Region | None, call: Case) -> bool:
    try:
        return region is None or region.holds(call)
    except Exception:  # other arguments than the equation has
        return False


def arguments_of(case: Case) -> Mapping[str, Any]:
    """The arguments of `case`, each encoded."""
    return {name: encode(value) for name, value in case.values.items()}


def copied(case: Case) -> Case:
    """`case` with tensors of its own."""
    return Case({name: _copied(value) for name, value in case.values.items()})


def _copied(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if hasattr(value, "detach"):
        return value.detach().clone().requires_grad_(value.requires_grad)
    return value


def why(error: BaseException) -> str:
    """One line for people: the type, the text and the innermost line that is the project's."""
    if isinstance(error, Flaky):
        return "not reproducible: the same case gave another answer the second time"
    if isinstance(error, PvError):
        return error.told
    if isinstance(error, ForeignError):
        return str(error)
    return readable(f"{type(error).__name__}: {_said(error)}{_innermost(error)}", 500)


def _said(error: BaseException) -> str:
    try:
        return next(iter(str(error).splitlines()), "")
    except BaseException:  # whose text cannot be made either
        return "(its text cannot be shown)"


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
