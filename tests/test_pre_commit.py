"""The hooks of .pre-commit-hooks.yaml under the real pre-commit, in a repository of somebody who installs pv by them.

pre-commit makes the hooks' environment itself, of the core alone, from the package index: where that cannot be reached,
the tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran, edit
from small_project import FILES, write_project

Commit = Callable[[str], Ran]
PACKAGE = (
    "pv",
    "schemas",
    "contracts",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    ".pre-commit-hooks.yaml",
)
COMMIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm")
IDS = ("pv-validate", "pv-claims", "pv-diff", "pv-gate")
CONTRACT = "contracts/double-v1.yaml"
CLAIMED = (
    FILES[CONTRACT]
    + """\
claims:
  - id: FACTOR
    document: README.md
    phrase: {section: Double, text: "It multiplies by {value}."}
    source: {python: kernels/factor.py, name: FACTOR}
"""
)


def run(folder: Path, *command: str, env: dict[str, str] | None = None) -> Ran:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def git(folder: Path, *arguments: str) -> Ran:
    return run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This working tree as a repository that others name in their configuration."""
    folder = tmp_path_factory.mktemp("published")
    for part in PACKAGE:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "pv"]):
        assert git(folder, *arguments).exit == 0
    return folder


@pytest.fixture(scope="session")
def home(published: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where pre-commit keeps the environment of the hooks, made once."""
    environment = {"PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit"))}
    folder = tmp_path_factory.mktemp("first")
    git(folder, "init", "-q")
    configure(folder, published)
    made = run(folder, sys.executable, "-m", "pre_commit", "install-hooks", env=environment)
    if made.exit != 0 and "No matching distribution" in made.said:
        pytest.skip("the package index cannot be reached: pre-commit installs the hooks' environment from it")
    assert made.exit == 0, made.said
    return environment


def configure(folder: Path, published: Path) -> None:
    revision = git(published, "rev-parse", "HEAD").out.strip()
    hooks = "".join(f"      - id: {name}\n" for name in IDS)
    head = "default_install_hook_types: [pre-commit, pre-push]\nrepos:\n"
    text = f"{head}  - repo: {published}\n    rev: {revision}\n    hooks:\n{hooks}"
    (folder / ".pre-commit-config.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def first_commit(published: Path, home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A project with evidence promised, and what its first commit said, which has gone through the hooks."""
    root = tmp_path_factory.mktemp("theirs")
    write_project(root, {CONTRACT: CLAIMED, ".gitignore": ".pv/\n__pycache__/\n"})
    (root / "README.md").write_text("# Double\n\nIt multiplies by 2.\n", encoding="utf-8")
    pv = [sys.executable, "-m", "pv"]
    for command in ([*pv, "falsify"], [*pv, "ledger", "promote", "double-v1"], ["git", "init", "-q", "-b", "main"]):
        ran = run(root, *command, env={"PYTHONPATH": str(ROOT)})
        assert ran.exit == 0, ran.said
    configure(root, published)
    for command in ([sys.executable, "-m", "pre_commit", "install"], ["git", "add", "-A"]):
        ran = run(root, *command, env=home)
        assert ran.exit == 0, ran.said
    return root, run(root, *COMMIT, "first", env=home)


@pytest.fixture
def repository(tmp_path: Path, first_commit: tuple[Path, Ran]) -> Path:
    """A copy of the project after its first commit."""
    root, first = first_commit
    assert first.exit == 0, first.said
    return shutil.copytree(root, tmp_path / "theirs")


@pytest.fixture
def commit(repository: Path, home: dict[str, str]) -> Commit:
    """Commit what is staged, through the hooks."""
    return lambda message: run(repository, *COMMIT, message, env=home)


def stage(repository: Path, path: str, find: str, replace: str) -> None:
    edit(repository / path, find, replace)
    assert git(repository, "add", path).exit == 0


def ledger(repository: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (repository / "ledger").rglob("*") if path.is_file()}


def test_a_first_commit_goes_through_every_hook(first_commit: tuple[Path, Ran]) -> None:
    _, ran = first_commit
    assert ran.exit == 0, ran.said
    assert all(name.replace("-", " ", 1) in ran.said for name in IDS)
    assert ran.said.count("Passed") == len(IDS)


def test_a_good_commit_passes_and_the_hooks_write_no_evidence(repository: Path, commit: Commit) -> None:
    before = ledger(repository)
    (repository / "notes.txt").write_text("a note\n", encoding="utf-8")
    git(repository, "add", "notes.txt")
    assert commit("a note").exit == 0
    assert ledger(repository) == before
    assert git(repository, "status", "--porcelain").out == ""


@pytest.mark.parametrize(
    ("path", "find", "replace", "hook", "told"),
    [
        (CONTRACT, "holds: exact", "holds: exactly", "pv-validate", "holds"),
        ("README.md", "by 2.", "by 3.", "pv-claims", "README.md:3"),
        (CONTRACT, "formula: double(x) = 2 x", "formula: double(x) = x + x", "pv-diff", "the changes require 2.0.0"),
    ],
)
def test_each_kind_of_bad_commit_is_refused(
    repository: Path, commit: Commit, path: str, find: str, replace: str, hook: str, told: str
) -> None:
    stage(repository, path, find, replace)
    ran = commit("bad")
    assert ran.exit == 1
    assert f"hook id: {hook}" in ran.said
    assert told in ran.said
    assert git(repository, "log", "--format=%s").out.split() == ["first"]


def test_an_edited_receipt_is_refused(repository: Path, commit: Commit) -> None:
    receipt = next((repository / "ledger/receipts").rglob("*.json"))
    receipt.write_text(receipt.read_text(encoding="utf-8").replace('"held"', '"held" '), encoding="utf-8")
    git(repository, "add", "-A")
    ran = commit("edited")
    assert (ran.exit, "hook id: pv-gate" in ran.said, receipt.name in ran.said) == (1, True, True)


def test_stale_evidence_passes_at_a_commit_is_said_and_fails_at_a_push(
    tmp_path: Path, repository: Path, commit: Commit, home: dict[str, str]
) -> None:
    stage(repository, "kernels/double.py", "FACTOR * x", "x * FACTOR")
    committed = commit("refactored")
    assert (committed.exit, "kernels/double.py: double" in committed.said) == (0, True)
    git(tmp_path, "init", "-q", "--bare", "there.git")
    git(repository, "remote", "add", "origin", str(tmp_path / "there.git"))
    pushed = run(repository, "git", "push", "-q", "origin", "main", env=home)
    assert pushed.exit == 1
    assert "hook id: pv-gate" in pushed.said
    assert "pv falsify" in pushed.said
    assert git(tmp_path / "there.git", "branch").out == ""


def test_only_what_is_staged_is_judged(repository: Path, commit: Commit) -> None:
    stage(repository, "README.md", "It multiplies by 2.\n", "It multiplies by 2.\n\nFast.\n")
    edit(repository / "README.md", "by 2.", "by 3.")
    assert commit("the staged part is right").exit == 0
    assert "by 3." in (repository / "README.md").read_text(encoding="utf-8"), "what was not staged is still there"
    git(repository, "add", "README.md")
    edit(repository / "README.md", "by 3.", "by 2.")
    assert commit("the staged part is wrong").exit == 1


def test_all_files(repository: Path, commit: Commit, home: dict[str, str]) -> None:
    every = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
    assert run(repository, *every, env=home).exit == 0
    edit(repository / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    ran = run(repository, *every, env=home)
    assert (ran.exit, "hook id: pv-claims" in ran.said) == (1, True)


def test_the_environment_is_the_core_alone(home: dict[str, str]) -> None:
    installed = {path.name.lower() for path in Path(home["PRE_COMMIT_HOME"]).rglob("site-packages/*")}
    assert "click" in installed
    assert not {"torch", "numpy", "hypothesis"} & installed
