"""The small project, falsified and promoted once; tests of the ledger's commands copy and break it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import chdir
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from conftest import edit
from small_project import run_at, write_project

from pv.ledger.promotion import Promise
from pv.ledger.store import add
from pv.level import Level

KERNEL, RIGHT = "kernels/double.py", "return FACTOR * x"
CONTRACT = "contracts/double-v1.yaml"


@cache
def _falsified() -> Path:
    root = write_project(Path(mkdtemp(prefix="ledger-project-")).resolve())
    run_at(root)
    return root


def falsified_project(target: Path) -> Path:
    """The small project at `target`, its one test run and held; nothing is promised yet."""
    shutil.copytree(_falsified(), target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return target


@cache
def _promised() -> Path:
    from pv.cli import main

    root = falsified_project(Path(mkdtemp(prefix="ledger-project-")).resolve())
    (root / ".gitignore").write_text(".pv/\n__pycache__/\npv.*\n", encoding="utf-8")
    with chdir(root):
        assert main(["ledger", "promote", "double-v1"]) == 0
    return commit(root)


def cloned_project(target: Path) -> Path:
    """A clone of the small project with its promise at `target`, on a branch that is main as it was pushed."""
    git(target.parent, "clone", "--quiet", str(_promised()), target.name)
    git(target, "switch", "--quiet", "--create", "branch")
    return target


def shelf(root: Path, name: str) -> list[Path]:
    return sorted((root / "ledger" / name).rglob("*.json"))


def the_one(root: Path, name: str) -> Path:
    [path] = shelf(root, name)
    return path


def value(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_bytes())
    return loaded


def make_stale(root: Path, text: str = "return x * FACTOR") -> None:
    edit(root / KERNEL, RIGHT, text)


def forge_kind(root: Path, kind: str) -> Path:
    """A receipt of another kind beside the one that was run, alike in everything else."""
    [made] = [path for path in sorted((root / ".pv/receipts").rglob("*.json")) if value(path)["kind"] == "algorithm"]
    return add(made.parent, {**value(made), "kind": kind})


def promise_of(*receipts: str, level: Level = Level.PARTIAL_ALGORITHM_LEVEL) -> Promise:
    return Promise("double-v1", "FALSIFY-D-001", "double", "plain", level, receipts)


def git(root: Path, *arguments: str) -> str:
    """git, as nobody in particular and without the settings of whoever runs the tests."""
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity |= {
        f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **identity}).stdout


def commit(root: Path) -> Path:
    if not (root / ".git").exists():
        git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "as it is")
    return root
