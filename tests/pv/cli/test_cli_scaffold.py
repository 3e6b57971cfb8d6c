"""`pv scaffold`: what it begins fails until it is written, changes nothing that is there, and is not begun twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran, edit

Pv = Callable[..., Ran]

CONTRACT = """\
schema: pv/contract-v1
metadata: {version: 0.1.0, description: Halving.}
equations:
  halve:
    formula: halve(x) = x / 2
    domain: x in ℝ^n, finite
    codomain: ℝ^n
    dimensions: {n: {min: 1, max: 8}}
    arguments: {x: {type: tensor, dtype: [float32], shape: [n], range: {min: -100, max: 100}}}
    returns: {y: {type: tensor, like: x, shape: [n]}}
    invariants:
      - {id: exact, statement: the result is x divided by 2, holds: exact}
      - {id: rejects, statement: an infinite x raises ValueError, holds: exact, about: error}
falsification_tests:
  - {id: FALSIFY-H-001, binds_to: [halve/exact], rule: It halves, prediction: It is x / 2, if_fails: No.}
  - {id: FALSIFY-H-002, binds_to: [halve/rejects], rule: It refuses, prediction: ∞ raises ValueError, if_fails: No.}
"""
KERNEL = """\
import torch

def halve(x: torch.Tensor) -> torch.Tensor:
    if not torch.isfinite(x).all():
        raise ValueError("x is infinite")
    return x / 2
"""


@pytest.fixture
def halving(tmp_path: Path, pv: Pv) -> Path:
    """A project with a contract, its kernel, and nothing else."""
    pv("init", tmp_path, "--empty")
    (tmp_path / "contracts/halve-v1.yaml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "kernels.py").write_text(KERNEL, encoding="utf-8")
    return tmp_path


def bind(root: Path) -> None:
    """Say what the code is called, as scaffold asks for."""
    edit(root / "contracts/binding.yaml", "your_module:halve", "kernels:halve")


def verdicts(pv: Pv, root: Path) -> dict[str, tuple[str, str]]:
    """Verdict and reason of every test, run now."""
    receipts = json.loads(pv("falsify", "--format", "json", cwd=root).out)["receipts"]
    return {row["test"]["id"]: (row["verdict"], row["reason"]) for row in receipts}


def test_what_it_begins_is_found_bound_and_fails(halving: Path, pv: Pv) -> None:
    ran = pv("scaffold", "halve-v1", cwd=halving)
    assert (ran.exit, "wrote falsifiers/halve.py: 2 falsifiers, 2 faults" in ran.out) == (0, True)
    assert "added 1 binding to contracts/binding.yaml" in ran.out
    validated = pv("validate", cwd=halving)
    assert (validated.exit, validated.out.count("error PV"), "PV305" in validated.out) == (1, 1, True)
    bind(halving)
    assert pv("validate", cwd=halving).exit == 0
    found = verdicts(pv, halving)
    assert {verdict for verdict, _ in found.values()} == {"errored"}
    assert all("not written yet: the falsifier of FALSIFY-H-" in reason for _, reason in found.values())
    assert pv("falsify", cwd=halving).exit == 1
    assert pv("ledger", "promote", "halve-v1", cwd=halving).exit != 0


WRITTEN = {
    'raise NotImplementedError("not written yet: the falsifier of FALSIFY-H-001")': "check.equal(subject(case.x), case.x / 2)",
    'raise NotImplementedError("not written yet: the falsifier of FALSIFY-H-002")': (
        "check.raises(ValueError, subject, case.x + float('inf'))"
    ),
}
FAULTS = {
    'raise SystemExit("not written yet: the fault of halve/exact")': "return output + 1",
    'raise SystemExit("not written yet: the fault of halve/rejects")': "return case.x",
}


def test_a_falsifier_that_is_written_is_vacuous_until_its_fault_is(halving: Path, pv: Pv) -> None:
    pv("scaffold", "halve-v1", cwd=halving)
    bind(halving)
    for stub, written in WRITTEN.items():
        edit(halving / "falsifiers/halve.py", stub, written)
    found = verdicts(pv, halving)
    assert {verdict for verdict, _ in found.values()} == {"vacuous"}
    assert all("not written yet: the fault of halve/" in reason for _, reason in found.values())
    for stub, written in FAULTS.items():
        edit(halving / "falsifiers/halve.py", stub, written)
    assert {verdict for verdict, _ in verdicts(pv, halving).values()} == {"held"}, "the control: written, it does hold"


def test_the_second_run_writes_nothing(halving: Path, pv: Pv) -> None:
    pv("scaffold", "halve-v1", cwd=halving)
    before = {path: path.read_bytes() for path in halving.rglob("*") if path.is_file()}
    ran = pv("scaffold", "halve-v1", cwd=halving)
    assert (ran.exit, ran.out.startswith("nothing to write for halve-v1")) == (0, True)
    assert {path: path.read_bytes() for path in halving.rglob("*") if path.is_file()} == before


def test_only_what_is_new_is_begun_and_no_python_file_is_changed(halving: Path, pv: Pv) -> None:
    pv("scaffold", "halve-v1", cwd=halving)
    first = (halving / "falsifiers/halve.py").read_bytes()
    contract = halving / "contracts/halve-v1.yaml"
    third = "  - {id: FALSIFY-H-003, binds_to: [halve/exact], rule: Again, prediction: As 1, if_fails: No.}\n"
    contract.write_text(contract.read_text(encoding="utf-8") + third, encoding="utf-8")
    ran = pv("scaffold", "halve-v1", cwd=halving)
    assert "wrote falsifiers/halve_more.py: 1 falsifier, 0 faults" in ran.out
    assert "binding" not in ran.out
    assert (halving / "falsifiers/halve.py").read_bytes() == first
    assert pv("scaffold", "halve-v1", cwd=halving).out.startswith("nothing to write")


def test_the_next_major_gets_a_module_of_its_own(halving: Path, pv: Pv) -> None:
    pv("scaffold", "halve-v1", cwd=halving)
    again = CONTRACT.replace("version: 0.1.0", "version: 2.0.0").replace("FALSIFY-H-", "FALSIFY-H2-")
    (halving / "contracts/halve-v2.yaml").write_text(again, encoding="utf-8")
    assert "wrote falsifiers/halve_v2.py" in pv("scaffold", "halve-v2", cwd=halving).out


def test_bindings_keep_their_comments_and_layout(halving: Path, pv: Pv) -> None:
    path = halving / "contracts/binding.yaml"
    before = (
        "schema: pv/binding-v1 # ours\nbindings:\n"
        "    # the old one\n    - contract: other-v1 # why\n      equation: f\n      name: torch\n"
        "      target: 'kernels:halve'\n    # nothing below\nx-note: kept\n"
    )
    path.write_text(before, encoding="utf-8")
    pv("scaffold", "halve-v1", cwd=halving)
    row = '    - {contract: halve-v1, equation: halve, name: torch, target: "your_module:halve"}\n'
    assert path.read_text(encoding="utf-8") == before.replace("    # nothing", row + "    # nothing")


HOSTILE = {
    "rule": 'It """ends""" here \\N \'quotes\' {{ 7 * 7 }} {% raw %}',
    "prediction": "a\\x00b\\u2028c\\nimport os\\fd # not a comment",
}


def test_what_a_contract_says_becomes_comment_and_never_code(halving: Path, pv: Pv) -> None:
    path = halving / "contracts/halve-v1.yaml"
    rule = HOSTILE["rule"].replace("'", "''")
    text = path.read_text(encoding="utf-8").replace("rule: It halves", f"rule: '{rule}'")
    text = text.replace("prediction: It is x / 2", f'prediction: "{HOSTILE["prediction"]}"')
    path.write_text(text, encoding="utf-8")
    assert pv("scaffold", "halve-v1", cwd=halving).exit == 0
    written = (halving / "falsifiers/halve.py").read_text(encoding="utf-8")
    compile(written, "halve.py", "exec")
    assert "{{ 7 * 7 }}" in written
    assert not any(line.strip().startswith("import os") for line in written.splitlines())


def test_misuse_names_the_nearest_and_writes_nothing(halving: Path, pv: Pv) -> None:
    ran = pv("scaffold", "halv-v1", cwd=halving)
    assert (ran.exit, "halve-v1" in ran.err) == (2, True)
    outside = pv("scaffold", ROOT / "contracts/microgpt-v1.yaml", cwd=halving)
    assert (outside.exit, "not in the contracts folder" in outside.err) == (2, True)
    (halving / "contracts/broken-v1.yaml").write_text("schema: pv/contract-v1\nequations: [\n", encoding="utf-8")
    assert pv("scaffold", "broken-v1", cwd=halving).exit == 1
    assert not (halving / "falsifiers").exists()


def test_a_falsifier_file_that_hides_its_functions_stops_it_unless_forced(halving: Path, pv: Pv) -> None:
    (halving / "falsifiers").mkdir()
    (halving / "falsifiers/halve.py").write_text("def (:\n", encoding="utf-8")
    ran = pv("scaffold", "halve-v1", cwd=halving)
    assert (ran.exit, "falsifiers/halve.py:1:" in ran.err, "--force" in ran.err) == (1, True, True)
    assert "wrote falsifiers/halve_more.py" in pv("scaffold", "halve-v1", "--force", cwd=halving).out


def test_bindings_that_are_invalid_are_not_added_to(halving: Path, pv: Pv) -> None:
    path = halving / "contracts/binding.yaml"
    path.write_text("schema: pv/binding-v1\nbindings: {}\n", encoding="utf-8")
    ran = pv("scaffold", "halve-v1", cwd=halving)
    assert (ran.exit, path.read_text(encoding="utf-8")) == (1, "schema: pv/binding-v1\nbindings: {}\n")
    assert not (halving / "falsifiers").exists()
