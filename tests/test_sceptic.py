"""A sceptic edits what the gate believes, and is caught, with file and line."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran, edit

Pv = Callable[..., Ran]


def commit(root: Path) -> None:
    """Make the scratch copy a repository with one commit."""
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)


def test_the_untouched_copy_passes(scratch: Path, pv: Pv) -> None:
    commit(scratch)
    assert pv("gate", "--against", "HEAD", cwd=scratch).exit == 0
    assert pv("ledger", "verify", "--against", "HEAD", cwd=scratch).exit == 0


def test_a_digit_edited_in_a_receipt_fails_the_gate(scratch: Path, pv: Pv) -> None:
    receipt = sorted((scratch / "ledger/receipts/microgpt-v1").glob("*.json"))[0]
    text = receipt.read_text(encoding="utf-8")
    receipt.write_text(
        re.sub(r'"checks":(\d)', lambda match: f'"checks":{(int(match[1]) + 1) % 10}', text), encoding="utf-8"
    )
    gate = pv("gate", cwd=scratch)
    assert gate.exit == 1
    assert f"ledger/receipts/microgpt-v1/{receipt.name}:1:1: error PV601" in gate.out


def test_a_status_typed_into_the_contract_fails_the_gate(scratch: Path, pv: Pv) -> None:
    contract = scratch / "contracts/microgpt-v1.yaml"
    edit(contract, "  - id: FALSIFY-MG-029\n", "  - id: FALSIFY-MG-029\n    status: DISCHARGED\n")
    line = contract.read_text(encoding="utf-8").splitlines().index("    status: DISCHARGED") + 1
    gate = pv("gate", cwd=scratch)
    assert gate.exit == 1
    assert f"contracts/microgpt-v1.yaml:{line}:13: error PV401" in gate.out


def test_a_supported_status_passes(scratch: Path, pv: Pv) -> None:
    contract = scratch / "contracts/microgpt-v1.yaml"
    edit(contract, "  - id: FALSIFY-MG-001\n", "  - id: FALSIFY-MG-001\n    status: PARTIAL_ALGORITHM_LEVEL\n")
    assert pv("gate", cwd=scratch).exit == 0


def test_a_constant_changed_without_the_readme_fails_the_gate(scratch: Path, pv: Pv) -> None:
    edit(scratch / "implementations/microgpt/config.py", "N_EMBD = 16", "N_EMBD = 32")
    lines = (scratch / "README.md").read_text(encoding="utf-8").splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.startswith("| N_EMBD"))
    gate = pv("gate", cwd=scratch)
    assert gate.exit == 1
    assert re.search(rf"^README\.md:{line}:\d+: error PV501 .*'?16'?.*32", gate.out, re.MULTILINE)


def test_a_deleted_promotion_is_missed(scratch: Path, pv: Pv) -> None:
    commit(scratch)
    promotion = next((scratch / "ledger/promotions").glob("*/*.json"))
    promotion.unlink()
    verify = pv("ledger", "verify", "--against", "HEAD", cwd=scratch)
    assert verify.exit == 1
    assert f"{promotion.relative_to(scratch).as_posix()}:1:1: error PV604" in verify.out
    assert pv("gate", "--against", "HEAD", cwd=scratch).exit == 1


def test_a_deleted_receipt_is_missed_without_git(scratch: Path, pv: Pv) -> None:
    next((scratch / "ledger/receipts").glob("*/*.json")).unlink()
    verify = pv("ledger", "verify", cwd=scratch)
    assert verify.exit == 1
    assert "PV602" in verify.out


def test_a_falsification_test_that_is_deleted_breaks_its_promise(scratch: Path, pv: Pv) -> None:
    contract = scratch / "contracts/microgpt-v1.yaml"
    text = contract.read_text(encoding="utf-8")
    contract.write_text(text.replace("FALSIFY-MG-001\n", "FALSIFY-MG-901\n"), encoding="utf-8")
    gate = pv("gate", cwd=scratch)
    assert gate.exit == 1
    assert "PV403 FALSIFY-MG-001" in gate.out


@pytest.mark.parametrize("reference", ["no-such-branch", "--output=x"])
def test_a_reference_that_git_does_not_know_is_misuse(reference: str, scratch: Path, pv: Pv) -> None:
    commit(scratch)
    assert pv("ledger", "verify", f"--against={reference}", cwd=scratch).exit == 2


def test_a_contract_that_no_longer_parses_is_no_pass(scratch: Path, pv: Pv) -> None:
    contract = scratch / "contracts/microgpt-v1.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("equations:", "equations: ["), encoding="utf-8")
    for command in (["validate"], ["falsify", "--stale"], ["gate"]):
        assert pv(*command, cwd=scratch).exit == 1, command


def test_evidence_about_a_kernel_depends_on_nothing_of_pv_itself() -> None:
    receipts = sorted((ROOT / "ledger/receipts/microgpt-v1").glob("*.json"))
    paths = {part["path"] for path in receipts for part in json.loads(path.read_text())["depends"]["subject"]}
    assert {path.partition("/")[0] for path in paths} == {"implementations"}
    assert len(receipts) >= 24
