"""What stands behind each invariant: tests, falsifiers, faults, a subject, a level; and the first hole in that chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pv.assess.levels import Assessment
from pv.assess.subjects import default_subject
from pv.contract.model import Binding, Contract, FalsificationTest, Invariant
from pv.level import Level
from pv.source.falsifiers import FalsifierEntry, FalsifierIndex, FaultEntry
from pv.source.target import TargetFound


@dataclass(frozen=True, slots=True)
class Attack:
    """A test bound to an invariant, the functions that carry it out, and what is known of it today.

    `assessment` is of the default subject, `others` of every other one.
    """

    test: FalsificationTest
    falsifiers: tuple[FalsifierEntry, ...]
    assessment: Assessment
    others: tuple[Assessment, ...]


@dataclass(frozen=True, slots=True)
class Cover:
    """All that stands behind one invariant. `subject` is None without a (default) one; `code` is where it is defined."""

    contract: str
    invariant: Invariant
    attacks: tuple[Attack, ...]
    faults: tuple[FaultEntry, ...]
    subject: Binding | None
    code: TargetFound | None

    @property
    def level(self) -> Level:
        """FALSIFIED if any of its tests is, else the highest that one of them has reached."""
        levels = [attack.assessment.level for attack in self.attacks]
        return Level.FALSIFIED if Level.FALSIFIED in levels else max(levels, default=Level.NO_CHECK)

    @property
    def links(self) -> tuple[tuple[str, bool], ...]:
        """Each link of the chain by name, and whether it is there."""
        return (
            ("a test", bool(self.attacks)),
            ("a falsifier", any(attack.falsifiers for attack in self.attacks)),
            ("a fault", bool(self.faults)),
            ("a subject", self.code is not None and not self.code.problem),
            ("a level", self.level >= Level.PARTIAL_ALGORITHM_LEVEL),
        )

    @property
    def holes(self) -> tuple[str, ...]:
        """The links that are missing; without a test there can be no falsifier, and nothing has a level yet."""
        return tuple(name for name, is_there in self.links if not is_there)


def cover(
    contract: Contract,
    index: FalsifierIndex,
    bindings: Sequence[Binding],
    assess: Callable[[FalsificationTest], Sequence[Assessment]],
    find_code: Callable[[Binding], TargetFound],
) -> list[Cover]:
    """Each invariant of `contract` with what stands behind it, in the order written.

    `assess` gives what is known of a test on each subject, the default one first.
    """
    faults = index.faults_of(contract.name)
    attacks = {
        test.id: _attack(test, index.falsifiers_of(contract.name, test.id), assess(test)) for test in contract.tests
    }
    rows = []
    for equation in contract.equations:
        subject = default_subject(bindings, contract.name, equation.name)
        code = find_code(subject) if subject else None
        for clause in equation.invariants:
            bound = tuple(attack for attack in attacks.values() if clause.name in attack.test.binds_to)
            caught = tuple(fault for fault in faults if fault.invariant == clause.name)
            rows.append(Cover(contract.name, clause, bound, caught, subject, code))
    return rows


def _attack(test: FalsificationTest, found: tuple[FalsifierEntry, ...], known: Sequence[Assessment]) -> Attack:
    return Attack(test, found, known[0], tuple(known[1:]))


def holes_first(rows: Iterable[Cover]) -> list[Cover]:
    """Rows with the most missing first, otherwise as they were."""
    return sorted(rows, key=lambda row: -len(row.holes))


def coverage_counts(rows: Sequence[Cover]) -> dict[str, int]:
    """How many invariants there are, how many have each link of the chain, and how many have all of them."""
    counts = {"invariants": len(rows)}
    for name in ("a test", "a falsifier", "a fault", "a subject", "a level"):
        counts[name.removeprefix("a ")] = sum(dict(row.links)[name] for row in rows)
    return {**counts, "whole": sum(not row.holes for row in rows)}
