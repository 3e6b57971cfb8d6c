"""docs/recipes.md: what it gives runners to run is run here, in a branch that is sound and in one that is not."""

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
from tutorial import Block, blocks

PAGE = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
RECIPES = {(block.file, at): block for at, block in enumerate(blocks(PAGE)) if block.file}
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def recipes(file: str) -> list[Block]:
    """The blocks that go into `file`."""
    return [block for (name, _), block in RECIPES.items() if name == file]


def loaded(file: str) -> list[Any]:
    return [yaml.safe_load(block.text) for block in recipes(file)]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a project with evidence, with `pv` in a folder beside it."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/pv"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pv "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return cloned_project(tmp_path / "clone")


def run(clone: Path, script: str) -> Ran:
    """As a runner does: `bash -e`, with `pv` on the path."""
    path = f"{clone.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=clone, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def scripts() -> dict[str, str]:
    [gitlab] = loaded(".gitlab-ci.yml")
    first = next(block.text for block in blocks(PAGE) if block.language == "sh")
    return {"one command": first, "gitlab": "\n".join(gitlab["pv"]["script"]), "shell": recipes("ci.sh")[0].text}


@pytest.mark.parametrize("name", scripts())
def test_a_sound_branch_passes_a_stale_one_is_run_again_and_a_broken_one_fails(clone: Path, name: str) -> None:
    script = scripts()[name]
    assert run(clone, script).exit == 0
    edit(clone / "kernels/double.py", "FACTOR * x", "x * FACTOR")
    assert run(clone, script).exit == 0
    edit(clone / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    ran = run(clone, script)
    assert (ran.exit, "FALSIFY-D-001" in ran.said) == (1, True), ran.said


def test_a_removed_promise_fails_each(clone: Path) -> None:
    for path in (clone / "ledger/promotions").rglob("*.json"):
        path.unlink()
    assert {name: run(clone, script).exit for name, script in scripts().items()} == dict.fromkeys(scripts(), 1)


def test_gitlab_keeps_what_it_says_it_keeps(clone: Path) -> None:
    [gitlab] = loaded(".gitlab-ci.yml")
    run(clone, scripts()["gitlab"])
    kept = [clone / name for name in gitlab["pv"]["artifacts"]["paths"]]
    assert kept[0].read_text(encoding="utf-8").startswith("### pv gate: 0 errors")
    assert json.loads(kept[1].read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_the_workflow_gives_the_action_inputs_that_it_has() -> None:
    [workflow] = loaded(".github/workflows/pv.yml")
    steps = workflow["jobs"]["gate"]["steps"]
    [gate] = [step for step in steps if "OWNER/pv@" in step["uses"]]
    assert set(gate["with"]) <= set(ACTION["inputs"])
    [sarif] = [step for step in steps if "upload-sarif" in step["uses"]]
    assert sarif["with"]["sarif_file"] == ACTION["inputs"]["sarif"]["default"]
    assert sarif["if"] == "always()", "findings are of use where the gate failed"
    assert steps[0]["with"] == {"fetch-depth": 0}, "what the branch is compared with has to be there"


def test_each_hook_is_one_that_is_published() -> None:
    published = {row["id"]: row for row in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    remote, local = (page["repos"][0]["hooks"] for page in loaded(".pre-commit-config.yaml"))
    assert [row["id"] for row in remote] == list(published)
    assert {row["entry"] for row in local} <= {row["entry"] for row in published.values()}


def test_this_repositorys_own_workflow_runs_its_own_action_as_the_recipe_says() -> None:
    own = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = own["jobs"]["gate-and-test"]["steps"]
    uses = [step.get("uses", "") for step in steps]
    assert "./" in uses
    assert set(steps[uses.index("./")]["with"]) <= set(ACTION["inputs"])
    assert any(step.get("run") == "bash .ci/run" for step in steps)


def test_every_option_of_the_table_is_one_of_the_command(pv: Any) -> None:
    told = pv("gate", "--help").out
    options = re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)
    assert len(options) == 7
    assert [option for option in options if option not in told] == []
