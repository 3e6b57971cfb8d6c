"""`pv doctor`: what is here, in and outside of a project."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from conftest import Ran, edit
from small_project import write_project

Pv = Callable[..., Ran]


def test_libraries_commands_and_the_project_are_told(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path)
    told = json.loads(pv("doctor", "--format", "json", cwd=tmp_path).out)
    rows = {row["name"]: row for row in told["libraries"]["torch"]}
    assert rows["torch"] == {"name": "torch", "version": torch.__version__, "range": ">=2.6", "serves": True}
    assert told["will_not"] == {}
    assert {"validate", "falsify", "bisect"} <= set(told["will_work"])
    assert (told["project"]["contracts"], told["project"]["measured"]) == (1, 0)
    text = pv("doctor", cwd=tmp_path)
    assert (text.exit, f"torch {torch.__version__}" in text.out, "0 measured" in text.out) == (0, True, True)


def test_stale_evidence_is_counted(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path)
    assert pv("falsify", cwd=tmp_path).exit == 0
    fresh = json.loads(pv("doctor", "--format", "json", cwd=tmp_path).out)["project"]
    edit(tmp_path / "contracts/double-v1.yaml", "formula: double(x) = 2 x", "formula: double(x) = x + x")
    stale = json.loads(pv("doctor", "--format", "json", cwd=tmp_path).out)["project"]
    assert ((fresh["measured"], fresh["stale"]), stale["stale"]) == ((1, 0), 1)


def test_a_folder_without_a_project_and_one_that_cannot_be_read_are_said(tmp_path: Path, pv: Pv) -> None:
    ran = pv("doctor", cwd=tmp_path)
    assert (ran.exit, "there is no project here" in ran.out) == (0, True)
    (tmp_path / "pyproject.toml").write_text("[tool.pv]\nsurce = 1\n", encoding="utf-8")
    ran = pv("doctor", cwd=tmp_path)
    assert (ran.exit, "surce" in ran.out) == (0, True)
