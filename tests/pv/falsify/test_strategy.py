"""`pv.cases`: the same cases for tests outside of pv."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from small_project import FILES, write_project

import pv
from implementations.microgpt.kernels import rms_norm
from pv.finding import PvError

MICROGPT = ROOT / "contracts/microgpt-v1.yaml"


@settings(deadline=None)
@given(case=pv.cases(MICROGPT, "rms_norm"))
def test_the_example_of_its_documentation_holds(case: pv.Case) -> None:
    assert torch.equal(rms_norm(-case.x), -rms_norm(*case))


def test_it_draws_from_every_region_and_the_simplest_case_is_simple() -> None:
    strategy = pv.cases(MICROGPT, "rms_norm")
    drawn = settings(max_examples=2000, deadline=None, phases=[Phase.generate])  # the smallest is asked for once, below
    for wanted in (
        lambda case: float(case.x.abs().max()) > 1e8,
        lambda case: case.x.dtype is torch.float64,
        lambda case: case.x.numel() > 1 and not case.x.any(),
        lambda case: bool(((case.x != 0) & (case.x.abs() < 1e-38)).any()),
    ):
        find(strategy, wanted, settings=drawn)
    always = settings(derandomize=True, deadline=None)  # from some draws it does not shrink all the way
    assert find(strategy, lambda case: bool(case.x.any()), settings=always).x.tolist() == [[1.0]]


@pytest.mark.parametrize("examples", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_one_region_holds_nothing_else(examples: int) -> None:
    drawn = settings(max_examples=examples, deadline=None)
    with pytest.raises(NoSuchExample):
        find(pv.cases(MICROGPT, "rms_norm", "x.huge"), lambda case: float(case.x.abs().max()) < 5e8, settings=drawn)
    assert find(pv.cases(MICROGPT, "causal_mask", "n.edges"), lambda case: case.n > 1).n == 64


def test_a_name_stands_for_a_contract_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_project(tmp_path) / "kernels")
    assert find(pv.cases("double-v1", "double"), lambda case: case.x > 300).x == 301
    with pytest.raises(PvError, match="there is no contract 'triple-v1', neither as a file nor in a project around"):
        pv.cases("triple-v1", "double")
    monkeypatch.chdir("/")
    with pytest.raises(PvError, match="there is no contract 'double-v1'"):
        pv.cases("double-v1", "double")


@pytest.mark.parametrize(("equation", "stratum", "said", "hint"), [
    ("rms_nrom", "", "microgpt-v1 has no equation 'rms_nrom'", "did you mean 'rms_norm'?"),
    ("rms_norm", "x.hug", "rms_norm has no stratum 'x.hug'", "did you mean 'x.huge'?"),
])  # fmt: skip
def test_what_is_not_there_is_refused_with_what_is_near(equation: str, stratum: str, said: str, hint: str) -> None:
    with pytest.raises(PvError, match=f"^{re.escape(said)}$") as caught:
        pv.cases(MICROGPT, equation, stratum)
    assert caught.value.hint == hint


def test_a_contract_that_is_not_valid_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "double-v1.yaml"
    path.write_text(FILES["contracts/double-v1.yaml"].replace("type: integer", "type: int"), encoding="utf-8")
    with pytest.raises(PvError, match="is no valid contract: "):
        pv.cases(path, "double")


def test_a_stratum_of_the_project_is_drawn_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = FILES["contracts/double-v1.yaml"].replace("[ordinary]", "[even]")
    mark = (
        "from pv import stratum\n\n"
        '@stratum("integer", "even", holds=lambda value, spec: value % 2 == 0)\n'
        "def even(draw, spec, drawn):\n    return drawn.ordinary(draw, spec) // 2 * 2\n"
    )
    root = write_project(tmp_path, {"contracts/double-v1.yaml": contract, "falsifiers/__init__.py": ""})
    (root / "falsifiers/of_its_own.py").write_text(mark, encoding="utf-8")
    monkeypatch.syspath_prepend(str(root))
    for name in [name for name in sys.modules if name.partition(".")[0] == "falsifiers"]:
        monkeypatch.delitem(sys.modules, name)
    strategy = pv.cases(root / "contracts/double-v1.yaml", "double")
    assert isinstance(strategy, st.SearchStrategy)
    with pytest.raises(NoSuchExample):
        find(strategy, lambda case: case.x % 2 == 1)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the first example of the page on cases defines, about this project's own `rms_norm`."""
    page = (ROOT / "docs/cases.md").read_text(encoding="utf-8")
    text = re.findall(r"^```python\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)[0]
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    exec(text.replace("from kernels import", "from implementations.microgpt.kernels import"), names)  # noqa: S102 -- our own page
    return names


def test_the_example_of_the_docs_holds(example: dict[str, Any]) -> None:
    shown: list[object] = []
    whole = example["rms_norm"]
    example["rms_norm"] = lambda x: (shown.append(x), whole(x))[1]
    example["test_signs_pass_through"]()
    assert len(shown) > 2


def test_the_example_of_the_docs_fails_for_a_kernel_that_loses_signs(example: dict[str, Any]) -> None:
    whole = example["rms_norm"]
    example["rms_norm"] = lambda x: whole(x).abs()
    found = settings(phases=[Phase.generate], deadline=None)(
        example["test_signs_pass_through"]
    )  # the smallest is not asked
    with pytest.raises(AssertionError):
        found()
