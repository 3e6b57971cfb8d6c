"""The rules over falsifiers as a user meets them: nothing is run, nothing is said twice, a project may weigh them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Ran, edit
from projects import CONTRACT, softmax_project

Pv = Callable[..., Ran]
FALSIFIER = "falsifiers/softmax.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose one falsifier uses a helper with a tolerance of its own, and cannot be imported."""
    root = softmax_project(tmp_path)
    edit(root / FALSIFIER, "check.close(subject(case.x).sum(-1), 1.0)", "check.that(one(subject(case.x).sum(-1)), '')")
    edit(
        root / FALSIFIER,
        "from pv import",
        "import nowhere_to_be_found\nfrom falsifiers.helpers import one\nfrom pv import",
    )
    helper = "raise SystemExit('imported')\n\ndef one(x):\n    return ((x - 1.0).abs() < 1e-3).all().item()\n"
    (root / "falsifiers/helpers.py").write_text(helper, encoding="utf-8")
    return root


def found(ran: Ran) -> list[tuple[str, str, int, str]]:
    """(code, path, line, severity) of every finding of an answer in JSON."""
    rows: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    return [(row["code"], row["path"], row["line"], row["severity"]) for row in rows]


def test_a_tolerance_in_a_helper_is_an_error_where_it_stands_and_nothing_is_imported(project: Path, pv: Pv) -> None:
    ran = pv("validate", "--format", "json", CONTRACT, cwd=project)
    assert (ran.exit, found(ran)) == (1, [("PV314", "falsifiers/helpers.py", 4, "error")])
    assert "nowhere_to_be_found" not in sys.modules


def test_what_two_contracts_use_is_said_once(project: Path, pv: Pv) -> None:
    other = project / "contracts/other-v1.yaml"
    shutil.copy(project / CONTRACT, other)
    other.write_text(other.read_text(encoding="utf-8").replace("SM-0", "OT-0"), encoding="utf-8")
    binding = project / "contracts/binding.yaml"
    rows = binding.read_text(encoding="utf-8")
    added = rows.partition("bindings:\n")[2].replace("softmax-v1", "other-v1")
    binding.write_text(rows + added, encoding="utf-8")
    own = (project / FALSIFIER).read_text(encoding="utf-8")
    (project / "falsifiers/other.py").write_text(
        own.replace("softmax-v1", "other-v1").replace("SM-0", "OT-0"), encoding="utf-8"
    )
    once = [("PV314", "falsifiers/helpers.py", 4, "error")]
    assert found(pv("validate", "--format", "json", CONTRACT, cwd=project)) == once
    assert found(pv("validate", "--format", "json", other, cwd=project)) == once
    assert found(pv("validate", "--format", "json", "contracts", cwd=project)) == once


def test_a_project_may_weigh_it_with_a_reason(project: Path, pv: Pv) -> None:
    settings = '[tool.pv]\n[tool.pv.rules]\nPV314 = {severity = "warning", reason = "being rewritten"}\n'
    (project / "pyproject.toml").write_text(settings, encoding="utf-8")
    ran = pv("validate", "--format", "json", CONTRACT, cwd=project)
    assert found(ran) == [("PV314", "falsifiers/helpers.py", 4, "warning")]


def test_the_projects_own_falsifiers_are_clean(pv: Pv) -> None:
    ran = pv("validate", "--format", "json", "--select", "PV314,PV315,PV316,PV317", "contracts/microgpt-v1.yaml")
    assert found(ran) == []


PROBE = "import sys\nfrom pv.cli import main\nmain(['validate', sys.argv[1]])\nprint('pv.source.attack' in sys.modules)"


@pytest.mark.parametrize("has_falsifiers", [False, True])
def test_what_reads_attacks_is_loaded_only_where_there_is_one(*, has_falsifiers: bool, tmp_path: Path) -> None:
    root = softmax_project(tmp_path)
    if not has_falsifiers:
        shutil.rmtree(root / "falsifiers")
    command = [sys.executable, "-c", PROBE, str(root / CONTRACT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str(has_falsifiers)
