"""`pv replay`: exactly the kept cases, each FIXED, STILL FAILS or ERROR."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, edit
from small_project import FILES, write_project

from pv.falsify.casefile import keep_counterexample
from pv.falsify.encode import encode, fingerprint

Pv = Callable[..., Ran]
TEST = "FALSIFY-D-001"
RIGHT = "return FACTOR * x"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def keep(root: Path, x: Any) -> str:
    """Keep the case of `x` as a run would; its name."""
    found = {
        "invariant": "double/twice", "stratum": "x.ordinary", "digest": fingerprint({"x": x}).hex(), "message": "differs",
        "observed": "1", "expected": "0", "at": "falsifiers/double.py:9",
    }  # fmt: skip
    folder = root / ".pv/counterexamples"
    return keep_counterexample(folder, "double-v1", TEST, "plain", found, {"x": encode(x)}).stem


def replayed(root: Path, pv: Pv, *more: str) -> tuple[int, dict[str, str]]:
    ran = pv("replay", TEST, *more, "--format", "json", cwd=root)
    return ran.exit, {row["case"]: row["outcome"] for row in json.loads(ran.out)["cases"]}


def test_what_a_run_broke_still_fails_until_it_is_mended(project: Path, pv: Pv) -> None:
    edit(project / "kernels/double.py", RIGHT, f"{RIGHT} + (x > 17)")
    assert pv("falsify", cwd=project).exit == 1
    name = fingerprint({"x": 18}).hex()[:16]
    assert replayed(project, pv) == (1, {name: "still fails"})
    ran = pv("replay", "001", cwd=project)
    assert (ran.exit, ran.out.splitlines()[-1]) == (1, "1 case run: 1 still fails")
    assert f"{TEST}  plain  {name}  STILL FAILS  double/twice" in ran.out
    assert "observed 37, expected 36" in ran.out
    edit(project / "kernels/double.py", f"{RIGHT} + (x > 17)", RIGHT)
    assert replayed(project, pv) == (0, {name: "fixed"})
    assert pv("replay", TEST, cwd=project).out == f"{TEST}  plain  {name}  FIXED\n1 case run: 1 fixed\n"


def test_each_kept_case_runs_once_pinned_ones_too_and_no_other(project: Path, tmp_path: Path, pv: Pv) -> None:
    calls = tmp_path.with_name(f"{tmp_path.name}-calls")  # what a trial writes into the project is refused
    edit(project / "kernels/double.py", RIGHT, f"open({str(calls)!r}, 'a').write(f'{{x}} '); {RIGHT} + (x == 18)")
    names = [keep(project, x) for x in (17, 18)]
    pv("pin", TEST, "--case", names[0], cwd=project)
    assert replayed(project, pv) == (1, dict(zip(names, ["fixed", "still fails"], strict=True)))
    assert sorted(calls.read_text(encoding="utf-8").split()) == ["17", "18"]
    assert replayed(project, pv, "--case", names[0][:8]) == (0, {names[0]: "fixed"})
    assert not (project / ".pv/receipts").exists()


@pytest.mark.parametrize(("broken", "outcome"), [
    ("raise ValueError('no')", "error"),
    ("import os; os._exit(0)", "error"),
    ("syntax error", "error"),
    ("return 'text'", "still fails"),  # the falsifier's own check sees it
])  # fmt: skip
def test_a_subject_that_gives_no_answer_is_an_error(project: Path, pv: Pv, broken: str, outcome: str) -> None:
    name = keep(project, 18)
    edit(project / "kernels/double.py", RIGHT, broken)
    assert replayed(project, pv) == (1, {name: outcome})


def test_a_case_that_cannot_be_read_is_an_error_and_the_others_run(project: Path, pv: Pv) -> None:
    good, bad = keep(project, 17), keep(project, 18)
    path = project / f".pv/counterexamples/double-v1/{TEST}/{bad}.json"
    path.write_bytes(path.read_bytes()[:-9])
    assert replayed(project, pv) == (1, {good: "fixed", bad: "error"})
    ran = pv("replay", TEST, cwd=project)
    assert (f"{bad}  ERROR" in ran.out, "can be read" in ran.out) == (True, True)
    assert ran.out.splitlines()[-1] == "2 cases run: 1 error, 1 fixed"


def test_a_pin_that_cannot_be_read_is_an_error_of_its_own(project: Path, pv: Pv) -> None:
    bad = keep(project, 18)
    pv("pin", TEST, cwd=project)
    (project / f"falsifiers/pins/{TEST}/{bad}.json").write_text("{", encoding="utf-8")
    good = keep(project, 17)
    assert replayed(project, pv) == (1, {bad: "error", good: "fixed"})


def test_another_subject_is_asked_for_by_name(tmp_path: Path, pv: Pv) -> None:
    more = '  - {contract: double-v1, equation: double, name: other, target: "kernels.double:triple"}\n'
    bindings = FILES["contracts/binding.yaml"] + more
    project = write_project(tmp_path, {"contracts/binding.yaml": bindings})
    name = keep(project, 18)
    assert replayed(project, pv) == (0, {name: "fixed"})
    assert replayed(project, pv, "--subject", "other") == (1, {name: "still fails"})
    ran = pv("replay", TEST, "--subject", "all", cwd=project)
    assert (ran.exit, ran.out.splitlines()[-1]) == (1, "2 cases run: 1 fixed, 1 still fails")
    assert pv("replay", TEST, "--subject", "nobody", cwd=project).exit == 2


def test_nothing_kept_is_something_to_run(project: Path, pv: Pv) -> None:
    ran = pv("replay", TEST, cwd=project)
    assert (ran.exit, f"pv falsify --id {TEST}" in ran.err) == (3, True)
    keep(project, 18)
    assert pv("replay", TEST, "--case", "zz", cwd=project).exit == 2
