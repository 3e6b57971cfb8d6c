"""What a document may show of the ledger: promises in force, and the last release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit

from pv.assess.figures import promised, released
from pv.contract.model import Promised, Released
from pv.finding import Place
from pv.project import project_at
from pv.source.constants import Folded, Unfolded

Pv = Callable[..., Ran]


def test_promises_of_one_subject_at_just_one_level_are_counted(scratch: Path) -> None:
    project = project_at(scratch)
    rows = project_at(scratch).releases[-1].promises
    for subject in ("torch", "numpy"):
        for level in ("PARTIAL_ALGORITHM_LEVEL", "FUNCTIONAL", "DISCHARGED"):
            expected = sum((row.subject, row.level.name) == (subject, level) for row in rows)
            found = promised(Promised("microgpt-v1", subject, level), project.promotions, "ledger/promotions")
            assert found == Folded(expected, Place("ledger/promotions/microgpt-v1"))


@pytest.mark.parametrize(
    "asked", [Promised("microgpt-v1", "nobody", "FUNCTIONAL"), Promised("x-v1", "torch", "FUNCTIONAL")]
)
def test_what_is_not_promised_at_all_has_no_figure(asked: Promised, scratch: Path) -> None:
    assert isinstance(promised(asked, project_at(scratch).promotions, ""), Unfolded)


def test_the_last_release_is_shown_and_none_has_no_version(scratch: Path) -> None:
    shelves = project_at(scratch).shelves
    newest, none = shelves.newest_release("microgpt-v1"), shelves.newest_release("other-v1")
    place = Place("ledger/releases/microgpt-v1/1.2.1.json")
    assert released(Released("microgpt-v1"), newest, "ledger/releases") == Folded("1.2.1", place)
    assert isinstance(released(Released("other-v1"), none, ""), Unfolded)


def test_the_last_release_is_the_highest_that_can_be_believed(scratch: Path) -> None:
    folder = scratch / "ledger/releases/microgpt-v1"
    (folder / "1.10.0.json").write_bytes((folder / "1.2.1.json").read_bytes())  # which says that it is 1.2.1
    (folder / "notes.json").write_text("{}", encoding="utf-8")
    for version in ("1.2.1", "1.2.0"):
        newest = project_at(scratch).shelves.newest_release("microgpt-v1")
        assert newest is not None
        assert newest.version == version
        (folder / f"{version}.json").write_text("{}\n", encoding="utf-8")


def test_a_wrong_level_in_the_readme_shuts_the_gate(scratch: Path, pv: Pv) -> None:
    edit(scratch / "README.md", "39 tests at DISCHARGED", "40 tests at DISCHARGED")
    gate = pv("gate", cwd=scratch)
    assert (
        gate.exit,
        "says '40', the number of tests of microgpt-v1 promised at DISCHARGED (torch) is 39" in gate.out,
    ) == (
        1,
        True,
    )


def test_a_retracted_promise_is_no_longer_counted(scratch: Path, pv: Pv) -> None:
    for row in project_at(scratch).promotions:
        if any((one.level.name, one.subject) == ("DISCHARGED", "torch") for one in row.promises):
            assert pv("ledger", "retract", row.name, "--reason", "a doubt", cwd=scratch).exit == 0
    claims = pv("claims", cwd=scratch)
    assert (
        claims.exit,
        "says '39', the number of tests of microgpt-v1 promised at DISCHARGED (torch) is 0" in claims.out,
    ) == (
        1,
        True,
    )
