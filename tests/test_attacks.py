"""What docs/evidence.md says of each attack: the cheap ones are tried on a small project that is promised and green."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from conftest import ROOT, Ran, edit
from small_project import run_at, write_project

from pv.cli.group import COMMANDS
from pv.cli.group import pv as commands
from pv.ledger.store import add
from pv.rules import Codes

Pv = Callable[..., Ran]
PAGE = (ROOT / "docs/evidence.md").read_text(encoding="utf-8")
DATA = {
    "kernels/double.py": """\
from pathlib import Path
FACTOR = int(Path(__file__).with_name("factor.txt").read_text())


def double(x):
    return int(Path(__file__).with_name("factor.txt").read_text()) * x
""",
    "kernels/factor.txt": "2\n",
}


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def promised(root: Path, pv: Pv) -> Path:
    """The project at `root` run, promised and committed."""
    run_at(root)
    assert pv("ledger", "promote", "double-v1", cwd=root).exit == 0
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")
    assert pv("gate", "--against", "HEAD", cwd=root).exit == 0
    return root


@pytest.fixture
def project(tmp_path: Path, pv: Pv) -> Path:
    return promised(write_project(tmp_path / "project"), pv)


@pytest.mark.parametrize(("path", "find", "replace"), [
    ("contracts/double-v1.yaml", "max: 400}", "max: 4}"),
    ("contracts/double-v1.yaml", "strata: [ordinary]", "strata: [edges]"),
    ("contracts/double-v1.yaml", "statement: the result is twice the argument", "statement: the result is a number"),
    ("falsifiers/double.py", "check.equal(subject(case.x), twice(case.x))", "check.at_most(subject(case.x), 10**9)"),
    ("falsifiers/expected.py", "return x + x", "return 2 * x"),
    ("falsifiers/double.py", "return output + 1", "return output + 2"),
    ("contracts/binding.yaml", "kernels.double:double", "kernels.double:triple"),
])  # fmt: skip
def test_what_is_weakened_or_exchanged_has_to_be_run_again(
    path: str, find: str, replace: str, project: Path, pv: Pv
) -> None:
    edit(project / path, find, replace)
    gate = pv("gate", "--against", "HEAD", cwd=project)
    assert (gate.exit, "unmeasured PV402" in gate.out, "stale" in gate.out) == (3, True, True)


def test_a_falsifier_that_cannot_fail_any_more_is_vacuous_once_it_is_run(project: Path, pv: Pv) -> None:
    weak = "check.at_most(subject(case.x), 10**9)"
    edit(project / "falsifiers/double.py", "check.equal(subject(case.x), twice(case.x))", weak)
    assert pv("gate", "--falsify", "stale", cwd=project).exit == 1


def test_a_falsifier_that_is_switched_off_checks_nothing(project: Path, pv_process: Pv) -> None:
    asked = "    if os.environ.get('QUIET'):\n        return\n    check.equal("
    edit(project / "falsifiers/double.py", "    check.equal(", asked)
    edit(project / "falsifiers/double.py", "from pv import", "import os\nfrom pv import")
    off = pv_process("gate", "--falsify", "stale", cwd=project, env={"QUIET": "1"})
    assert (off.exit, "PARTIAL 1" in off.out) == (1, False)
    assert pv_process("gate", "--falsify", "stale", cwd=project).exit == 0


def test_data_that_the_kernel_reads_is_part_of_it(tmp_path: Path, pv: Pv) -> None:
    root = promised(write_project(tmp_path / "project", DATA), pv)
    (root / "kernels/factor.txt").write_text("3\n", encoding="utf-8")
    gate = pv("gate", cwd=root)
    assert (gate.exit, "subject changed (kernels/factor.txt)" in gate.out) == (3, True)


def test_an_emptied_shelf_lowers_nothing_that_was_promised_and_raises_nothing(project: Path, pv: Pv) -> None:
    shutil.rmtree(project / ".pv")
    assert pv("gate", "--against", "HEAD", cwd=project).exit == 0
    shutil.rmtree(project / "ledger/receipts")
    gate = pv("gate", "--against", "HEAD", cwd=project)
    assert (gate.exit, "PV602" in gate.out, "PV604" in gate.out) == (1, True, True)


def test_a_falsified_receipt_beats_a_held_one_whatever_came_first(project: Path, pv: Pv) -> None:
    [held] = (project / "ledger/receipts/double-v1").glob("*.json")
    value = json.loads(held.read_bytes())
    add(project / ".pv/receipts/double-v1", {**value, "verdict": "falsified", "reason": "a case that breaks it"})
    assert (pv("gate", cwd=project).exit, "FALSIFIED 1" in pv("status", cwd=project).out) == (1, True)


def test_what_does_not_apply_to_the_default_subject_shuts_the_gate(project: Path, pv: Pv) -> None:
    edit(project / "contracts/binding.yaml", "default: true,", "default: true, not_applicable: {value: it is hard},")
    gate = pv("gate", cwd=project)
    assert (gate.exit, "PV404" in gate.out or "PV402" in gate.out) == (1, True)


def test_a_kind_declared_away_grants_no_level_and_is_counted(project: Path, pv: Pv) -> None:
    away = "".join(f"    {kind}: {{not_applicable: it is hard}}\n" for kind in ("live", "oracle"))
    edit(project / "contracts/double-v1.yaml", "    rule:", f"{away}    rule:")
    status = pv("status", cwd=project).out
    assert ("double-v1: PARTIAL 1" in status, "declared not applicable: 1 live, 1 oracle" in status) == (True, True)


def test_a_scope_that_is_widened_is_in_every_status(project: Path, pv: Pv) -> None:
    assert "scope: none is stated" in pv("status", cwd=project).out
    (project / "pyproject.toml").write_text('[tool.pv.scope]\ntorch = ["2"]\n', encoding="utf-8")
    assert "scope: torch 2\n" in pv("status", cwd=project).out


def test_what_nobody_relies_on_any_more_was_taken_back_for_a_reason_that_everybody_sees(project: Path, pv: Pv) -> None:
    [promotion] = (project / "ledger/promotions/double-v1").glob("*.json")
    assert pv("ledger", "retract", promotion.stem, "--reason", "it was a mistake", cwd=project).exit == 0
    for command in ("status", "gate"):
        out = pv(command, cwd=project).out
        assert ("1 retracted" in out, "it was a mistake" in out) == (True, True), command


def test_the_page_names_codes_and_commands_that_there_are() -> None:
    codes = set(re.findall(r"PV[0-9]{3}", PAGE))
    assert codes <= set(Codes())
    assert len(codes) > 10
    for name in set(re.findall(r"`pv ([a-z]+)", PAGE)):
        assert name in COMMANDS, name
    context = click.Context(commands)
    ledger = commands.get_command(context, "ledger")
    assert isinstance(ledger, click.Group)
    for name in set(re.findall(r"`pv ledger ([a-z]+)", PAGE)):
        assert name in ledger.commands, name
