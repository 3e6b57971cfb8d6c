"""`make gate`: every step's exit code decides, and it leaves the tree as it found it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, copy_project, edit

STEPS = ["validate", "falsify", "ledger", "claims", "status", "gate"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A committed copy of the project with the Makefile, its environment taken as made."""
    copy_project(tmp_path)
    for name in ("Makefile", "constraints.txt", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/.installed").touch()
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def make_gate(tree: Path, pv: str = f"{sys.executable} -m pv") -> subprocess.CompletedProcess[str]:
    """Run `make gate` with this environment's pv."""
    # An inherited MAKEFLAGS would hand this make the options of the one that runs the tests.
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(["make", "gate", f"PV={pv}"], cwd=tree, capture_output=True, text=True, check=False, env=env)


def test_the_makefile_runs_the_steps_of_the_main_job() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^gate:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert recipe
    assert [line.split()[1] for line in recipe[1].splitlines()] == STEPS


def test_it_passes_and_leaves_the_tree_clean(tree: Path) -> None:
    done = make_gate(tree)
    assert done.returncode == 0, done.stdout + done.stderr
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tree, capture_output=True, text=True, check=True)
    assert status.stdout == ""


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_fails_the_whole(step: str, tree: Path) -> None:
    wrapper = tree / "wrapper.sh"
    wrapper.write_text(f'[ "$1" = {step} ] && echo "broken {step}" && exit 3\necho "ran $1"\n', encoding="utf-8")
    done = make_gate(tree, "sh wrapper.sh")
    assert (done.returncode, f"broken {step}" in done.stdout) == (2, True)
    ran = re.findall(r"^ran (\w+)$", done.stdout, re.MULTILINE)
    assert ran == STEPS[: STEPS.index(step)], "and nothing after it is run"


@pytest.mark.parametrize(
    ("path", "find", "replace", "said"),
    [
        ("contracts/microgpt-v1.yaml", "version: 1.2.1", "version: one", "PV204"),
        pytest.param(
            "implementations/microgpt/kernels.py",
            "triu(diagonal=1)",
            "triu(diagonal=0)",
            "falsified: causal_mask/",
            marks=pytest.mark.slow,
        ),
        ("README.md", "| 4,192 |", "| 4,193 |", "PV501"),
    ],
)
def test_a_real_fault_fails_the_step_that_is_there_for_it(
    path: str, find: str, replace: str, said: str, tree: Path
) -> None:
    edit(tree / path, find, replace)
    done = make_gate(tree)
    assert (done.returncode, said in done.stdout) == (2, True), done.stdout


def test_a_ledger_file_that_was_edited_fails(tree: Path) -> None:
    promotion = next((tree / "ledger/promotions").glob("*/*.json"))
    edit(promotion, '"level":"PARTIAL_ALGORITHM_LEVEL"', '"level":"DISCHARGED"')
    done = make_gate(tree)
    assert (done.returncode, "PV601" in done.stdout) == (2, True), done.stdout
