"""One contract on code bound in every way: a level for each, evidence of its own, and what does not apply is never a pass."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Ran, edit
from several_subjects import BINDING, WHY, bindings, write_project
from small_project import FILES as DOUBLE
from small_project import write_project as write_double

Pv = Callable[..., Ran]
OTHERS = ("method", "module", "numpy", "port", "flat")


@pytest.fixture(scope="module")
def falsified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The project after `pv falsify --subject all`, and what that said."""
    from pv.cli import main

    root = write_project(tmp_path_factory.mktemp("several"))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as said:
        patch.chdir(root)
        code = main(["falsify", "--subject", "all", "--format", "json"])
    return root, {"exit": code, **json.loads(said.getvalue())}


@pytest.fixture
def project(falsified: tuple[Path, Any], tmp_path: Path) -> Path:
    """A copy of that project with its receipts, to be broken."""
    shutil.copytree(falsified[0], tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def status(pv: Pv, root: Path) -> dict[tuple[str, str], Any]:
    """The rows of `pv status` by the end of the test's id and the subject."""
    rows = json.loads(pv("status", "--format", "json", cwd=root).out)["tests"]
    return {(row["test"][-3:], row["subject"]): row for row in rows}


def verdicts(ran: Ran) -> dict[tuple[str, str], str]:
    receipts = json.loads(ran.out)["receipts"]
    return {(row["test"]["id"][-3:], row["subject"]["name"]): row["verdict"] for row in receipts}


# --- every way


def test_one_falsifier_serves_every_way_to_the_code(falsified: tuple[Path, Any]) -> None:
    _, said = falsified
    held = {(row["test"]["id"][-3:], row["subject"]["name"]) for row in said["receipts"] if row["verdict"] == "held"}
    value = {(test, name) for test in ("001", "002") for name in ("torch", *OTHERS)}
    assert held == value | {("003", name) for name in ("torch", "method", "module")}
    assert (said["exit"], len(said["receipts"])) == (0, 15)
    targets = {row["subject"]["name"]: row["subject"]["target"] for row in said["receipts"]}
    assert targets["port"] == "python ports/scale.py"


def test_each_subject_has_a_vector_and_what_does_not_apply_is_counted(project: Path, pv: Pv) -> None:
    out = pv("status", cwd=project).out.splitlines()
    assert [" ".join(line.split()) for line in out[-10:-1]] == [
        "scale-v1: PARTIAL 3",
        "torch: PARTIAL 3",
        "method: PARTIAL 3",
        "module: PARTIAL 3",
        "numpy: PARTIAL 2 · NOT APPLICABLE 1",
        "port: FUNCTIONAL 2 · NOT APPLICABLE 1",
        "flat: FUNCTIONAL 2 · NOT APPLICABLE 1",
        "3 tests selected: 3 measured, 3 held, 0 stale, 0 toothless",
        "15 more on other subjects: 12 measured, 12 held, 0 stale, 0 toothless, 3 not applicable",
    ]
    assert "numpy has no automatic differentiation" in "\n".join(out)


@pytest.mark.parametrize(("name", "file", "find", "replace", "causes"), [
    ("torch", "kernels.py", "k * x", "x * k", {"torch": "kernels.py: scale", "method": "kernels.py: scale",
                                               "module": "kernels.py: scale"}),
    ("method", "factories.py", "return Scaler", "return  1 and Scaler", {"method": "factories.py: scaler"}),
    ("method", "one.txt", "1", "1\n", {"method": "one.txt"}),
    ("method", "objects.py", "self.one = one", "self.one = one or 1", {"method": "objects.py: Scaler.__init__"}),
    ("module", "objects.py", "self.one * scaled", "scaled * self.one", {"module": "objects.py: Scale.forward"}),
    ("numpy", "arrays.py", "k * x", "x * k", {"numpy": "arrays.py: scale"}),
    ("port", "ports/product.py", "k * x", "x * k", {"port": "ports/product.py"}),
    ("port", "ports/scale.py", '"count"', "'count'", {}),
    ("flat", "ports/flat.py", "(k * x", "(x * k", {"flat": "ports/flat.py"}),
    ("port", BINDING, "[python, ports/scale.py]", "[python, -B, ports/scale.py]", {"port": "scale, port"}),
    ("numpy", BINDING, "requires: [numpy]", "requires: [numpy, sh]", {"numpy": "scale, numpy"}),
])  # fmt: skip
def test_a_change_makes_the_evidence_of_whom_it_concerns_stale_and_of_nobody_else(
    name: str, file: str, find: str, replace: str, causes: dict[str, str], project: Path, pv: Pv
) -> None:
    edit(project / file, find, replace)
    rows = status(pv, project)
    stale = {
        subject: row["stale"][0]["what"] for (test, subject), row in rows.items() if row["stale"] and test == "001"
    }
    assert stale == causes


# --- what goes wrong


def test_a_wrong_kernel_is_falsified_where_it_is_wrong_and_shuts_the_gate(project: Path, pv: Pv) -> None:
    edit(project / "arrays.py", "k * x", "k * x + (k == 7)")
    ran = pv("falsify", "--subject", "all", "--id", "FALSIFY-S-001", "--format", "json", cwd=project)
    assert (ran.exit, {name for (_, name), verdict in verdicts(ran).items() if verdict == "falsified"}) == (
        1,
        {"numpy"},
    )
    [found] = [row["counterexample"] for row in json.loads(ran.out)["receipts"] if row["verdict"] == "falsified"]
    assert found["arguments"]["k"] == 7
    gate = pv("gate", cwd=project)
    assert gate.exit == 1
    [line] = [line for line in gate.out.splitlines() if "PV404" in line]
    assert line == (
        "contracts/scale-v1.yaml:20:5: error PV404 FALSIFY-S-001 (numpy) is at FALSIFIED, not PARTIAL: "
        "the invariant to hold: see the counterexample"
    )
    assert "pv show FALSIFY-S-001 --subject numpy" in gate.out
    shown = pv("show", "FALSIFY-S-001", "--subject", "numpy", cwd=project).out
    assert "FALSIFY-S-001  FALSIFIED, fresh" in shown
    assert "next       mend the subject, then pv falsify --id FALSIFY-S-001 --subject numpy" in shown
    assert "also       torch: PARTIAL, fresh" in shown


@pytest.mark.parametrize(("find", "replace", "reason"), [
    ('print(json.dumps({"ok": True, "count": x.size}), flush=True)', "sys.exit('out of memory')",
     "ended with exit code 1 without an answer; it said: out of memory"),
    ('call["out"])', 'call["in"])', "returned no 'y': the file `out` has nothing"),
    ("import json", "import json\nprint('loading')", "answered 'loading'; one line of JSON"),
])  # fmt: skip
def test_a_port_that_breaks_is_that_trials_error_with_its_own_words(
    find: str, replace: str, reason: str, project: Path, pv: Pv
) -> None:
    edit(project / "ports/scale.py", find, replace)
    ran = pv("falsify", "--subject", "port", "--id", "FALSIFY-S-001", "--format", "json", cwd=project)
    [receipt] = json.loads(ran.out)["receipts"]
    assert (ran.exit, receipt["verdict"]) == (1, "errored")
    assert reason in receipt["reason"]
    assert str(project) not in json.dumps(receipt)


def test_a_port_whose_code_is_nowhere_in_the_project_gives_no_evidence(project: Path, pv: Pv, tmp_path: Path) -> None:
    script = (project / "ports/scale.py").rename(tmp_path.parent / f"{tmp_path.name}.py")
    edit(script, "from product import scaled", "def scaled(x, k): return k * x")
    edit(project / BINDING, "ports/scale.py", str(script))
    ran = pv("falsify", "--subject", "port", "--id", "FALSIFY-S-001", cwd=project)
    assert (ran.exit, "its source is not found below the project" in ran.out) == (1, True), ran.said


def test_what_is_not_installed_is_not_measured_and_nobody_is_to_blame(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path, None, "torch", compiled='requires: [no-such-compiler], target: "kernels:scale"')
    ran = pv("falsify", "--subject", "compiled", cwd=root)
    assert (ran.exit, "3 tests run: 3 not measured" in ran.out) == (3, True)
    assert "compiled requires no-such-compiler, which is not installed here" in ran.out
    row = status(pv, root)["001", "compiled"]
    assert (row["level"], row["verdict"], row["next"]) == (
        "NO_EVIDENCE", "not_measured",
        "mend what pv show FALSIFY-S-001 --subject compiled says, then pv falsify --id FALSIFY-S-001 --subject compiled",
    )  # fmt: skip
    assert pv("falsify", "--id", "FALSIFY-S-001", cwd=root).exit == 0  # the control: the same code, requiring nothing


def test_a_factory_that_refuses_is_no_refusal_of_the_subject(tmp_path: Path, pv: Pv) -> None:
    every = ", ".join(str(k) for k in range(-12, 0))
    refuses = f"def scaler():\n    raise ValueError('k is {every}')\n"
    root = write_project(tmp_path, {"factories.py": refuses}, "torch", "method")
    ran = pv("falsify", "--subject", "method", "--id", "FALSIFY-S-002", cwd=root)
    assert (ran.exit, "errored: factories:scaler raised ValueError" in ran.out) == (1, True), ran.out


def test_a_subject_that_nobody_has_is_misuse(project: Path, pv: Pv) -> None:
    for command in (["falsify"], ["show", "FALSIFY-S-001"], ["ledger", "promote", "scale-v1"]):
        ran = pv(*command, "--subject", "nunpy", cwd=project)
        assert (ran.exit, "no subject is called 'nunpy'" in ran.err, "numpy" in ran.err) == (2, True, True), ran.said


# --- what does not apply


def test_what_does_not_apply_to_the_default_subject_shuts_the_gate(project: Path, pv: Pv) -> None:
    assert pv("ledger", "promote", "scale-v1", cwd=project).exit == 0
    assert "PV404" not in pv("gate", cwd=project).out
    everywhere = bindings("torch", torch=f'default: true, target: "kernels:scale", {WHY}'.replace("NAME", "it"))
    (project / BINDING).write_text(everywhere, encoding="utf-8")
    shutil.rmtree(project / "ledger")
    gate = pv("gate", cwd=project)
    assert gate.exit == 1
    assert "FALSIFY-S-003 (torch) is at NOT APPLICABLE, not PARTIAL: it has no automatic differentiation" in gate.out
    assert "scale-v1: NO EVIDENCE 2 · NOT APPLICABLE 1" in gate.out


def test_a_subject_to_which_nothing_applies_is_not_run_and_not_passed(project: Path, pv: Pv) -> None:
    ran = pv("falsify", "--subject", "numpy", "--id", "FALSIFY-S-003", cwd=project)
    assert (ran.exit, "numpy has no automatic differentiation" in ran.out) == (3, True)
    row = status(pv, project)["003", "numpy"]
    assert (row["level"], row["receipt"], row["next"]) == ("NOT_APPLICABLE", None, None)


# --- promises about a subject


def test_a_promise_is_about_one_subject_and_is_earned_again_where_it_was_broken(project: Path, pv: Pv) -> None:
    ran = pv("ledger", "promote", "scale-v1", "--subject", "numpy", cwd=project)
    assert (ran.exit, ran.out.splitlines()[-1]) == (0, "2 promoted, 0 already, 0 not, 1 not applicable")
    assert "FALSIFY-S-003  numpy  not applicable: numpy has no automatic differentiation" in ran.out
    edit(project / "arrays.py", "k * x", "x * k")
    edit(project / "ports/flat.py", "(k * x", "(x * k")
    gate = pv("gate", cwd=project)
    assert gate.exit == 3
    assert gate.out.count("PV402 FALSIFY-S-00") == 2  # and nothing about flat, which nobody relies on
    assert "is promised at PARTIAL, supported is NO EVIDENCE: stale, subject changed (arrays.py: scale)" in gate.out
    assert "pv falsify --id FALSIFY-S-001 --subject numpy" in gate.out
    again = pv("gate", "--falsify", "stale", cwd=project)
    assert (again.exit, "PV40" in again.out) == (0, False), again.said
    assert status(pv, project)["001", "flat"]["stale"]


def test_what_has_no_evidence_is_not_promoted_on_anothers(project: Path, pv: Pv) -> None:
    edit(project / "arrays.py", "k * x", "x * k")
    ran = pv("ledger", "promote", "FALSIFY-S-001", "--subject", "all", cwd=project)
    assert (ran.exit, ran.out.splitlines()[-1]) == (3, "5 promoted, 0 already, 1 not")
    assert "FALSIFY-S-001  numpy  not promoted" in ran.out


# --- read-outs


def test_coverage_shows_the_others_and_counts_the_default_alone(project: Path, pv: Pv) -> None:
    edit(project / "kernels.py", "k * x", "x * k")
    value = json.loads(pv("coverage", "--format", "json", cwd=project).out)
    assert (value["counts"]["level"], value["counts"]["invariants"]) == (0, 3)
    row = next(row for row in value["invariants"] if row["invariant"] == "scale/gradient")
    [test] = row["tests"]
    assert [(other["subject"], other["level"]) for other in test["others"]] == [
        ("method", "NO_EVIDENCE"), ("module", "NO_EVIDENCE"), ("numpy", "NOT_APPLICABLE"), ("port", "NOT_APPLICABLE"),
        ("flat", "NOT_APPLICABLE"),
    ]  # fmt: skip
    assert "numpy: PARTIAL, fresh" in pv("coverage", cwd=project).out


def test_a_test_is_shown_on_one_subject_or_on_all(project: Path, pv: Pv) -> None:
    one = json.loads(pv("show", "FALSIFY-S-001", "--format", "json", cwd=project).out)["tests"]
    assert [(row["subject"], row["target"]) for row in one] == [("torch", "kernels:scale")]
    assert [other["subject"] for other in one[0]["others"]] == list(OTHERS)
    every = json.loads(pv("show", "FALSIFY-S-003", "--subject", "all", "--format", "json", cwd=project).out)["tests"]
    assert [row["subject"] for row in every] == ["torch", *OTHERS]
    text = pv("show", "FALSIFY-S-003", "--subject", "port", cwd=project).out
    assert "subject    ports/scale.py:1:1  python ports/scale.py (port, contracts/binding.yaml:7:5)" in text
    assert "next       nothing: it does not apply to this subject" in text


# --- a port in another language


SHELL = """\
while read -r line; do
    x=${line##*'"x": '}
    x=${x%%\\}*}
    echo "{\\"ok\\": true, \\"y\\": $((2 * x))}"
done
"""


def test_a_port_in_the_shell_is_attacked_as_any_other(tmp_path: Path, pv: Pv) -> None:
    row = "  - {contract: double-v1, equation: double, name: sh, adapter: command, command: [sh, ports/double.sh]}\n"
    files = {BINDING: DOUBLE[BINDING] + row, "ports/double.sh": SHELL}
    root = write_double(tmp_path, files)
    ran = pv("falsify", "--subject", "sh", cwd=root)
    assert (ran.exit, "1 test run: 1 held" in ran.out) == (0, True), ran.said
    edit(root / "ports/double.sh", "2 * x", "2 * x + (x > 17)")
    ran = pv("falsify", "--subject", "sh", cwd=root)
    assert (ran.exit, "x = 18" in ran.out) == (1, True), ran.said


# --- this repository


def test_numpys_kernels_are_bound_and_only_gradients_do_not_apply(pv: Pv) -> None:
    rows = status(pv, ROOT)
    numpys = {test: row for (test, name), row in rows.items() if name == "numpy"}
    kernels = {"one_hot", "rms_norm", "causal_mask", "softmax", "weighted_sample"}
    assert set(numpys) == {test for (test, name), row in rows.items() if name == "torch" and row["equation"] in kernels}
    assert {test for test, row in numpys.items() if row["not_applicable"]} == {"009", "019", "043"}


def test_a_wrong_numpy_kernel_of_microgpt_is_falsified(scratch: Path, pv: Pv) -> None:
    edit(scratch / "implementations/microgpt/numpy_kernels.py", "mean_square + x", "mean_square + 2 * x")
    ran = pv("falsify", "--subject", "numpy", "--id", "FALSIFY-MG-004", cwd=scratch)
    assert (ran.exit, "falsified" in ran.out) == (1, True), ran.said
