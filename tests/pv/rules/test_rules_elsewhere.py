"""Every code that pv can print is explained, and the codes that commands emit do fire: one test each."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran, edit

from pv.cli import main
from pv.rules import catalogue

Pv = Callable[..., Ran]
CODE = re.compile(r"PV[0-9]{3}")


def codes_in(source: str, *, emitted: bool = False) -> set[str]:
    """The codes that stand as literals in Python text; with `emitted`, not those that only register an explanation."""
    tree = ast.parse(source)
    registered = {
        id(node.args[0])
        for node in ast.walk(tree)
        if emitted and isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "explained"
    }
    literals = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in registered]
    return {str(node.value) for node in literals if isinstance(node.value, str) and CODE.fullmatch(node.value)}


def sources() -> list[str]:
    """Every Python file of `pv`."""
    return [path.read_text(encoding="utf-8") for path in sorted((ROOT / "pv").rglob("*.py"))]


def test_every_code_that_pv_can_print_is_explained_and_every_one_explained_can_be_printed() -> None:
    codes = {rule.code for rule in catalogue()}
    assert set().union(*map(codes_in, sources())) == codes
    assert set().union(*(codes_in(source, emitted=True) for source in sources())) == codes


def test_a_code_that_is_only_explained_is_not_taken_for_one_that_is_emitted() -> None:
    source = 'explained("PV998", "text")\nFinding("PV999")\n"""PV997 in prose"""\n'
    assert codes_in(source) == {"PV998", "PV999"}
    assert codes_in(source, emitted=True) == {"PV999"}


def test_every_text_shows_a_line_that_fails_and_one_that_passes() -> None:
    for rule in catalogue():
        assert re.search(r"^    FAIL    \S", rule.text, re.MULTILINE), rule.code
        assert re.search(r"^    PASS    \S", rule.text, re.MULTILINE), rule.code
        assert len(rule.summary) < 120, rule.code
        assert rule.text.splitlines()[1] == "", rule.code


@pytest.fixture(scope="module")
def promised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project of `pv init`, falsified and promoted."""
    root = tmp_path_factory.mktemp("promised") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        assert main(["init", str(root)]) == 0
        patch.chdir(root)
        assert main(["falsify"]) == main(["ledger", "promote", "soft-cap-v1"]) == main(["gate"]) == 0
    return root


@pytest.fixture
def demo(promised: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    return Path(shutil.copytree(promised, tmp_path / "demo"))


def the_one(files: Path, pattern: str = "*.json") -> Path:
    """The first file of a folder."""
    return sorted(files.rglob(pattern))[0]


def test_an_operand_without_a_contract(tmp_path: Path, pv: Pv) -> None:
    ran = pv("validate", tmp_path)
    assert (ran.exit, "unmeasured PV100" in ran.out) == (3, True)


def test_a_promise_that_went_stale(demo: Path, pv: Pv) -> None:
    edit(demo / "kernels.py", "x / 30.0)\n", "x / 30.5)\n")
    ran = pv("gate", cwd=demo)
    assert (ran.exit, "unmeasured PV402 FALSIFY-CAP-001" in ran.out) == (3, True)


def test_a_promise_of_a_test_that_was_deleted(demo: Path, pv: Pv) -> None:
    contract = demo / "contracts/soft-cap-v1.yaml"
    head, _, _ = contract.read_text(encoding="utf-8").partition("  - id: FALSIFY-CAP-002")
    contract.write_text(head, encoding="utf-8")
    ran = pv("gate", cwd=demo)
    assert (ran.exit, "error PV403 FALSIFY-CAP-002" in ran.out) == (1, True)


def test_a_test_that_was_never_run(tmp_path: Path, pv: Pv) -> None:
    pv("init", tmp_path / "demo")
    ran = pv("gate", cwd=tmp_path / "demo")
    assert (ran.exit, "unmeasured PV404 FALSIFY-CAP-001" in ran.out) == (3, True)


def test_a_project_without_tests(tmp_path: Path, pv: Pv) -> None:
    pv("init", tmp_path, "--empty")
    ran = pv("gate", cwd=tmp_path)
    assert (ran.exit, "unmeasured PV405" in ran.out) == (3, True)


def test_a_project_without_claims(demo: Path, pv: Pv) -> None:
    ran = pv("claims", cwd=demo)
    assert (ran.exit, "unmeasured PV500" in ran.out) == (3, True)


def test_an_empty_ledger(tmp_path: Path, pv: Pv) -> None:
    pv("init", tmp_path / "demo")
    ran = pv("ledger", "verify", cwd=tmp_path / "demo")
    assert (ran.exit, "unmeasured PV600" in ran.out) == (3, True)


def test_an_untouched_ledger_has_nothing_of_all_this(demo: Path, pv: Pv) -> None:
    assert pv("ledger", "verify", cwd=demo).exit == pv("gate", cwd=demo).exit == 0


def test_an_edited_receipt(demo: Path, pv: Pv) -> None:
    receipt = the_one(demo / "ledger/receipts")
    receipt.write_bytes(receipt.read_bytes().replace(b'"held"', b'"HELD"'))
    ran = pv("ledger", "verify", cwd=demo)
    assert (ran.exit, f"{receipt.relative_to(demo).as_posix()}:1:1: error PV601" in ran.out) == (1, True)


def test_a_deleted_receipt(demo: Path, pv: Pv) -> None:
    the_one(demo / "ledger/receipts").unlink()
    ran = pv("ledger", "verify", cwd=demo)
    assert (ran.exit, "error PV602" in ran.out) == (1, True)


def test_a_receipt_in_another_contracts_folder(demo: Path, pv: Pv) -> None:
    receipt = the_one(demo / "ledger/receipts")
    (demo / "ledger/receipts/other-v1").mkdir()
    receipt.rename(demo / "ledger/receipts/other-v1" / receipt.name)
    ran = pv("ledger", "verify", cwd=demo)
    assert (ran.exit, "error PV603" in ran.out) == (1, True)


def test_a_promotion_removed_since_a_commit(demo: Path, pv: Pv) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=demo, check=True, capture_output=True)
    promotion = the_one(demo / "ledger/promotions")
    promotion.unlink()
    ran = pv("ledger", "verify", "--against", "HEAD", cwd=demo)
    assert (ran.exit, f"{promotion.relative_to(demo).as_posix()}:1:1: error PV604" in ran.out) == (1, True)
