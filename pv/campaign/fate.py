"""What became of each mutant of a subject, and what that says of the falsifiers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pv.contract.equivalents import Waiver
from pv.contract.model import Binding, Contract, Equation
from pv.falsify.work import Work


class State(Enum):
    """How a mutant ended. Only `KILLED` shows that a falsifier can fail; only `SURVIVED` that one is missing."""

    KILLED = "killed"
    SMOKE = "smoke"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    WAIVED = "waived"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Difference:
    """How a survivor's answers differ from the subject's: in `other` of `cases` cases, and where most.

    `residual` is |Δ| at an entry of that magnitude and dtype; `seen` says what differs in kind.
    """

    cases: int
    other: int
    residual: float
    magnitude: float
    dtype: str
    seen: str


@dataclass(frozen=True, slots=True)
class Fate:
    """One mutant and what became of it: killed `by` these tests, or `why` it counts for nothing.

    `line` is 0 for a fault of the output. `reached` says that some case of some falsifier executed the line.
    `refuted` is the input that told a waived mutant from the subject.
    """

    id: str
    path: str
    line: int
    diff: str
    digest: str
    state: State
    by: tuple[str, ...] = ()
    why: str = ""
    reached: bool = True
    difference: Difference | None = None
    waiver: Waiver | None = None
    inputs: int = 0
    refuted: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The tests of one equation on one subject."""

    works: tuple[Work, ...]

    @property
    def contract(self) -> Contract:
        """The contract that states the equation."""
        return self.works[0].contract

    @property
    def binding(self) -> Binding:
        """The subject."""
        return self.works[0].binding

    @property
    def equation(self) -> Equation | None:
        """The equation; None when the binding names one that the contract does not have."""
        return self.contract.equation(self.binding.equation)

    @property
    def name(self) -> str:
        """`microgpt-v1 softmax torch`."""
        return f"{self.contract.name} {self.binding.equation} {self.binding.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What all mutants of a ground came to.

    `problem` says why there was nothing to judge. `unfit` are tests whose falsifier fails on the subject itself, with what it
    said; `canaries` (test, canary) those that let a gross fault live; `lapsed` waivers that fit no mutant of today.
    """

    ground: Ground
    fates: tuple[Fate, ...] = ()
    problem: str = ""
    unfit: tuple[tuple[str, str], ...] = ()
    canaries: tuple[tuple[str, str], ...] = ()
    lapsed: tuple[Waiver, ...] = ()
    every: bool = False
    known: bool = False
    counts: Mapping[State, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", Counter(fate.state for fate in self.fates))

    @property
    def survivors(self) -> tuple[Fate, ...]:
        """Those that no falsifier killed and nobody waived."""
        return tuple(fate for fate in self.fates if fate.state is State.SURVIVED)

    @property
    def kills(self) -> Mapping[str, int]:
        """How many mutants each test killed; where the first kill ended it, the others were not asked."""
        found = {work.test.id: 0 for work in self.ground.works}
        for test in (test for fate in self.fates for test in fate.by):
            found[test] += 1
        return found

    @property
    def twins(self) -> tuple[tuple[str, ...], ...]:
        """Tests that killed exactly the same mutants, and some; empty unless every test judged every mutant."""
        if not self.every:
            return ()
        sets: dict[frozenset[str], list[str]] = defaultdict(list)
        for work in self.ground.works:
            sets[frozenset(fate.id for fate in self.fates if work.test.id in fate.by)].append(work.test.id)
        return tuple(tuple(tests) for killed, tests in sets.items() if killed and len(tests) > 1)


def fate_of(mutant: Mapping[str, Any], row: Mapping[str, Any], lines: Iterable[tuple[str, int]]) -> Fate:
    """A mutant as a worker described it, with what a worker said became of it."""
    difference = row.get("difference")
    return Fate(
        id=mutant["id"],
        path=mutant["path"],
        line=mutant["line"],
        diff=mutant["diff"],
        digest=mutant["digest"],
        state=State(row["state"]),
        by=tuple(row["by"]),
        why=row["why"],
        reached=not mutant["line"] or (mutant["path"], mutant["line"]) in lines,
        difference=Difference(**difference) if difference else None,
    )


def grounds_of(works: Sequence[Work]) -> tuple[Ground, ...]:
    """`works` by equation and subject, in their order."""
    found: dict[tuple[str, str, str], list[Work]] = defaultdict(list)
    for work in works:
        found[work.contract.name, work.binding.equation, work.binding.name].append(work)
    return tuple(Ground(tuple(mine)) for mine in found.values())
