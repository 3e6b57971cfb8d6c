"""The wheel, and an environment that holds the core alone: no torch, no hypothesis, no numpy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, Ran, copy_project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built from this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(ROOT)]
    subprocess.run(command, check=True)
    return next(out.glob("pv_contracts-*.whl"))


@pytest.fixture(scope="module")
def core(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of an environment with the wheel and what it requires, nothing else."""
    home = tmp_path_factory.mktemp("core")
    venv.create(home, with_pip=True)
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    constraints = str(ROOT / "constraints.txt")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-c", constraints, str(wheel)], check=True)
    return python


def test_the_readme_names_the_versions_of_python_that_the_classifiers_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [row.rpartition(":: ")[2] for row in project["classifiers"] if re.search(r"Python :: \d+\.\d+$", row)]
    assert f"written for CPython {named[0]} to {named[-1]} on" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert project["requires-python"] == f">={named[0]}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of this repository's project."""
    return copy_project(tmp_path)


def run(python: Path, *arguments: str, cwd: Path) -> Ran:
    """`pv` of another environment, and not the one in the folder."""
    done = subprocess.run([python, "-P", "-m", "pv", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def test_the_wheel_holds_the_tool_its_schemas_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    schemas = {name for name in names if name.startswith("pv/schemas/")}
    assert schemas == {f"pv/schemas/{path.name}" for path in (ROOT / "schemas").iterdir()}
    assert "pv/py.typed" in names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"pv"}


def test_the_wheel_gives_pytest_its_plugin(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [points] = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
    assert "[pytest11]\npv = pv.pytest_plugin\n" in archive.read(points).decode()
    assert "pv/pytest_plugin/__init__.py" in archive.namelist()


def test_the_core_has_neither_torch_nor_hypothesis_nor_numpy(core: Path) -> None:
    script = (
        "import importlib.util as u; print([n for n in ('torch', 'hypothesis', 'numpy', 'yaml') if u.find_spec(n)])"
    )
    done = subprocess.run([core, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "['yaml']\n"


@pytest.mark.parametrize(
    "command",
    ["validate", "claims", "status", "show FALSIFY-MG-001", "ledger verify", "gate", "ledger promote microgpt-v1"],
)
def test_everything_that_only_reads_works_with_the_core_alone(command: str, core: Path, project: Path) -> None:
    ran = run(core, *command.split(), cwd=project)
    assert ran.exit == 0, ran.said


def test_the_core_judges_and_does_not_only_start(core: Path, project: Path) -> None:
    kernels = project / "implementations/microgpt/kernels.py"
    kernels.write_text(kernels.read_text(encoding="utf-8").replace("diagonal=1", "diagonal=0"), encoding="utf-8")
    assert run(core, "gate", cwd=project).exit == 3
    counts = json.loads(run(core, "status", "--format", "json", cwd=project).out)["counts"]
    assert counts["stale"] > 0


def test_falsify_without_torch_says_what_to_install(core: Path, project: Path) -> None:
    ran = run(core, "falsify", "--id", "FALSIFY-MG-001", cwd=project)
    assert (ran.exit, "pip install 'pv-contracts[torch]'" in ran.err) == (3, True)
