"""`pytest --pv`: what it collects, what an item comes to, and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran
from small_project import FILES, write_project

Pv = Callable[..., Ran]
CONTRACT = "contracts/double-v1.yaml"
THREE_TESTS = FILES[CONTRACT].replace("falsification_tests:\n", """\
  triple:
    formula: triple(x) = 3 x
    domain: x in 0 … 400
    codomain: 0 … 1200
    arguments:
      x: {type: integer, range: {min: 0, max: 400}, strata: [ordinary]}
    returns:
      y: {type: integer}
    invariants:
      - {id: thrice, statement: the result is three times the argument, holds: exact}
falsification_tests:
  - {id: FALSIFY-D-002, rule: r, prediction: one more above 17, binds_to: [double/twice], if_fails: look}
  - {id: FALSIFY-D-003, rule: r, prediction: three times, binds_to: [triple/thrice], if_fails: look}
""")  # fmt: skip
TWO_SUBJECTS = FILES["contracts/binding.yaml"] + """\
  - {contract: double-v1, equation: double, name: absent, role: subject, target: "kernels.double:double", requires: [no_such]}
"""  # fmt: skip
MORE_FALSIFIERS = FILES["falsifiers/double.py"] + """

@falsifier("FALSIFY-D-002", slow=True)
def is_one_more_above_17(subject, case, check):
    check.equal(subject(case.x), twice(case.x) + (case.x > 17))


@falsifier("FALSIFY-D-003")
def is_thrice(subject, case, check):
    check.equal(subject(case.x), 3 * case.x)
"""  # fmt: skip
CHANGES = {
    CONTRACT: THREE_TESTS,
    "contracts/binding.yaml": TWO_SUBJECTS,
    "falsifiers/double.py": MORE_FALSIFIERS,
    "tests/test_plain.py": "def test_plain():\n    pass\n",
    "conftest.py": """\
import sys

def pytest_terminal_summary(terminalreporter):
    heavy = sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "hypothesis", "numpy"})
    terminalreporter.line(f"heavy: {heavy}; of pv: {[name for name in sys.modules if name.startswith('pv.')][:2]}")
""",
}
ONE, TWO, THREE = (f"{CONTRACT}::FALSIFY-D-00{number}" for number in (1, 2, 3))
PLAIN = "tests/test_plain.py::test_plain"
NOTHING = "heavy: []; of pv: ['pv.pytest_plugin']"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three tests: one that holds, one that is slow and falsified, one whose equation is bound to nothing."""
    return write_project(tmp_path, CHANGES)


def run(root: Path, *arguments: str) -> Ran:
    """pytest in a process of its own, with no plugin but this one and those named."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pv.pytest_plugin", *arguments],
        cwd=root, capture_output=True, text=True, check=False,
        env={**env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "160"},
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def collected(root: Path, *arguments: str) -> list[str]:
    """The ids of what would be run."""
    ran = run(root, "--collect-only", "-q", *arguments)
    assert ran.exit in (0, 5), ran.said
    return [line for line in ran.out.splitlines() if "::" in line]


def ini(root: Path, lines: str) -> None:
    """Give pytest's own table to the project's pyproject.toml."""
    (root / "pyproject.toml").write_text(f"[tool.pv]\n[tool.pytest.ini_options]\n{lines}", encoding="utf-8")


# --- what is collected


def test_an_item_is_named_by_its_id_below_its_contract_and_selected_as_any_other(project: Path) -> None:
    assert collected(project, "--pv") == [TWO, THREE, ONE, PLAIN]
    assert collected(project, "--pv", "-k", "D-001 or plain") == [ONE, PLAIN]
    assert collected(project, "--pv", "-k", "thrice") == [THREE]
    assert collected(project, "--pv", "-m", "slow", "--strict-markers") == [TWO]
    assert collected(project, "--pv", "-m", "not slow", "contracts") == [THREE, ONE]
    assert collected(project, ONE) == [ONE], "naming the file is asking for it"


def test_other_subjects_are_named_behind_the_id_and_one_id_selects_them_all(project: Path) -> None:
    others = [f"{TWO}[absent]", f"{ONE}[absent]"]
    assert collected(project, "--pv", "contracts", "--pv-subject", "all") == [TWO, others[0], THREE, ONE, others[1]]
    assert collected(project, "--pv", "contracts", "--pv-subject", "absent") == others
    assert collected(project, ONE, "--pv-subject", "all") == [ONE, others[1]]
    ran = run(project, "--pv", "--pv-subject", "absnt", "contracts")
    assert (ran.exit, "no subject is called 'absnt'" in ran.out) == (2, True)


def test_what_does_not_apply_to_a_subject_is_shown_with_the_reason_its_binding_gives(project: Path) -> None:
    path = project / "contracts/binding.yaml"
    reason = "not_applicable: {value: it has its own contract}"
    path.write_text(path.read_text(encoding="utf-8").replace("requires: [no_such]", reason), encoding="utf-8")
    ran = run(project, f"{ONE}", "-rs", "--pv-subject", "absent")
    assert "SKIPPED [1] contracts/double-v1.yaml:" in ran.out
    assert "not applicable: it has its own contract" in ran.out


def test_nothing_is_collected_or_imported_that_was_not_asked_for(project: Path) -> None:
    ran = run(project)
    assert (ran.exit, ran.out.count(" passed"), NOTHING in ran.out) == (0, 1, True), ran.said
    heavy = project / "tests/test_heavy.py"
    heavy.write_text("def test_heavy():\n    import hypothesis, pv.root\n", encoding="utf-8")
    assert NOTHING not in run(project).out, "the control"


def test_the_ini_asks_where_no_paths_are_given(project: Path) -> None:
    ini(project, 'pv_contracts = "true"\ntestpaths = ["tests"]\n')
    assert collected(project, "--strict-config") == [PLAIN, TWO, THREE, ONE]
    assert collected(project, "tests") == [PLAIN]
    assert collected(project, "tests", "--pv") == [PLAIN, TWO, THREE, ONE], "else --pv would mean nothing"
    ini(project, 'pv_contracts = "false"\ntestpaths = ["tests"]\n')
    assert collected(project) == [PLAIN]


def test_the_ini_may_name_the_contracts_of_a_project_below_the_rootdir(tmp_path: Path) -> None:
    write_project(tmp_path / "below", CHANGES)
    (tmp_path / "pytest.ini").write_text("[pytest]\npv_contracts = below/contracts\n", encoding="utf-8")
    found = [line for line in collected(tmp_path) if "FALSIFY" in line]
    assert found == [f"below/{id_}" for id_ in (TWO, THREE, ONE)]


@pytest.mark.parametrize(("break_it", "said"), [
    (lambda root: (root / CONTRACT).unlink(), "pv: there is no contract at "),
    (lambda root: [path.unlink() for path in (root / "pyproject.toml", root / "contracts/binding.yaml")],
     "pv: there is no project here"),
])  # fmt: skip
def test_asking_where_there_is_nothing_is_no_pass(break_it: Callable[[Path], object], said: str, project: Path) -> None:
    break_it(project)
    ran = run(project, "--pv", "--rootdir", str(project))
    assert (ran.exit, said in ran.said) == (4, True), ran.said
    assert run(project, "--rootdir", str(project)).exit == 0, "the control"


@pytest.mark.parametrize(("path", "find", "code"), [
    (CONTRACT, "holds: exact", "error PV1"),
    ("contracts/binding.yaml", "role: subject", "error PV1"),
])  # fmt: skip
def test_an_invalid_file_is_an_error_of_the_collection(path: str, find: str, code: str, project: Path) -> None:
    text = (project / path).read_text(encoding="utf-8")
    (project / path).write_text(text.replace(find, find.replace(": ", ": un"), 1), encoding="utf-8")
    ran = run(project, "--pv")
    assert (ran.exit, f"ERROR {CONTRACT}" in ran.out) == (2, True)
    assert f"{path}:" in ran.out
    assert code in ran.out


def test_an_option_is_a_whole_number(project: Path) -> None:
    for option, value in (("--pv-examples", "0"), ("--pv-seed", "-1"), ("--pv-examples", "many")):
        ran = run(project, "--pv", f"{option}={value}")
        assert (ran.exit, f"argument {option}: {value!r} is no whole number" in ran.err) == (4, True)


# --- what an item comes to


def test_a_test_without_a_subject_fails_and_stops_and_is_run_again_as_any_other(project: Path) -> None:
    (project / "contracts/binding.yaml").write_text("schema: pv/binding-v1\nbindings: []\n", encoding="utf-8")
    first = run(project, "--pv", "-x")
    assert (first.exit, " 1 failed in " in first.out) == (1, True), first.said
    assert "FALSIFY-D-002 not measured: double has no (default) subject" in first.out
    assert "next: bind the equation to its function in contracts/binding.yaml" in first.out
    again = run(project, "--pv", "--lf")
    assert "rerun previous 1 failure" in again.out
    assert " 1 failed" in again.out
    assert " passed" not in again.out
    side_by_side = run(project, "--pv", "-p", "xdist", "-n", "2")
    assert (side_by_side.exit, "3 failed, 1 passed" in side_by_side.out) == (1, True), side_by_side.said


def test_trials_come_to_what_pv_falsify_says_of_them_and_leave_the_same_receipts(project: Path, pv: Pv) -> None:
    ran = run(project, "--pv", "--pv-subject", "all", "--pv-examples", "60", "--pv-seed", "3", "-rA")
    assert ran.exit == 1
    outcomes = [line for line in ran.out.splitlines() if line.startswith(("PASSED", "FAILED"))]
    assert [line.split(" - ")[0] for line in outcomes] == [
        f"PASSED {ONE}",
        f"PASSED {PLAIN}",
        f"FAILED {TWO}",
        f"FAILED {TWO}[absent]",
        f"FAILED {THREE}",
        f"FAILED {ONE}[absent]",
    ]
    assert "FALSIFY-D-003 not measured: triple has no (default) subject" in ran.out
    assert "heavy: []" in ran.out, "all of it ran in other processes"
    kept = {path.relative_to(project) for path in (project / ".pv").rglob("*.json")}
    assert len([path for path in kept if "receipts" in path.parts]) == 4
    told = pv("falsify", "--subject", "all", "--examples", "60", "--seed", "3", cwd=project)
    blocks = [
        block.rstrip() for block in told.out.split("\n\n") if block.startswith("FALSIFY-D-00") and "next:" in block
    ]
    assert [block.partition(":")[0] for block in blocks] == [
        "FALSIFY-D-002 falsified",
        "FALSIFY-D-002[absent] not measured",
        "FALSIFY-D-001[absent] not measured",
    ]
    for block in blocks:
        assert block in ran.out
    assert {path.relative_to(project) for path in (project / ".pv").rglob("*.json")} == kept, (
        "an equal run is the same file"
    )
