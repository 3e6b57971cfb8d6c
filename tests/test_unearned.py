"""Greens that were not earned, each found by somebody who tried; they stay red."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit
from test_readme import make

Pv = Callable[..., Ran]
HONEST = """
@falsifier("FALSIFY-CAP-002")
def again(subject, case, check):
    check.at_most(subject(case.x).abs(), 30.0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The README's project, its kernel broken: the cap is at 99."""
    make(tmp_path)
    (tmp_path / "kernels.py").write_text(
        "import torch\n\nCAP = 99.0\n\n\ndef soft_cap(x):\n    return CAP * torch.tanh(x / CAP)\n", encoding="utf-8"
    )
    return tmp_path


def falsifier(project: Path, check: str, fault: str) -> None:
    """Give the project a falsifier whose body is `check` and a fault whose body is `fault`."""
    (project / "falsifiers/soft_cap.py").write_text(
        "import torch\nfrom pv import falsifier, fault\n\n\n"
        f'@falsifier("FALSIFY-CAP-001")\ndef attack(subject, case, check):\n{check}\n\n\n'
        f'@fault("soft_cap/capped")\ndef wrong(y, case):\n{fault}\n',
        encoding="utf-8",
    )


SWALLOWS = """    try:
        y = subject(case.x)
    except BaseException:
        check.that(False, "it raised")
    check.that(bool(torch.isfinite(y).all()), "finite")"""
FINITE = '    check.that(bool(torch.isfinite(subject(case.x)).all()), "finite")'
TWICE = "    check.equal(subject(case.x), subject(case.x))"


@pytest.mark.parametrize(("check", "fault"), [
    (SWALLOWS, "    raise RuntimeError"),
    (SWALLOWS, "    return y * float('nan')"),
    (FINITE, "    return y * float('nan')"),
    (TWICE, "    return y + torch.rand(())"),
])  # fmt: skip
def test_a_fault_that_the_smoke_check_would_catch_gives_no_teeth(check: str, fault: str, project: Path, pv: Pv) -> None:
    falsifier(project, check, fault)
    ran = pv("falsify", cwd=project)
    assert (ran.exit, "vacuous" in ran.out) == (1, True), ran.said


def test_what_one_falsifier_leaves_in_the_subject_does_not_decide_another(project: Path, pv: Pv) -> None:
    contract = project / "contracts/soft-cap-v1.yaml"
    text = contract.read_text(encoding="utf-8")
    contract.write_text(
        text + "  - {id: FALSIFY-CAP-002, binds_to: [soft_cap/capped], rule: Again, if_fails: the same,\n"
        "     prediction: A second falsifier of the same clause comes to the same verdict}\n",
        encoding="utf-8",
    )
    own = project / "falsifiers/soft_cap.py"
    own.write_text(
        own.read_text(encoding="utf-8").replace(
            "    check.at_most", "    import kernels\n    kernels.CAP = 30.0\n    check.at_most"
        )
        + HONEST,
        encoding="utf-8",
    )
    ran = pv("falsify", "--format", "json", cwd=project)
    verdicts = {row["test"]["id"]: row["verdict"] for row in json.loads(ran.out)["receipts"]}
    assert verdicts["FALSIFY-CAP-002"] == "falsified"


@pytest.mark.parametrize("answer", ["comment", "setting"])
def test_a_promise_above_its_support_cannot_be_answered_away(answer: str, scratch: Path, pv: Pv) -> None:
    contract = scratch / "contracts/microgpt-v1.yaml"
    comment = "  # pv: ignore[PV401] checked by hand" if answer == "comment" else ""
    edit(contract, "  - id: FALSIFY-MG-001\n", f"  - id: FALSIFY-MG-001\n    status: DISCHARGED{comment}\n")
    if answer == "setting":
        settings = '\n[tool.pv.rules]\nPV401 = {severity = "off", reason = "x"}\n\n[tool.pv.scope]'
        edit(scratch / "pyproject.toml", "\n[tool.pv.scope]", settings)
    assert pv("gate", cwd=scratch).exit == (1 if answer == "comment" else 2)


def test_a_promotion_above_the_kind_of_what_it_cites_is_not_believed(scratch: Path, pv: Pv) -> None:
    from pv.ledger.store import add

    promotion = next((scratch / "ledger/promotions").glob("*/*.json"))
    value = json.loads(promotion.read_text(encoding="utf-8"))
    add(promotion.parent, {**value, "level": "DISCHARGED"})
    verify = pv("ledger", "verify", cwd=scratch)
    assert (verify.exit, "PV603" in verify.out) == (1, True)


def test_a_target_outside_the_project_is_refused_and_not_imported(project: Path, pv: Pv) -> None:
    edit(project / "contracts/binding.yaml", "kernels:soft_cap", "torch:tanh")
    ran = pv("falsify", cwd=project)
    assert (ran.exit, "there is no module 'torch' in the project" in ran.out) == (1, True)


def test_a_stream_without_the_signs_of_a_formula_is_no_crash(pv_process: Pv) -> None:
    ran = pv_process("show", "FALSIFY-MG-004", env={"PYTHONIOENCODING": "latin-1"})
    assert (ran.exit, "\\u03b5" in ran.out) == (0, True)


def test_the_gate_speaks_json_alone_also_when_it_falsifies_first(project: Path, pv: Pv) -> None:
    ran = pv("gate", "--falsify", "stale", "--format", "json", cwd=project)
    assert (ran.exit, json.loads(ran.out)["counts"]["selected"]) == (1, 1)


def test_a_verdict_is_shown_although_its_receipt_cannot_be_kept(project: Path, pv: Pv) -> None:
    (project / ".pv").write_text("in the way", encoding="utf-8")
    ran = pv("falsify", cwd=project)
    assert (ran.exit, "smallest case found" in ran.out) == (2, True)


def test_the_shelf_keeps_itself_out_of_git(project: Path, pv: Pv) -> None:
    pv("falsify", cwd=project)
    assert (project / ".pv/.gitignore").read_text(encoding="utf-8") == "*\n"
