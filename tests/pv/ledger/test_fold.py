"""The state of a ledger is a fold over a set of files: any union of two branches comes to the same, in any order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receipts import depends, promise, receipt_value, strata, stratum
from small_project import write_project

from pv.assess.freshness import binding_parts
from pv.digest import canonical, sha256
from pv.ledger.promotion import promotion_value
from pv.ledger.retraction import retraction_value
from pv.ledger.store import add
from pv.ledger.verify import verify
from pv.ledger.waiver import Excuse, waiver_value
from pv.level import Level
from pv.project import project_at

HOME = "double-v1"
File = tuple[str, dict[str, Any]]


def _files(root: Path) -> tuple[File, ...]:
    """Files that belong together: receipts of every verdict, fresh and stale, promises on some, retractions and waivers."""
    project = project_at(root)
    [(contract, test)], [binding] = project.select((), ()), project.bindings
    today = project.today
    listed = {
        "clause": today.clause(contract, test),
        "falsifier": today.falsifier(contract, test),
        "binding": binding_parts(binding),
    }
    rows = {cause: [(part.path, part.name, part.digest) for part in parts] for cause, parts in listed.items()}
    old = {**rows, "subject": [("kernels/double.py", "double", "0" * 64)]}
    verdicts = ("held", "held", "falsified", "vacuous", "errored", "held")
    receipts = [
        receipt_value(
            depends=depends(**(old if number == 5 else rows)),
            cases=strata(stratum("x.ordinary", 300 + number)),
            checks=400,
            verdict=verdict,
        )
        for number, verdict in enumerate(verdicts)
    ]
    name = [sha256(canonical(value) + b"\n") for value in receipts]
    promotions = [promotion_value(HOME, row.level, [row]) for row in (
        promise(name[0]), promise(name[1]), promise(name[0], name[1]), promise(name[5], level=Level.FUNCTIONAL),
    )]  # fmt: skip
    made = [sha256(canonical(value) + b"\n") for value in promotions]
    retractions = [retraction_value(HOME, target, [], "wrong") for target in made[1:3]]
    excuse = Excuse("FALSIFY-D-001", "double", "plain", Level.NO_EVIDENCE, (), "0" * 64)
    waivers = [waiver_value(HOME, made[3], [excuse], date(2030, 1, day), "later") for day in (1, 2)]
    shelves = {"receipts": receipts, "promotions": promotions, "retractions": retractions, "waivers": waivers}
    return tuple((shelf, value) for shelf, values in shelves.items() for value in values)


COUNT = 14
CHOSEN = st.lists(st.sampled_from(range(COUNT)), max_size=COUNT)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[File, ...]:
    found = _files(write_project(tmp_path_factory.mktemp("project")))
    assert len(found) == COUNT
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("folds")


def state(root: Path) -> object:
    """Everything that is read off a ledger: levels, what binds, what excuses it, what is wrong."""
    project = project_at(root)
    levels = {key: (row.level, row.was, row.receipt, row.stale) for key, row in project.assessments().items()}
    told = sorted(map(repr, project.promise_findings()))
    binds = sorted(row.name for row in project.promotions)
    return repr((levels, told, binds)).replace(root.name, ""), sorted(map(repr, verify(root / "ledger", "ledger")))


def folded(home: Path, files: Iterable[File]) -> object:
    """The state of a project to whose ledger `files` were added, in this order."""
    root = write_project(home / f"{len(list(home.iterdir())):06}")
    for shelf, value in files:
        add(root / "ledger" / shelf / HOME, value)
    return state(root)


@settings(max_examples=60, deadline=None)
@given(one=CHOSEN, other=CHOSEN, data=st.data())
def test_any_union_of_two_branches_comes_to_the_same_state_in_any_order(
    folders: Path, files: tuple[File, ...], one: list[int], other: list[int], data: st.DataObject
) -> None:
    orders = (one + other, other + one, data.draw(st.permutations(one + other)))
    first, *others = (folded(folders, [files[number] for number in order]) for order in orders)
    assert all(state == first for state in others)


def test_the_state_does_depend_on_what_is_there(folders: Path, files: tuple[File, ...]) -> None:
    """The control of the above: no two of these are alike, and levels are among what differs."""
    sets = ([], [0], [1], [0, 2], [5], [0, 6], [1, 7], [1, 7, 10], range(COUNT))
    states = [str(folded(folders, [files[number] for number in chosen])) for chosen in sets]
    assert len(set(states)) == len(states)
    levels = {level.name for level in Level for state in states if f"({level!r}," in state}
    assert levels == {"NO_EVIDENCE", "PARTIAL_ALGORITHM_LEVEL", "FALSIFIED"}
