"""One change of a line for every falsification test: exactly the tests that `mutations/microgpt.yaml` says must fall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, edit
from microgpt_trials import copy_code, drawn, the_contract, trials

from pv.falsify.cases import Case
from pv.falsify.judge import Trial
from pv.falsify.teeth import Answer, ask


@dataclass(frozen=True, slots=True)
class Mutation:
    """A line of the implementation, what is put in its place, and the tests that fall."""

    name: str
    test: str
    file: str
    find: str
    replace: str
    falls: tuple[str, ...]


def read_mutations() -> tuple[tuple[Mutation, ...], Mapping[str, str]]:
    document = yaml.safe_load((ROOT / "tests/mutations/microgpt.yaml").read_text(encoding="utf-8"))
    mutations = tuple(Mutation(**{**row, "falls": tuple(row["falls"])}) for row in document["mutations"])
    return mutations, {row["tests"]: row["why"] for row in document["together"]}


MUTATIONS, TOGETHER = read_mutations()


def fallen(root: Path, only: str = "") -> dict[str, Answer]:
    """What every test (or `only` this one) that did not hold of the code below `root` said, on a few cases of each stratum."""
    with trials(root) as all_trials:
        asked = (trial for trial in all_trials if only in ("", trial.test))
        said = {trial.test: ask(trial, trial.subject, asked_about(trial)) for trial in asked}
    return {test: answer for test, answer in said.items() if answer.decided}


def asked_about(trial: Trial) -> list[Case]:
    """A few cases of each stratum; of trainings, which take seconds and are all alike, one."""
    cases = drawn(trial.test, trial.regions())
    return cases[:1] if trial.equation.name == "training" else cases


def test_the_code_as_it_is_makes_nothing_fall(tmp_path: Path) -> None:
    copy_code(tmp_path)

    assert fallen(tmp_path) == {}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_changed_line_makes_its_test_fall(mutation: Mutation, tmp_path: Path) -> None:
    copy_code(tmp_path)
    edit(tmp_path / mutation.file, mutation.find, mutation.replace)

    assert set(fallen(tmp_path, mutation.test)) == {mutation.test}


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_changed_line_makes_exactly_these_fall(mutation: Mutation, tmp_path: Path) -> None:
    copy_code(tmp_path)
    edit(tmp_path / mutation.file, mutation.find, mutation.replace)

    assert sorted(fallen(tmp_path)) == sorted(mutation.falls)


def test_every_falsification_test_has_a_line_that_makes_it_fall() -> None:
    assert {mutation.test for mutation in MUTATIONS} == {test.id for test in the_contract().tests}
    assert [mutation.name for mutation in MUTATIONS if mutation.test not in mutation.falls] == []


def test_every_change_is_of_one_line() -> None:
    assert [mutation.name for mutation in MUTATIONS if "\n" in mutation.find + mutation.replace] == []


def test_tests_that_always_fall_together_are_there_for_a_reason() -> None:
    by_falls: dict[tuple[str, ...], list[str]] = {}
    for test in the_contract().tests:
        by_falls.setdefault(tuple(m.name for m in MUTATIONS if test.id in m.falls), []).append(test.id)
    assert {" ".join(tests) for tests in by_falls.values() if len(tests) > 1} == set(TOGETHER)
