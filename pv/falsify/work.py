"""What there is to run, as values; importing this needs neither torch nor hypothesis."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pv.contract.model import Binding, Contract, FalsificationTest
from pv.verdict import Kind

DEFAULT_EXAMPLES = 200
# Cases that one process runs in one go: a region with more is split, and its parts may run side by side.
UNIT = 500


# (module, path, qualified name) of each
Functions = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard to try: cases over all strata together, the seed they are drawn from, and the `least` for each stratum."""

    examples: int = DEFAULT_EXAMPLES
    seed: int = 0
    least: int = 0

    def share(self, strata: int) -> int:
        """Cases for each of so many strata, rounded up."""
        return max(self.least, -(-self.examples // max(strata, 1)))

    def asked(self, strata: int) -> int:
        """Cases over so many strata: a plan of as many examples and nothing else has the same share."""
        return max(self.examples, self.least * strata)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One trial to run: a test of a contract on the subject of a binding, for evidence of one kind.

    `reference` is what an `oracle` trial compares with.
    """

    contract: Contract
    test: FalsificationTest
    binding: Binding
    kind: Kind = Kind.ALGORITHM
    reference: Binding | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where a trial's code is: functions as (module, function), paths of pinned cases, and how to import all of it.

    `strata` are the project's own that the equation's arguments name.

    `tops` are the top-level names of every module that the trial may import from the project.
    """

    root: Path
    sources: tuple[str, ...]
    tops: tuple[str, ...]
    falsifier: tuple[str, str]
    faults: tuple[tuple[str, str], ...]
    pins: tuple[Path, ...] = ()
    strata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof has come to: its verdict so far, each fault as (invariant, name, caught, seeds), and its mutants.

    `slowest` is what the slowest of the cases that were run again took, in seconds. `done` are the mutants that were judged,
    or that ended the process: of the first sort are those `tried`, `past` the smoke check, and those that `crashed` the
    falsifier.
    """

    verdict: str
    reason: str = ""
    teeth: tuple[tuple[str, str, bool, int], ...] = ()
    slowest: float = 0.0
    done: tuple[str, ...] = ()
    tried: int = 0
    past: int = 0
    crashed: int = 0


class Action(Enum):
    """What a worker is to do with a trial."""

    ATTACK = "attack"
    PROVE = "prove"
    REPLAY = "replay"
    SURVEY = "survey"
    MUTATE = "mutate"
    COMPARE = "compare"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A piece of work for one process: an action on a trial, with its limits (seconds, bytes beyond what torch takes).

    An attack runs the units whose index leaves `part` when divided by `parts`. `cases` are encoded arguments: those captured,
    for an attack of the kind `live`, otherwise those to run again, each with the digest of what the subject returned then
    (empty where nobody noted it). `functions` are those of the
    project that the subject enters, to be mutated.

    A proof that a mutant ended goes on in another process: `proof` is what it had come to.

    Teeth are shown by all falsifiers of an equation together: `others` are the further trials on the same subject, `mutants`
    the ids to judge, and with `every` each mutant is judged by each falsifier, also when one has killed it.
    """

    action: Action
    work: Work
    site: Site
    plan: Plan
    timeout: float
    memory: int
    part: int = 0
    parts: int = 1
    cases: tuple[tuple[Any, str], ...] = ()
    functions: Functions = ()
    proof: Proof | None = None
    others: tuple[tuple[Work, Site], ...] = ()
    mutants: tuple[str, ...] = ()
    every: bool = False
