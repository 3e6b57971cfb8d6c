"""Three kinds of evidence: generated cases, the shipped command's calls, a reference; each with what breaks it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, edit
from small_project import FILES, write_project

from pv.cli import main
from pv.falsify.casefile import load_case
from pv.level import Level
from pv.project import project_at

Pv = Callable[..., Ran]

BINDING, CONTRACT, REFERENCE = "contracts/binding.yaml", "contracts/double-v1.yaml", "references/double.py"
COMMAND, KERNEL = "app/__main__.py", "kernels/double.py"
LIVE = "live: {command: [python, -m, app, '3']}"
ALL = {
    BINDING: FILES[BINDING].replace('double"}', f'double", {LIVE}}}')
    + '  - {contract: double-v1, equation: double, name: sums, role: reference, target: "references.double:double"}\n',
    "references/__init__.py": '"""Second opinions."""\n',
    REFERENCE: "def double(x):\n    return x + x\n",
    "app/__init__.py": "",
    COMMAND: "import sys\nfrom kernels.double import double\nfor x in range(int(sys.argv[1])):\n    print(double(x))\n",
}


def write(root: Path, changes: Mapping[str, str] | None = None) -> Path:
    return write_project(root, {**ALL, **(changes or {})})


@pytest.fixture(scope="module")
def discharged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """The project after a run of all three kinds, what that ended with, and what it said."""
    root = write(tmp_path_factory.mktemp("discharged"))
    with chdir(root), redirect_stdout(StringIO()) as said:
        return root, main(["falsify"]), said.getvalue()


def copied(measured: tuple[Path, int, str], target: Path) -> Path:
    """The project of `measured`, to be edited."""
    root, ended, said = measured
    assert ended == 0, said
    return shutil.copytree(root, target, dirs_exist_ok=True)


def receipts(root: Path) -> dict[str, dict[str, Any]]:
    """The receipt of each kind, where there is one of each."""
    found = [json.loads(path.read_bytes()) for path in (root / ".pv/receipts").rglob("*.json")]
    assert len({row["kind"] for row in found}) == len(found)
    return {row["kind"]: row for row in found}


def level(root: Path) -> tuple[Level, tuple[str, ...]]:
    project = project_at(root)
    [pair] = project.select([], [])
    row = project.assess(*pair)
    return row.level, row.lacking


def came_to(root: Path, pv: Pv, kind: str) -> tuple[int, str, str]:
    """Exit code, verdict and reason of a run of `kind` alone."""
    exit_ = pv("falsify", "--kind", kind, cwd=root).exit
    row = receipts(root)[kind]
    return exit_, row["verdict"], row["reason"]


# --- what is run, and what it earns


def test_all_three_kinds_are_run_and_together_they_discharge(discharged: tuple[Path, int, str]) -> None:
    root, ended, said = discharged
    assert ended == 0, said
    assert {line.split("  ")[0] for line in said.splitlines()[:3]} == {
        "FALSIFY-D-001", "FALSIFY-D-001 live", "FALSIFY-D-001 oracle",
    }  # fmt: skip
    assert "3 runs of 1 test: 3 held" in said
    assert level(root) == (Level.DISCHARGED, ())
    found = receipts(root)
    assert found["live"]["live"] == {"calls": 3, "outside": 0, "why": ""}
    assert found["live"]["cases"]["strata"] == [{"name": "captured", "distinct": 3, "exhausted": True}]
    assert all(row["teeth"] and row["mutants"]["killed"] for row in found.values())
    assert {kind: sorted(part["path"] or part["name"] for part in row["depends"]["live"]) for kind, row in found.items()} == {
        "algorithm": [], "oracle": [],
        "live": ["app/__init__.py", COMMAND, "command", "kernels/__init__.py", KERNEL, "kernels/factor.py"],
    }  # fmt: skip
    assert [part["path"] or part["name"] for part in found["oracle"]["depends"]["reference"]] == [
        "double, sums", "references/__init__.py", REFERENCE,
    ]  # fmt: skip


def test_captured_calls_are_kept_as_cases(tmp_path: Path, pv: Pv) -> None:
    root = write(tmp_path)
    pv("falsify", "--kind", "live", cwd=root)
    kept = sorted((root / ".pv/captures/double-v1/double-plain").glob("*.json"))
    assert sorted(load_case(path)["x"] for path in kept) == [0, 1, 2]


def test_one_capture_serves_all_tests_of_an_equation(tmp_path: Path, pv: Pv) -> None:
    counted = tmp_path.parent / f"{tmp_path.name}.runs"
    command = ALL[COMMAND] + f"open({str(counted)!r}, 'a').write('run ')\n"
    text = '\n\n@falsifier("FALSIFY-D-002")\ndef other(subject, case, check):\n    is_twice(subject, case, check)\n'
    root = write(
        tmp_path, {CONTRACT: TWO_TESTS, COMMAND: command, "falsifiers/double.py": FILES["falsifiers/double.py"] + text}
    )
    ran = pv("falsify", "--kind", "live", cwd=root)
    assert (ran.exit, counted.read_text()) == (0, "run "), ran.said


def test_a_command_that_writes_is_given_an_empty_folder_that_is_gone_afterwards(tmp_path: Path, pv: Pv) -> None:
    told = tmp_path.parent / f"{tmp_path.name}.told"
    command = (
        "import sys\nfrom pathlib import Path\nfrom kernels.double import double\n"
        "model = Path(sys.argv[1])\nassert model.name == 'model' and not list(model.parent.iterdir())\n"
        f"model.write_text(str(double(2)))\nassert model.read_text() == '4'\nPath({str(told)!r}).write_text(sys.argv[1])\n"
    )
    root = write(tmp_path, {COMMAND: command, BINDING: ALL[BINDING].replace("'3'", "'{scratch}/model'")})
    ran = pv("falsify", "--kind", "live", cwd=root)
    assert ran.exit == 0, ran.said
    row = receipts(root)["live"]
    assert row["live"]["calls"] == 1
    assert not Path(told.read_text()).parent.exists()
    assert not [part for part in row["depends"]["live"] if "model" in part["path"]]
    assert pv("falsify", "--stale", cwd=root).exit == 0  # another folder the next time, and the evidence stays fresh
    assert receipts(root)["live"] == row


TWO_TESTS = (
    FILES[CONTRACT]
    + """\
  - id: FALSIFY-D-002
    rule: as the first
    prediction: as the first
    binds_to: [double/twice]
    if_fails: look at the first
"""
)


# --- what ages it


@pytest.mark.parametrize(("file", "old", "new", "left", "said"), [
    (REFERENCE, "x + x", "2 * x", Level.FUNCTIONAL,
     "DISCHARGED: a run of the kind 'oracle' (stale: reference changed (references/double.py)): pv falsify --id"),
    (BINDING, "name: sums", "name: other", Level.FUNCTIONAL, "stale: reference"),
    (BINDING, "'3'", "'2'", Level.PARTIAL_ALGORITHM_LEVEL,
     "FUNCTIONAL: a run of the kind 'live' (stale: live changed (command)): pv falsify --id FALSIFY-D-001 --kind live"),
    (COMMAND, "print(double(x))", "double(x)", Level.PARTIAL_ALGORITHM_LEVEL, "stale: live changed (app/__main__.py)"),
    (KERNEL, "FACTOR * x", "x * FACTOR", Level.NO_EVIDENCE, "a run: pv falsify --id FALSIFY-D-001"),
])  # fmt: skip
def test_each_kind_ages_by_what_it_depends_on(
    tmp_path: Path, discharged: tuple[Path, int, str], pv: Pv, file: str, old: str, new: str, left: Level, said: str
) -> None:
    root = copied(discharged, tmp_path)
    edit(root / file, old, new)
    found, lacking = level(root)
    assert found is left
    assert said in lacking[0]
    again = pv("falsify", "--stale", cwd=root)
    assert (again.exit, level(root)) == (0, (Level.DISCHARGED, ())), again.said
    stale = {Level.FUNCTIONAL: 1, Level.PARTIAL_ALGORITHM_LEVEL: 1, Level.NO_EVIDENCE: 3}[left]
    assert ("fresh already" in again.out) == (stale < 3)


def test_a_changed_bound_makes_the_reference_stale_and_nothing_else(tmp_path: Path, pv: Pv) -> None:
    root = write_third(tmp_path, WITHIN)
    assert pv("falsify", cwd=root).exit == 0
    edit(root / "contracts/third-v1.yaml", "relative: 1e-6", "relative: 2e-6")
    found, lacking = level(root)
    assert found is Level.PARTIAL_ALGORITHM_LEVEL
    assert "(stale: reference changed (within third/near))" in lacking[1]


# --- a reference


def test_a_reference_that_imports_the_subject_is_no_second_opinion(tmp_path: Path, pv: Pv) -> None:
    root = write(tmp_path, {REFERENCE: "from kernels.double import double\n"})
    exit_, verdict, reason = came_to(root, pv, "oracle")
    assert (exit_, verdict) == (1, "errored")
    assert reason.startswith("the reference sums shares kernels/double.py, kernels/factor.py with the subject plain")
    assert "PV318" in pv("validate", "contracts", cwd=root).out


def test_nor_one_that_gets_at_it_in_another_way(tmp_path: Path, pv: Pv) -> None:
    hidden = "import importlib\n\ndef double(x):\n    return importlib.import_module('kernels.' + 'double').double(x)\n"
    exit_, verdict, reason = came_to(write(tmp_path, {REFERENCE: hidden}), pv, "oracle")
    assert (exit_, verdict) == (1, "errored")
    assert "the reference sums enters kernels/double.py, which the subject runs" in reason


@pytest.mark.parametrize(("reference", "said"), [
    ("def double(x):\n    return x + x + (x == 7)\n", "differs, against the reference"),
    ("def double(x):\n    return float(x + x)\n", "differs, against the reference"),
    ("def double(x):\n    if x == 7:\n        raise ValueError('seven')\n    return x + x\n", "differs, against the reference"),
], ids=["fault", "type", "raises"])  # fmt: skip
def test_a_reference_that_differs_falsifies(tmp_path: Path, pv: Pv, reference: str, said: str) -> None:
    root = write(tmp_path, {REFERENCE: reference, CONTRACT: FILES[CONTRACT].replace("max: 400", "max: 9")})
    assert came_to(root, pv, "oracle") == (1, "falsified", said)
    found = receipts(root)["oracle"]["counterexample"]
    assert (found["invariant"], found["at"]) == ("double/twice", "falsifiers/double.py:9")
    assert level(root)[0] is Level.FALSIFIED
    assert "STILL FAILS" in pv("replay", "FALSIFY-D-001", cwd=root).out


THIRD = {
    "pyproject.toml": "[tool.pv]\n",
    "contracts/third-v1.yaml": """\
schema: pv/contract-v1
metadata: {version: 1.0.0, description: a kernel}
equations:
  third:
    formula: third(x) = x / 3
    domain: x in ℝ^n
    codomain: ℝ^n
    dimensions: {n: {min: 1, max: 4}}
    arguments: {x: {type: tensor, dtype: [float32], shape: [n], range: {min: -100, max: 100}, strata: [ordinary]}}
    returns: {y: {type: tensor, like: x, shape: [n]}}
    invariants:
      - {id: near, statement: it is a third of x, holds: bounded, tolerance: {float32: {absolute: 1e-6, relative: 1e-6}}}
      - {id: odd, statement: the sign of the result is that of x, holds: exact}
falsification_tests:
  - id: FALSIFY-T-001
    binds_to: [third/odd]
    rule: signs are kept
    prediction: the result of −x is that of x with another sign
    if_fails: look at the kernel
""",
    "falsifiers/third.py": """\
from pv import falsifier, fault


@falsifier("FALSIFY-T-001")
def is_odd(subject, case, check):
    check.equal(subject(-case.x), -subject(case.x))


@fault("third/odd")
def signs_are_lost(y, case):
    return y.abs()
""",
    "kernels.py": "def third(x):\n    return x * (1 / 3)\n",
    "loops.py": "import torch\n\ndef third(x):\n    return torch.tensor([v / 3 for v in x.tolist()], dtype=torch.float64)\n",
}
BOUND = 'schema: pv/binding-v1\nbindings:\n  - {contract: third-v1, equation: third, name: torch, target: "kernels:third"}\n'
EXACTLY = '  - {contract: third-v1, equation: third, name: loops, role: reference, target: "loops:third"}\n'
WITHIN = EXACTLY.replace('third"}', 'third", within: [near]}')


def write_third(root: Path, reference: str, kernel: str = THIRD["kernels.py"]) -> Path:
    changes = {**THIRD, BINDING: BOUND + reference, "kernels.py": kernel}
    for name, text in changes.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_within_its_bound_a_subject_may_round_and_the_slack_is_told(tmp_path: Path, pv: Pv) -> None:
    root = write_third(tmp_path, WITHIN)
    ran = pv("falsify", "--kind", "oracle", cwd=root)
    assert ran.exit == 0, ran.said
    [row] = receipts(root)["oracle"]["residuals"]
    assert (row["invariant"], row["dtype"]) == ("third/near", "float32")
    assert 0 < float.fromhex(row["residual"]) < float.fromhex(row["bound"])


def test_without_a_bound_it_has_to_be_exactly_the_same(tmp_path: Path, pv: Pv) -> None:
    exit_, verdict, reason = came_to(write_third(tmp_path, EXACTLY), pv, "oracle")
    assert (exit_, verdict) == (1, "falsified")
    assert "against the reference" in reason


def test_a_fault_beyond_the_bound_that_the_falsifier_cannot_see_is_seen_by_the_reference(
    tmp_path: Path, pv: Pv
) -> None:
    root = write_third(tmp_path, WITHIN, "def third(x):\n    return x * 0.333\n")
    assert came_to(root, pv, "algorithm")[:2] == (0, "held")
    exit_, verdict, reason = came_to(root, pv, "oracle")
    assert (exit_, verdict) == (1, "falsified")
    assert "> tolerance" in reason
    assert receipts(root)["oracle"]["counterexample"]["invariant"] == "third/odd"


@pytest.mark.parametrize(("bound", "exit_"), [("third/odd", 1), ("third/wide", 0)])
def test_of_several_bounds_the_one_that_the_test_is_about_counts(
    bound: str, exit_: int, tmp_path: Path, pv: Pv
) -> None:
    root = write_third(tmp_path, WITHIN.replace("[near]", "[near, wide]"), "def third(x):\n    return x * 0.333\n")
    wide = "\n      - {id: wide, statement: it is about a third of x, holds: bounded, tolerance: {float32: 1.0}}\n"
    odd = "\n      - {id: odd,"
    edit(root / "contracts/third-v1.yaml", odd, wide.rstrip() + odd)
    edit(root / "contracts/third-v1.yaml", "binds_to: [third/odd]", f"binds_to: [{bound}]")
    edit(root / "falsifiers/third.py", '@fault("third/odd")', f'@fault("{bound}")')
    assert came_to(root, pv, "oracle")[0] == exit_


# --- a live command


@pytest.mark.parametrize(("command", "verdict", "exit_", "said"), [
    ("import kernels.double\n", "not_measured", 3, "the live command python -m app 3 never called kernels.double:double"),
    ("from kernels.double import double\ndouble(401)\ndouble(-1)\n", "not_measured", 3,
     "none of 2 calls is a case of double: x has 401, above 400"),
    ("from kernels.double import double\ndouble(2.5)\n", "not_measured", 3, "x is 2.5, no integer"),
    ("from kernels.double import double\ndouble(1)\nraise OSError('disk')\n", "errored", 1, "raised OSError: disk"),
    ("import sys\nfrom kernels.double import double\ndouble(1)\nsys.exit(4)\n", "errored", 1, "ended with 4"),
    ("import os\nos._exit(0)\n", "errored", 1, "it ended its process with exit code 0"),
])  # fmt: skip
def test_a_command_that_shows_nothing(
    tmp_path: Path, pv: Pv, command: str, verdict: str, exit_: int, said: str
) -> None:
    came = came_to(write(tmp_path, {COMMAND: command}), pv, "live")
    assert came[:2] == (exit_, verdict)
    assert said in came[2]


def test_a_call_that_breaks_the_clause_falsifies(tmp_path: Path, pv: Pv) -> None:
    root = write(tmp_path, {KERNEL: FILES[KERNEL].replace("return FACTOR * x", "return FACTOR * x + (x == 2)")})
    exit_, verdict, _ = came_to(root, pv, "live")
    found = receipts(root)["live"]["counterexample"]
    assert (exit_, verdict, found["stratum"], found["arguments"]) == (1, "falsified", "captured", {"x": 2})


def test_calls_outside_the_equation_are_counted_and_not_judged(tmp_path: Path, pv: Pv) -> None:
    command = "from kernels.double import double\nfor x in (1, 1, 2, 999):\n    double(x)\n"
    root = write(tmp_path, {COMMAND: command})
    ran = pv("falsify", "--kind", "live", cwd=root)
    assert ran.exit == 0
    assert "2 cases, 4 calls, 1 outside" in ran.out
    assert receipts(root)["live"]["live"] == {"calls": 4, "outside": 1, "why": "x has 999, above 400"}


def test_a_script_runs_as_a_command_does(tmp_path: Path, pv: Pv) -> None:
    script = ALL[COMMAND] + "if __name__ != '__main__':\n    raise SystemExit(9)\n"
    binding = ALL[BINDING].replace("-m, app", "app/__main__.py")
    root = write(tmp_path, {COMMAND: "import os, sys\nsys.path.append(os.getcwd())\n" + script, BINDING: binding})
    ran = pv("falsify", "--kind", "live", cwd=root)
    assert ran.exit == 0, ran.said
    assert COMMAND in [part["path"] for part in receipts(root)["live"]["depends"]["live"]]


# --- kinds that are not there


def test_a_kind_that_is_declared_away_is_shown_counted_and_stepped_over(tmp_path: Path, pv: Pv) -> None:
    text = FILES[CONTRACT].replace("    if_fails", "    live: {not_applicable: nobody runs it}\n    if_fails")
    root = write(tmp_path, {CONTRACT: text})
    ran = pv("falsify", cwd=root)
    assert ran.exit == 0
    assert "not applicable: FALSIFY-D-001 live: nobody runs it" in ran.out
    assert "2 runs of 1 test: 2 held; 1 not applicable" in ran.out
    assert level(root) == (Level.DISCHARGED, ())


def test_a_kind_that_is_not_bound_is_lacking_and_asked_for_by_name_it_is_not_run(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path)
    assert pv("falsify", cwd=root).exit == 0
    ran = pv("falsify", "--kind", "live", cwd=root)
    assert ran.exit == 3
    assert "not run: FALSIFY-D-001 live: it needs a `live` command in the binding plain of double" in ran.out
    assert level(root) == (Level.PARTIAL_ALGORITHM_LEVEL, (
        "FUNCTIONAL: a `live` command in the binding plain of double",
        "DISCHARGED: a binding of double with `role: reference`",
    ))  # fmt: skip


OWN = """\
from hypothesis import strategies as st
from pv import Case

OWN = st.integers(0, 9).map(lambda x: Case(x=x))
CONTRACT ="""


def test_captured_calls_are_no_cases_of_a_falsifier_that_brings_its_own(tmp_path: Path, pv: Pv) -> None:
    mark = '@falsifier("FALSIFY-D-001"'
    text = FILES["falsifiers/double.py"].replace("CONTRACT =", OWN).replace(mark, f'{mark}, cases=OWN, because="few"')
    exit_, verdict, reason = came_to(write(tmp_path, {"falsifiers/double.py": text}), pv, "live")
    assert (exit_, verdict) == (1, "errored")
    assert "brings cases of its own" in reason
