"""action.yml: its steps, run as GitHub Actions runs them, with `bash -e`, in a clone whose branch is compared with main."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Ran, edit
from ledger_project import cloned_project

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
INSTALL, GATE = ACTION["runs"]["steps"]


def step(row: dict[str, Any], folder: Path, inputs: dict[str, str], **more: str) -> Ran:
    """What the runner does with a step: inputs replace their places, `bash -e` runs what comes of it."""
    given = {**{name: about["default"] for name, about in ACTION["inputs"].items()}, **inputs}
    own = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda at: given[at[1]], text)
        for name, text in row["env"].items()
    }
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GITHUB_ACTION_PATH": str(ROOT), "PATH": PATH, **own, **more}
    done = subprocess.run(
        ["bash", "-e", "-c", row["run"]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a project with evidence."""
    return cloned_project(tmp_path / "clone")


def gate(clone: Path, **inputs: str) -> tuple[Ran, str, list[str]]:
    """The gate's step: what it said, the summary of the job, and the codes in the SARIF."""
    summary = clone.parent / "summary.md"
    ran = step(
        GATE, clone, {name.replace("_", "-"): value for name, value in inputs.items()}, GITHUB_STEP_SUMMARY=str(summary)
    )
    sarif = json.loads((clone / "pv.sarif").read_text(encoding="utf-8"))
    return ran, summary.read_text(encoding="utf-8"), [row["ruleId"] for row in sarif["runs"][0]["results"]]


def test_a_branch_that_changed_nothing_passes(clone: Path) -> None:
    ran, summary, codes = gate(clone)
    assert (ran.exit, codes) == (0, []), ran.said
    assert "| promises | holds |" in summary
    assert "1 test selected: 1 measured, 1 held, 0 stale, 0 toothless" in ran.out


def test_what_a_refactoring_made_stale_is_earned_again_in_the_run_itself(clone: Path) -> None:
    edit(clone / "kernels/double.py", "FACTOR * x", "x * FACTOR")
    assert gate(clone, falsify="")[0].exit == 3
    assert gate(clone)[0].exit == 0


def test_a_broken_kernel_is_annotated_and_fails(clone: Path) -> None:
    edit(clone / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    ran, summary, codes = gate(clone)
    assert ran.exit == 1
    assert re.search(r"^::error file=[\w/.-]+,line=\d+,col=\d+,title=PV\d+::.*FALSIFY-D-001", ran.out, re.MULTILINE)
    assert "to mend" in summary
    assert codes


def test_a_removed_promise_fails(clone: Path) -> None:
    for path in (clone / "ledger/promotions").rglob("*.json"):
        path.unlink()
    ran, _, codes = gate(clone)
    assert (ran.exit, codes) == (1, ["PV604"])


def test_it_installs_itself_with_torch_or_what_it_is_told_or_nothing(tmp_path: Path) -> None:
    """The interpreter here only says what it was asked for."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    for given, said in (("", f"{ROOT}[torch]"), ("pv-contracts==1.0", "pv-contracts==1.0")):
        assert step(INSTALL, tmp_path, {"install": given}, PATH=path).out == f"-m pip install {said}\n"
    assert step(INSTALL, tmp_path, {"install": "none"}, PATH=path).said == ""


def test_this_repositorys_own_hooks_are_those_it_publishes() -> None:
    published = {
        row["id"]: row for row in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    }
    own = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert {row["id"]: row["entry"].removeprefix(".venv/bin/python -m ") for row in own} == {
        name: row["entry"] for name, row in published.items()
    }
