"""Two states of a contract held against each other: what changed, and whether the version moved that far."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pv.contract.document import Document
from pv.contract.model import Contract
from pv.contract.quote import shorten
from pv.contract.read import ContractFile
from pv.finding import Exit, Finding, Place
from pv.level import PROMISABLE, Level
from pv.semver.change import Both, Change
from pv.semver.compare import compare
from pv.semver.polarity import Move, Role, Step
from pv.semver.required import moved_enough, required_version, spell
from pv.version import read_version


class Moved(Enum):
    """Whether the version moved as far as the changes require, and what the answer asks for."""

    ENOUGH = "enough"
    TOO_LITTLE = "too little"
    BACKWARDS = "backwards"
    NOT_SEMVER = "not semver"
    GONE = "gone"
    UNREADABLE = "unreadable"
    NOT_COMPARED = "not compared"

    @property
    def exit(self) -> Exit:
        """`ENOUGH` is all right, what cannot be compared is inconclusive, the rest must be mended."""
        return {Moved.ENOUGH: Exit.OK, Moved.NOT_COMPARED: Exit.RUN}.get(self, Exit.MEND)


class LevelMove(NamedTuple):
    """What the ledger promised of a test on a subject, and promises now; NO EVIDENCE where it promises nothing."""

    test: str
    subject: str
    old: Level
    new: Level


@dataclass(frozen=True, slots=True)
class Diff:
    """One contract on two sides. `place` is where its version stands; `required` is None where no version can be named.

    `contract` is the newer state, when it could be read.
    """

    name: str
    moved: Moved
    place: Place
    old_version: str = ""
    new_version: str = ""
    required: str | None = None
    note: str = ""
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    contract: Contract | None = None

    @property
    def step(self) -> Step:
        """How far the version must move: as far as the gravest change asks for."""
        return max((change.step for change in self.changes), default=Step.NONE)


def diff(old: ContractFile, new: ContractFile, *, named: bool = False, levels: Iterable[LevelMove] = ()) -> Diff:
    """What changed from `old` to `new`. With `named` the name is part of the contract, and another one a change.

    `levels` are moves of what the ledger promises of it; they weigh as those of a `status:`.
    """
    name = new.contract.name if new.contract else old.contract.name if old.contract else new.document.path
    place = new.document.place(("metadata", "version"))
    if old.contract is None or new.contract is None:
        moved = Moved.UNREADABLE if new.contract is None else Moved.NOT_COMPARED
        note = "is no valid contract" if new.contract is None else f"{old.document.path} is no valid contract"
        return Diff(name, moved, place, note=note, findings=(*old.findings, *new.findings))
    changes = compare(old, new)
    if named and old.contract.name != new.contract.name:
        whole = Both(old.document, new.document, "the contract")
        changes = (whole.change(Role.PROMISED, Move.RENAMED, old.contract.name, new.contract.name), *changes)
    changes = (*changes, *(_level(old, new, move) for move in levels))
    return _judge(old.contract, new.contract, place, changes)


def _level(old: ContractFile, new: ContractFile, level: LevelMove) -> Change:
    """The move of a promise, at the test it is about on either side."""
    both = Both(old.document, new.document, f"{level.test} ({level.subject}): promised level")
    here = both.down_to(_test_at(old, level.test), _test_at(new, level.test))
    move = Move.RAISED if level.new > level.old else Move.LOWERED
    was, now = ("" if side not in PROMISABLE else side.name for side in (level.old, level.new))
    return here.change(Role.PROMISED, move, was, now)


def _test_at(file: ContractFile, test: str) -> tuple[str | int, ...]:
    tests = file.contract.tests if file.contract is not None else ()
    found = [i for i, row in enumerate(tests) if row.id == test]
    return ("falsification_tests", *found[:1])


def removed(old: ContractFile, path: str) -> Diff:
    """A contract that is gone from `path`: no version can say so, and those who depend on it are not told."""
    name = old.contract.name if old.contract else old.document.path
    nothing = Document(path, None, ())
    change = Both(old.document, nothing, f"the contract {name}").change(Role.PROMISED, Move.REMOVED)
    note = f"keep the file, or put {_next_name(name)}.yaml in its place"
    version = old.contract.version if old.contract else ""
    return Diff(name, Moved.GONE, Place(path), version, note=note, changes=(change,))


def added(new: ContractFile, reference: str) -> Diff:
    """A contract that is new since `reference`: nothing was promised before."""
    place = new.document.place(("metadata", "version"))
    if new.contract is None:
        return Diff(new.document.path, Moved.UNREADABLE, place, note="is no valid contract", findings=new.findings)
    nothing = Document(f"{reference}:{new.document.path}", None, ())
    change = Both(nothing, new.document, f"the contract {new.contract.name}").change(Role.PROMISED, Move.ADDED)
    note = f"new since {reference}: nothing to compare its version with"
    return Diff(
        new.contract.name,
        Moved.ENOUGH,
        place,
        "",
        new.contract.version,
        note=note,
        changes=(change,),
        contract=new.contract,
    )


def base_of(name: str) -> str:
    """A contract's name without its major: `softmax` of `softmax-v2`."""
    return re.sub(r"-v[0-9]+\Z", "", name)


def _next_name(name: str) -> str:
    match = re.search(r"-v([0-9]+)\Z", name)
    return f"{base_of(name)}-v{int(match[1]) + 1}" if match else f"{name}-v2"


def _judge(old: Contract, new: Contract, place: Place, changes: tuple[Change, ...]) -> Diff:
    step = max((change.step for change in changes), default=Step.NONE)
    before, after = read_version(old.version), read_version(new.version)
    required = None if before is None else spell(required_version(before, step))
    note = ""
    if before is None:
        moved, note = Moved.NOT_COMPARED, f"the old version {shorten(old.version)} is not semver"
    elif after is None:
        moved, note = Moved.NOT_SEMVER, f"version {shorten(new.version)} is not semver"
    elif moved_enough(before, after, step):
        moved = Moved.ENOUGH
    else:
        moved = Moved.TOO_LITTLE if moved_enough(before, after, Step.NONE) else Moved.BACKWARDS
    if before is not None and before.major == 0 and step is Step.MAJOR:
        note = note or "before 1.0.0 a breaking change asks for the next minor (semver, item 4)"
    return Diff(new.name, moved, place, old.version, new.version, required, note, changes, contract=new)
