"""Strata: the known ones are listed alike everywhere; a project's own are found, drawn, and part of the evidence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from small_project import FILES, run_at, write_project

from pv.contract.model import Dimension, Equation, ValueSpec
from pv.contract.strata import STRATA
from pv.falsify.cases import Case, regions
from pv.falsify.declare import OwnStratum
from pv.falsify.explore import explore
from pv.falsify.strata import KNOWN, with_own
from pv.finding import Place, PvError
from pv.project import project_at
from pv.verdict import Verdict

HERE = Place("c.yaml")


def test_the_strata_that_are_drawn_those_that_are_validated_and_those_that_are_documented_are_the_same() -> None:
    assert list(KNOWN) == list(STRATA)
    page = (ROOT / "docs/cases.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| `(\w+)` \| (.+) \|$", page, re.MULTILINE)
    assert {(type_, name): said for type_, name, said in rows} == dict(STRATA)


def test_a_stratum_of_the_project_cannot_take_the_name_of_another() -> None:
    mine = OwnStratum("tensor", "mine", lambda draw, spec, drawn: None, lambda value, spec: True, None)
    assert set(with_own([mine])) == {*KNOWN, ("tensor", "mine")}
    with pytest.raises(PvError, match="the tensor stratum 'mine' is marked twice: give it another name"):
        with_own([mine, mine])
    theirs = OwnStratum("tensor", "huge", mine.draw, mine.holds, None)
    with pytest.raises(PvError, match="the tensor stratum 'huge' is pv's own: give it another name"):
        with_own([theirs])


def test_a_stratum_of_the_project_is_drawn_narrowed_and_recognised() -> None:
    def diagonal(draw: object, spec: ValueSpec, drawn: object) -> torch.Tensor:
        return torch.eye(*drawn.shape(spec))  # type: ignore[attr-defined] # Drawn, as a project would not annotate it

    def at_least_three(least: int, greatest: int, is_last: bool) -> tuple[int, int]:
        return (least, least) if is_last else (3, greatest)

    mark = OwnStratum(
        "tensor", "diagonal", diagonal, lambda value, spec: value.sum() == min(value.shape), at_least_three
    )
    argument = ValueSpec("x", HERE, "tensor", ("float32",), shape=("n", "m"), strata=("diagonal",))
    sizes = (Dimension("n", HERE, 1, 9), Dimension("m", HERE, 2, 9))
    (region,) = regions(Equation("e", HERE, "f", "d", "c", sizes, (argument,)), with_own([mark]))
    seen: list[Case] = []
    explore(region, seen.append, examples=30, seed=0, shrink=False)
    assert region.name == "x.diagonal"
    assert {tuple(case.x.shape) for case in seen} == {(n, 2) for n in range(3, 10)}
    assert all(region.holds(case) for case in seen)
    assert not region.holds(Case(x=torch.ones(3, 2)))


EVEN = """\
from pv import stratum
from falsifiers.expected import twice


@stratum("integer", "even", holds=lambda value, spec: value % 2 == 0)
def any_even(draw, spec, drawn):
    return twice(drawn.ordinary(draw, spec) // 4)
"""
CONTRACT = "contracts/double-v1.yaml"
NAMED = FILES[CONTRACT].replace("strata: [ordinary]", "strata: [ordinary, even]")


def test_a_project_adds_a_stratum_in_one_file(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"falsifiers/strata.py": EVEN, CONTRACT: NAMED})
    outcome = run_at(root).outcome
    assert (outcome.verdict, outcome.reason) == (Verdict.HELD, "")
    assert [(row.name, row.distinct > 50) for row in outcome.strata] == [("x.ordinary", True), ("x.even", True)]


def test_a_stratum_that_never_recognises_its_cases_was_not_visited(tmp_path: Path) -> None:
    odd = EVEN.replace("value % 2 == 0", "value % 2 == 1")
    outcome = run_at(write_project(tmp_path, {"falsifiers/strata.py": odd, CONTRACT: NAMED})).outcome
    assert outcome.verdict is Verdict.NOT_MEASURED
    assert outcome.reason.startswith("too few distinct cases: x.even 0")


def test_a_stratum_that_nobody_marks_is_an_error_and_no_green(tmp_path: Path) -> None:
    outcome = run_at(write_project(tmp_path, {CONTRACT: NAMED})).outcome
    assert outcome.verdict is Verdict.ERRORED
    assert "the integer argument 'x' has no stratum 'even'; it can have ordinary, edges" in outcome.reason


def test_the_code_of_a_stratum_is_part_of_the_evidence_of_the_equations_that_name_it(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"falsifiers/strata.py": EVEN, CONTRACT: NAMED})
    parts = {(part["path"], part["name"]) for part in run_at(root).receipt["depends"]["falsifier"]}
    assert ("falsifiers/strata.py", "any_even") in parts
    assert freshness(root) == []
    root.joinpath("falsifiers/strata.py").write_text(EVEN.replace("// 4", "// 8"), encoding="utf-8")
    assert freshness(root) == ["falsifier changed (falsifiers/strata.py: any_even)"]
    root.joinpath(CONTRACT).write_text(FILES[CONTRACT], encoding="utf-8")  # names it no more
    assert "falsifier gone (falsifiers/strata.py: any_even)" in freshness(root)


def freshness(root: Path) -> list[str]:
    project = project_at(root)
    [assessment] = project.assessments().values()
    return [str(cause) for cause in assessment.stale]
