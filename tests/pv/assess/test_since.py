"""What became of levels between two states."""

from __future__ import annotations

import pytest
from receipts import receipt

from pv.assess.freshness import Cause
from pv.assess.levels import Assessment
from pv.assess.ratchet import key_of
from pv.assess.since import Turn, changes, edited_file
from pv.level import Level

PARTIAL, NONE = Level.PARTIAL_ALGORITHM_LEVEL, Level.NO_EVIDENCE
CHANGED = Cause("subject", "kernels/double.py: double", "changed")


def row(level: Level = PARTIAL, *stale: Cause, test: str = "FALSIFY-D-001", run: bool = True) -> Assessment:
    found = receipt("a" * 64) if run else None
    return Assessment("double-v1", test, "double", "plain", level, PARTIAL if stale else level, stale, found, ())


@pytest.mark.parametrize(("then", "now", "turn"), [
    (row(), row(), None),
    (row(), row(Level.FUNCTIONAL), Turn.ROSE),
    (row(NONE, run=False), row(), Turn.ROSE),
    (row(NONE, CHANGED), row(), Turn.ROSE),
    (row(Level.FALSIFIED), row(), Turn.ROSE),
    (row(), row(Level.FALSIFIED), Turn.FELL),
    (row(), row(NONE, run=False), Turn.FELL),
    (row(Level.FALSIFIED), row(NONE, run=False), Turn.FELL),
    (row(), row(NONE, CHANGED), Turn.STALE),
    (row(Level.FALSIFIED), row(NONE, CHANGED), Turn.STALE),
    (row(Level.DISCHARGED), row(PARTIAL, CHANGED), Turn.STALE),
    (row(NONE, CHANGED), row(NONE, CHANGED), None),
    (row(NONE, run=False), row(NONE, CHANGED), None),
])  # fmt: skip
def test_each_turn(then: Assessment, now: Assessment, turn: Turn | None) -> None:
    found = changes({key_of(then): then}, {key_of(now): now})
    assert [(change.turn, change.row, change.was) for change in found] == ([(turn, now, then.level)] if turn else [])


def test_what_came_and_went_is_told_and_the_worst_comes_first() -> None:
    gone, came, fell = row(test="A"), row(test="B"), row(test="C")
    then, now = [gone, fell, row(test="D")], [row(NONE, CHANGED, test="D"), came, fell._replace(level=Level.FALSIFIED)]
    found = changes({key_of(one): one for one in then}, {key_of(one): one for one in now})
    assert [(change.turn, change.row.test, change.was) for change in found] == [
        (Turn.FELL, "C", PARTIAL), (Turn.STALE, "D", PARTIAL), (Turn.WENT, "A", PARTIAL), (Turn.CAME, "B", None),
    ]  # fmt: skip


def test_a_cause_leads_to_the_file_that_was_edited() -> None:
    assert edited_file(CHANGED, "contracts/double-v1.yaml") == "kernels/double.py"
    assert edited_file(Cause("subject", "data/table.bin", "changed"), "x") == "data/table.bin"
    assert (
        edited_file(Cause("clause", "double/twice", "changed"), "contracts/double-v1.yaml")
        == "contracts/double-v1.yaml"
    )
    assert edited_file(Cause("binding", "double, plain", "changed"), "x") == "contracts/binding.yaml"
