"""What whole-command tests share: a scratch copy of this project, and `pv` run in process or as a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    "contracts",
    "falsifiers",
    "implementations",
    "references",
    "ledger",
    "schemas",
    "docs",
    "pyproject.toml",
    "README.md",
)
OWN = ("documents-v1", "trace-save-tensor-v1")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    exit: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams."""
        return self.out + self.err


def copy_project(target: Path) -> Path:
    """What a project of this repository consists of, copied to `target`."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, target / part)
    for contract in OWN:
        _leave_out(target, contract)
    return target


def _leave_out(target: Path, contract: str) -> None:
    """Forget a contract that is about `pv` itself, which a scratch copy does not bring."""
    bindings = target / "contracts/binding.yaml"
    first, *rows = bindings.read_text(encoding="utf-8").split("\n  - ")
    kept = [row for row in rows if f"contract: {contract}" not in row]
    bindings.write_text("\n  - ".join([first, *kept]).rstrip("\n") + "\n", encoding="utf-8")
    (target / f"contracts/{contract}.yaml").unlink()
    for path in (target / "falsifiers").rglob("*.py"):
        if f'CONTRACT = "{contract}"' in path.read_text(encoding="utf-8"):
            path.unlink()
    for folder in (target / "ledger").glob(f"*/{contract}"):
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def own_caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither read nor fill the caches of whoever runs them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "caches"))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of this repository's project, to be broken."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to be looked at: opened much faster than this repository, whose own contracts rest on all of `pv`."""
    return copy_project(tmp_path_factory.mktemp("standing"))


@pytest.fixture
def pv(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `pv` in this process: `pv("falsify", "--stale", cwd=scratch)`."""

    def run(*arguments: object, cwd: Path = ROOT) -> Ran:
        from pv.cli import main

        monkeypatch.chdir(cwd)
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture
def pv_process() -> Callable[..., Ran]:
    """Run `python -m pv` as a user does, in a process of its own."""

    def run(*arguments: object, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "pv", *map(str, arguments)],
            cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})},
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


def edit(path: Path, find: str, replace: str) -> None:
    """Replace the one occurrence of `find`; anything but one is a mistake of the test."""
    text = path.read_text(encoding="utf-8")
    assert text.count(find) == 1, f"{find!r} occurs {text.count(find)} times in {path}"
    path.write_text(text.replace(find, replace), encoding="utf-8")


def require_program(name: str, package: str) -> str:
    """Where the program is. Skip without its system package; with CI=true fail: CI's job is to have it (`make system`)."""
    if found := shutil.which(name):
        return found
    reason = f"needs {name}, of Debian's package {package}: make system"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
