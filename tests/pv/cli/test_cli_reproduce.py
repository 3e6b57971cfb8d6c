"""`pv gate --reproduce`: a receipt that nobody ran is caught; what cannot be run again is said to be self-reported."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, edit
from receipts import promise, put_promotion, put_receipt
from small_project import run_at, write_project

from pv.ledger.store import add
from pv.project import project_at

Pv = Callable[..., Ran]


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")


def recorded(root: Path) -> dict[str, Any]:
    """What a run of the test records."""
    return run_at(root).receipt


def put(root: Path, value: dict[str, Any]) -> str:
    """A receipt into the ledger with a promise that cites it, as somebody can who writes files by hand."""
    name = add(root / "ledger/receipts/double-v1", value).stem
    put_promotion(root / "ledger", promise(name))
    return name


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The small project with its kernel wrong, in a repository; its ledger is not empty, and nobody relies on what it holds."""
    root = write_project(tmp_path)
    put_receipt(root / "ledger", verdict="not_measured", reason="somebody was in a hurry")
    edit(root / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    git(root, "init", "-q")
    commit(root)
    return root


def forged(root: Path) -> dict[str, Any]:
    """That the wrong kernel held: a run of the right one, with the digests of the wrong one in it."""
    edit(root / "kernels/factor.py", "FACTOR = 3", "FACTOR = 2")
    value = recorded(root)
    edit(root / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    code = project_at(root).today.code
    parts = [{**part, "digest": code.digest(part["path"], part["name"])} for part in value["depends"]["subject"]]
    return {**value, "depends": {**value["depends"], "subject": parts}}


def test_a_forged_receipt_is_believed_until_it_is_run_again(project: Path, pv: Pv) -> None:
    name = put(project, forged(project))
    believed = pv("gate", "--against", "HEAD", cwd=project)
    assert (believed.exit, "double-v1: PARTIAL 1" in believed.out) == (0, True)
    for arguments in (["--against", "HEAD"], []):
        caught = pv("gate", "--reproduce", *arguments, cwd=project)
        assert caught.exit == 1
        line = next(line for line in caught.out.splitlines() if "PV610" in line)
        assert line.startswith(
            f"ledger/receipts/double-v1/{name}.json:1:1: error PV610 does not reproduce: FALSIFY-D-001"
        )
        assert "verdict (recorded held, now falsified" in line
        assert "reproducing 1 receipt: 0 reproduced, 0 self-reported, 1 different" in caught.out


def test_an_honest_receipt_reproduces_and_nothing_is_written(project: Path, pv: Pv) -> None:
    edit(project / "kernels/factor.py", "FACTOR = 3", "FACTOR = 2")
    put(project, recorded(project))
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*") if ".git" not in path.parts}
    ran = pv("gate", "--reproduce", "--against", "HEAD", "--format", "json", cwd=project)
    assert ran.exit == 0
    value = json.loads(ran.out)
    assert value["reproduction"] == {"receipts": 1, "reproduced": 1, "self_reported": 0, "different": 0}
    assert value["findings"]["reproduced"] == []
    after = {path: path.stat().st_mtime_ns for path in project.rglob("*") if ".git" not in path.parts}
    assert {path for path in after if after[path] != before.get(path)} <= {
        path for path in after if "__pycache__" in path.parts or path.suffix == ".pyc"
    }


def test_what_the_reference_had_is_not_run_again(project: Path, pv: Pv) -> None:
    put(project, forged(project))
    commit(project)
    kept = pv("gate", "--reproduce", "--against", "HEAD", cwd=project)
    assert (kept.exit, "reproducing 0 receipts" in kept.out) == (0, True)
    assert pv("gate", "--reproduce", cwd=project).exit == 1


@pytest.mark.parametrize(("change", "said"), [
    ({"checks": 9999}, "checks (recorded 9,999"),
    ({"teeth": [{"invariant": "double/twice", "fault": "another", "caught": True, "seeds": 3}]}, "teeth"),
])  # fmt: skip
def test_a_receipt_that_says_more_than_its_run_is_caught(
    change: dict[str, Any], said: str, project: Path, pv: Pv
) -> None:
    edit(project / "kernels/factor.py", "FACTOR = 3", "FACTOR = 2")
    put(project, {**recorded(project), **change})
    caught = pv("gate", "--reproduce", cwd=project)
    assert (caught.exit, said in caught.out) == (1, True)


def test_a_receipt_that_leaves_out_what_would_make_it_stale_is_caught(project: Path, pv: Pv) -> None:
    edit(project / "kernels/factor.py", "FACTOR = 3", "FACTOR = 2")
    value = recorded(project)
    kept = [part for part in value["depends"]["subject"] if part["path"] != "kernels/factor.py"]
    put(project, {**value, "depends": {**value["depends"], "subject": kept}})
    commit(project)
    edit(project / "kernels/factor.py", "FACTOR = 2", "FACTOR = 1 + 1")
    for path in (project / ".pv/receipts/double-v1").glob("*.json"):
        path.unlink()
    assert pv("gate", cwd=project).exit == 0
    caught = pv("gate", "--reproduce", cwd=project)
    assert (caught.exit, "depends (subject)" in caught.out) == (1, True)


def test_what_cannot_be_run_again_here_is_self_reported_and_counted(project: Path, pv: Pv) -> None:
    edit(project / "kernels/factor.py", "FACTOR = 3", "FACTOR = 2")
    value = recorded(project)
    put(project, {**value, "scope": {**value["scope"], "torch": ["1.0.0"]}})
    elsewhere = pv("gate", "--reproduce", cwd=project)
    assert elsewhere.exit == 0
    assert "warning PV611 is self-reported" in elsewhere.out
    assert "made with torch 1.0.0" in elsewhere.out
    assert "0 reproduced, 1 self-reported, 0 different" in elsewhere.out
    edit(project / "kernels/factor.py", "FACTOR = 2", "FACTOR = 1 + 1")
    stale = pv("gate", "--reproduce", cwd=project)
    assert (stale.exit, "stale: subject changed (kernels/factor.py: top level)" in stale.out) == (3, True)


def test_a_receipt_on_a_shelf_that_was_given_to_git_is_run_again_as_well(project: Path, pv: Pv) -> None:
    value = forged(project)
    for path in (project / ".pv/receipts/double-v1").glob("*.json"):
        path.unlink()
    add(project / ".pv/receipts/double-v1", value)
    ignored = pv("gate", "--reproduce", "--against", "HEAD", cwd=project)
    assert "reproducing 0 receipts" in ignored.out
    git(project, "add", "-f", ".pv/receipts")
    caught = pv("gate", "--reproduce", "--against", "HEAD", cwd=project)
    assert (caught.exit, "PV610" in caught.out) == (1, True)
