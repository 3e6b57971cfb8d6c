"""`pv teeth`: what becomes of mutants, which of them are waived, and that none of it reaches the real subject's trial."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Ran, edit
from small_project import FILES, write_project

Pv = Callable[..., Ran]

KERNEL = "kernels/double.py"
CLAMPED = """\
def double(x):
    if x > 1000:
        x = x + 5
    return x + x
"""
EXACT = "check.equal(subject(case.x), twice(case.x))"
EVEN = 'check.that(subject(case.x) % 2 == 0, "it is odd")'
WAIVERS = "falsifiers/equivalent.yaml"


def judged(root: Path, pv: Pv, *more: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the one subject's row."""
    ran = pv("teeth", *more, "--format", "json", cwd=root)
    [row] = json.loads(ran.out)["subjects"]
    assert not row["problem"]
    return ran.exit, row


def by_state(row: Mapping[str, Any], state: str) -> list[dict[str, Any]]:
    return [mutant for mutant in row["mutants"] if mutant["state"] == state]


def waive(root: Path, mutants: list[dict[str, Any]]) -> None:
    """Write a waiver for each of `mutants`, as `pv teeth` says it should be."""
    rows = [
        {"contract": "double-v1", "equation": "double", "subject": "plain", "mutant": mutant["id"],
         "digest": mutant["digest"][:16], "reason": "no x is that large"}
        for mutant in mutants
    ]  # fmt: skip
    text = json.dumps({"schema": "pv/equivalents-v1", "equivalent": rows}, indent=1)
    (root / WAIVERS).write_text(text, encoding="utf-8")


def test_a_kernel_without_a_survivor_passes_and_is_known_the_next_time(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {KERNEL: "def double(x):\n    return x + x\n"})

    first, again = pv("teeth", cwd=tmp_path), pv("teeth", cwd=tmp_path)

    assert first.exit == again.exit == 0
    assert "survived" not in first.out
    assert "(known)" not in first.out
    assert "(known)" in again.out
    edit(tmp_path / KERNEL, "return x + x", "return x * 2")
    assert "(known)" not in pv("teeth", cwd=tmp_path).out


def test_survivors_are_shown_as_edits_waived_when_equivalent_and_lapse_with_the_code(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {KERNEL: CLAMPED})

    ran = pv("teeth", cwd=tmp_path)
    exit, row = judged(tmp_path, pv)

    assert (ran.exit, exit) == (1, 1)
    assert f"{KERNEL}:3: survived: arithmetic@double:body[0].body[0].value" in ran.out
    assert "-        x = x + 5\n    +        x = x - 5" in ran.out
    assert "not reached: no case of any falsifier executes this line" in ran.out
    assert "perhaps it is equivalent" in ran.out
    assert "- contract: double-v1" in ran.out
    survivors = by_state(row, "survived")
    assert {mutant["reached"] for mutant in survivors} == {True, False}
    assert row["counts"]["killed"] > 0

    waive(tmp_path, survivors)
    exit, row = judged(tmp_path, pv)
    assert exit == 0
    assert (row["counts"]["survived"], row["counts"]["waived"]) == (0, len(survivors))
    assert {mutant["inputs"] for mutant in by_state(row, "waived")} == {401}  # there are no more

    edit(tmp_path / KERNEL, "x + 5", "x + 6")
    ran = pv("teeth", cwd=tmp_path)
    assert ran.exit == 1
    assert "has lapsed: the function has changed since" in ran.out


def test_what_no_check_looks_at_survives_and_cannot_be_waived(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {"falsifiers/double.py": FILES["falsifiers/double.py"].replace(EXACT, EVEN)})

    exit, row = judged(tmp_path, pv)

    doubled = next(mutant for mutant in by_state(row, "survived") if "FACTOR * 2" in mutant["diff"])
    assert exit == 1
    assert doubled["why"].startswith("not asserted")
    assert doubled["residual"] > 0
    waive(tmp_path, [doubled])
    ran = pv("teeth", cwd=tmp_path)
    assert ran.exit == 1
    assert "its waiver is refuted: it answers otherwise for Case(x=" in ran.out


def test_a_difference_below_the_tolerance_is_a_survivor_shown_with_its_residual(tmp_path: Path, pv: Pv) -> None:
    contract = FILES["contracts/double-v1.yaml"]
    contract = contract.replace("type: integer, range", "type: real, range").replace("{type: integer}", "{type: real}")
    contract = contract.replace("holds: exact", "holds: bounded, tolerance: {float64: 0.1}")
    falsifier = FILES["falsifiers/double.py"].replace("check.equal", "check.close")
    kernel = "def double(x):\n    return x + x + 0.03\n"
    write_project(tmp_path, {"contracts/double-v1.yaml": contract, "falsifiers/double.py": falsifier, KERNEL: kernel})

    ran = pv("teeth", cwd=tmp_path)

    assert ran.exit == 1
    assert "term-dropped@double:body[0].value" in ran.out
    assert "below the tolerance 0.1 of double/twice (float64)" in ran.out


def test_a_mutant_that_loops_is_ended_and_counts_for_nothing(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {KERNEL: "def double(x):\n    while x < 0:\n        x = x + 1\n    return x + x\n"})

    exit, row = judged(tmp_path, pv, "--timeout", "5")

    looping = by_state(row, "timeout")
    assert [mutant["by"] for mutant in looping] == [[]] * len(looping)
    assert any("while x > 0" in mutant["diff"] for mutant in looping)
    assert row["counts"]["killed"] > 0  # the rest was judged all the same
    assert exit == 1  # what stands in the loop is reached by no case


def test_two_falsifiers_that_kill_the_same_mutants_are_told_of(tmp_path: Path, pv: Pv) -> None:
    more = """\
  - id: FALSIFY-D-002
    rule: a result is twice its argument
    prediction: it is x + x
    binds_to: [double/twice]
    if_fails: look at the factor
"""
    second = f'\n\n@falsifier("FALSIFY-D-002")\ndef is_twice_again(subject, case, check):\n    {EXACT}\n'
    changes = {
        "contracts/double-v1.yaml": FILES["contracts/double-v1.yaml"] + more,
        "falsifiers/double.py": FILES["falsifiers/double.py"] + second,
    }
    write_project(tmp_path, changes)

    assert judged(tmp_path, pv)[1]["same_kills"] == []  # the first kill ended it: nothing can be said
    assert judged(tmp_path, pv, "--mutants", "all")[1]["same_kills"] == [["FALSIFY-D-001", "FALSIFY-D-002"]]
    assert "FALSIFY-D-001 and FALSIFY-D-002 kill the same mutants" in pv("teeth", "--mutants", "all", cwd=tmp_path).out


def test_nothing_of_a_mutant_reaches_the_trial_of_the_subject(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path)
    assert pv("falsify", cwd=tmp_path).exit == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / ".pv").rglob("*.json")}

    pv("teeth", cwd=tmp_path)

    assert pv("falsify", cwd=tmp_path).exit == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / ".pv").rglob("*.json")} == before


def test_a_falsifier_that_fails_on_the_subject_itself_judges_nothing(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {KERNEL: "def double(x):\n    return x + x + 1\n"})

    ran = pv("teeth", cwd=tmp_path)

    assert ran.exit == 1
    assert "not judged: no falsifier holds of the subject itself" in ran.out


@pytest.mark.parametrize("missing", ["contracts/binding.yaml", "contracts/double-v1.yaml"])
def test_without_a_subject_or_a_test_nothing_was_measured(missing: str, tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path)
    (tmp_path / missing).unlink()

    assert pv("teeth", cwd=tmp_path).exit == 3


def test_a_waiver_that_cannot_be_read_or_names_nothing_is_a_finding(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {WAIVERS: "schema: pv/equivalents-v1\nequivalent:\n  - {contract: double-v1}\n"})
    ran = pv("teeth", cwd=tmp_path)
    assert ran.exit == 1
    assert f"{WAIVERS}:3:5: error PV111 equivalent/0 has no 'equation'" in ran.out

    waive(tmp_path, [{"id": "constant@double:body[9]", "digest": "0" * 64}])
    ran = pv("teeth", cwd=tmp_path)
    assert ran.exit == 1
    assert "the waiver of constant@double:body[9] has lapsed: there is no such mutant" in ran.out
