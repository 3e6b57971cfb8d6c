"""The command line: exit codes, clear messages, selection, formats."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran
from small_project import write_project

import pv as package
from pv.cli.group import COMMANDS

Pv = Callable[..., Ran]


def test_validate_answers_each_kind_of_operand_with_its_own_exit(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "broken.yaml").write_text("schema: pv/contract-v1\nequations: [\n", encoding="utf-8")
    (tmp_path / "other.yaml").write_text("on: push\n", encoding="utf-8")
    cases = {"missing.yaml": 2, "empty": 3, "binary.yaml": 1, "broken.yaml": 1, "other.yaml": 1}
    said = {name: pv("validate", tmp_path / name) for name in cases}
    assert {name: ran.exit for name, ran in said.items()} == cases
    assert not any("Traceback" in ran.said for ran in said.values())
    assert "there is no file" in said["missing.yaml"].err
    assert "nothing was checked" in said["empty"].out
    assert "PV104" in said["binary.yaml"].out
    assert f"{tmp_path}/broken.yaml:3:1: error PV101" in said["broken.yaml"].out


def test_a_file_that_is_no_contract_is_skipped_by_name_in_a_folder_only(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "workflow.yaml").write_text("on: push\n", encoding="utf-8")
    walked = pv("validate", tmp_path)
    assert (walked.exit, "workflow.yaml: skipped" in walked.out) == (3, True)
    assert pv("validate", tmp_path / "workflow.yaml").exit == 1


def test_validate_knows_a_contract_by_its_name_and_takes_no_hidden_or_second_one_for_it(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path)
    sound = (root / "contracts/double-v1.yaml").read_text(encoding="utf-8")
    for folder in (".bak", "deep"):
        (root / "contracts" / folder).mkdir()
    (root / "contracts/.bak/double-v1.yaml").write_text(sound, encoding="utf-8")
    (root / "contracts/double-v1.yaml").write_text(sound.replace("rule:", "rul:"), encoding="utf-8")
    assert pv("validate", "double-v1", cwd=root).exit == 1, "a sound copy in a hidden folder is none"
    (root / "contracts/double-v1.yaml").rename(root / "contracts/deep/double-v1.yml")
    assert pv("validate", "double-v1", cwd=root).exit == 1
    (root / "contracts/double-v1.yaml").write_text(sound, encoding="utf-8")
    ran = pv("validate", "double-v1", cwd=root)
    assert (ran.exit, "name the file" in ran.err) == (2, True)


def test_the_gate_says_where_there_was_nothing_to_check(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path)
    answers = dict(line.split("  ", 1) for line in pv("gate", cwd=root).out.splitlines() if "  " in line[:12])
    assert {name: row.strip() for name, row in answers.items() if "nothing" in row} == {
        "promises": "nothing to check", "claims": "nothing to check",
    }  # fmt: skip


def test_validate_accepts_the_projects_own_contracts_and_counts_them(pv: Pv) -> None:
    ran = pv("validate", "contracts", "--format", "json")
    value = json.loads(ran.out)
    assert (ran.exit, value["findings"], value["checked"]["contracts"]) == (0, [], 3)
    assert value["checked"]["tests"] >= 24


def test_validate_without_a_project_says_what_it_did_not_resolve(tmp_path: Path, pv: Pv) -> None:
    target = tmp_path / "microgpt-v1.yaml"
    target.write_bytes((ROOT / "contracts/microgpt-v1.yaml").read_bytes())
    ran = pv("validate", target)
    assert (ran.exit, "not resolved: no project" in ran.out) == (0, True)


HEAVY = ("torch", "hypothesis", "numpy", "jinja2", "rich")
PROBE = """
import sys
from pv.cli import main
code = main(sys.argv[1:])
print([name for name in {heavy!r} if name in sys.modules], code)
"""


@pytest.mark.parametrize(("command", "expected"), [
    (["validate", "contracts/microgpt-v1.yaml"], "[] 0"),
    (["status"], "['rich'] 0"),  # the control: the probe does see an import
])  # fmt: skip
def test_validate_imports_nothing_heavy(command: list[str], expected: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(heavy=HEAVY), *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == expected


def test_importing_pv_imports_nothing_of_it() -> None:
    script = "import sys, pv; print(sorted(n for n in sys.modules if n.startswith('pv.')), pv.__version__)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"[] {package.__version__}\n"


def test_an_id_may_be_an_ending_and_the_answer_says_which(pv: Pv) -> None:
    ran = pv("falsify", "microgpt-v1", "--id", "FALSIFY-010")
    assert ran.out.startswith("FALSIFY-010: FALSIFY-MG-010\n")
    assert "66 cases (all there are)" in ran.out
    assert ran.exit == 0


def test_an_unknown_id_contract_or_command_is_misuse_and_names_the_nearest(pv: Pv) -> None:
    for command, near in [
        (["falsify", "--id", "FALSIFY-MG-0001"], "FALSIFY-MG-001"),
        (["show", "FALSIFY-MG-0001"], "FALSIFY-MG-001"),
        (["status", "microgtp-v1"], "microgpt-v1"),
        (["validat"], "validate"),
        (["gate", "--min-level", "HIGH"], "PARTIAL"),
        (["falsify", "--examples", "0"], "--examples"),
    ]:
        ran = pv(*command)
        assert (ran.exit, near in ran.said) == (2, True), command


def test_show_tells_what_to_do_next(pv: Pv) -> None:
    ran = pv("show", "FALSIFY-MG-004")
    assert ran.exit == 0
    for word in ("contract ", "clause ", "falsifier ", "fault ", "subject ", "receipt ", "next "):
        assert f"\n  {word}" in ran.out


def test_every_command_explains_itself_and_every_format_is_json(pv: Pv) -> None:
    for name in COMMANDS:
        assert pv(name, "--help").exit == 0
    for command in (["status"], ["claims"], ["gate"], ["show", "FALSIFY-MG-001"], ["ledger", "verify"], ["validate"]):
        ran = pv(*command, "--format", "json")
        assert (ran.exit, isinstance(json.loads(ran.out), dict)) == (0, True), command


def test_the_module_and_the_function_are_the_same_entry(pv: Pv, pv_process: Pv) -> None:
    assert pv("--version").out == pv_process("--version").out == f"pv, version {package.__version__}\n"


def test_outside_a_project_commands_say_so(tmp_path: Path, pv: Pv) -> None:
    for command in (["status"], ["falsify"], ["gate"], ["claims"], ["ledger", "verify"], ["show", "X"], ["validate"]):
        ran = pv(*command, cwd=tmp_path)
        assert (ran.exit, "there is no project here" in ran.err) == (2, True), command


def test_a_misspelt_setting_is_refused(scratch: Path, pv: Pv) -> None:
    path = scratch / "pyproject.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("[tool.pv.scope]", "[tool.pv.scpoe]"), encoding="utf-8")
    ran = pv("gate", cwd=scratch)
    assert (ran.exit, "'scpoe'" in ran.err) == (2, True)


def test_a_crash_of_pv_is_70_and_asks_for_a_report(pv: Pv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "status", ("no.such.module", ""))
    ran = pv("status")
    assert (ran.exit, "this is a bug in pv" in ran.err) == (70, True)


def test_stale_runs_nothing_while_everything_is_fresh(scratch: Path, pv: Pv) -> None:
    ran = pv("falsify", "--stale", cwd=scratch)
    assert ran.exit == 0
    assert ran.out.splitlines()[-1].startswith("nothing to run; ")
    assert not (scratch / ".pv").exists()


def test_an_equal_run_adds_no_file(scratch: Path, pv: Pv) -> None:
    kept = []
    for _ in range(2):
        assert pv("falsify", "--id", "FALSIFY-MG-010", cwd=scratch).exit == 0
        kept.append(sorted((scratch / ".pv/receipts").rglob("*.json")))
    assert kept[0] == kept[1]
    names = {path.name for path in kept[0]}
    promoted = {path.name for path in (scratch / "ledger/receipts/microgpt-v1").iterdir()}
    assert names, "there is something to compare"
    assert names <= promoted, "nor does any differ from the one promoted"


def test_too_few_examples_hold_but_earn_no_level(scratch: Path, pv: Pv) -> None:
    for receipt in (scratch / "ledger").rglob("*.json"):
        receipt.unlink()
    ran = pv("falsify", "--id", "FALSIFY-MG-004", "--examples", "30", cwd=scratch)
    assert ran.exit == 0
    promote = pv("ledger", "promote", "FALSIFY-MG-004", cwd=scratch)
    assert (promote.exit, "more cases" in promote.out) == (3, True)


def test_a_project_without_tests_measures_nothing(tmp_path: Path, pv: Pv) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pv]\n", encoding="utf-8")
    (tmp_path / "contracts").mkdir()
    for command in (["gate"], ["falsify"], ["validate"], ["claims"], ["ledger", "verify"]):
        assert pv(*command, cwd=tmp_path).exit == 3, command
