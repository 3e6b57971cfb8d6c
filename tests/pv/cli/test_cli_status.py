"""`pv status` beyond its table: what changed since a reference, what this machine has not measured, a lowered policy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit
from receipts import promise, put_promotion
from small_project import FILES, run_at, write_project

from pv.ledger.store import add, read

Pv = Callable[..., Ran]


def git(root: Path, *arguments: str, who: str = "Ann") -> None:
    author = ["-c", f"user.name={who}", "-c", "user.email=a@example.invalid"]
    subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True)


def shelve(root: Path) -> str:
    """Run the test, and put the receipt into the ledger with a promise; its digest."""
    run_at(root)
    [path] = (root / ".pv/receipts/double-v1").glob("*.json")
    added = add(root / "ledger/receipts/double-v1", read(path).value)
    put_promotion(root / "ledger", promise(added.stem))
    return added.stem


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, promised at PARTIAL and committed."""
    root = write_project(tmp_path_factory.mktemp("committed"))
    shelve(root)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")
    return root


@pytest.fixture
def repository(committed: Path, tmp_path: Path) -> Path:
    """A copy of it, to be edited."""
    return shutil.copytree(committed, tmp_path / "project")


def since(pv: Pv, root: Path, reference: str = "HEAD") -> dict[str, object]:
    value = json.loads(pv("status", "--against", reference, "--format", "json", cwd=root).out)["since"]
    assert isinstance(value, dict)
    return value


def test_nothing_changed(repository: Path, pv: Pv) -> None:
    assert pv("status", "--against", "HEAD", cwd=repository).out.startswith("since HEAD: no level changed\n")
    assert since(pv, repository)["changes"] == []


def test_what_went_stale_is_told_with_whose_edit_it_was(repository: Path, pv: Pv) -> None:
    edit(repository / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    ran = pv("status", "--against", "HEAD", cwd=repository)
    assert ran.exit == 0
    assert ran.out.splitlines()[:2] == [
        (
            "went stale: FALSIFY-D-001 (double-v1: double, plain)  PARTIAL → NO EVIDENCE  stale (was PARTIAL): "
            "subject changed (kernels/factor.py: top level)"
        ),
        "since HEAD: 1 went stale",
    ]
    git(repository, "commit", "-qam", "faster", who="Ben")
    assert "by Ben (kernels/factor.py)" in pv("status", "--against", "HEAD~1", cwd=repository).out
    [change] = since(pv, repository, "HEAD~1")["changes"]  # type: ignore[misc]  # JSON
    assert (change["turn"], change["by"]) == ("went stale", [{"path": "kernels/factor.py", "author": "Ben"}])
    markdown = pv("status", "--against", "HEAD~1", "--format", "markdown", cwd=repository).out
    assert markdown.startswith("### pv: 1 went stale since `HEAD~1`")


def test_what_fell_came_and_went(repository: Path, pv: Pv) -> None:
    edit(repository / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    run_at(repository)
    assert (
        "fell: FALSIFY-D-001 (double-v1: double, plain)  PARTIAL → FALSIFIED"
        in pv("status", "--against", "HEAD", cwd=repository).out
    )
    contract = repository / "contracts/double-v1.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("D-001", "D-901"), encoding="utf-8")
    lines = pv("status", "--against", "HEAD", cwd=repository).out.splitlines()
    assert lines[0].startswith("went: FALSIFY-D-001 (double-v1: double, plain)  PARTIAL → –")
    assert lines[1].startswith("came: FALSIFY-D-901 (double-v1: double, plain)  – → NO CHECK")


def test_the_shelf_of_this_working_tree_is_no_evidence_of_then(repository: Path, pv: Pv) -> None:
    shutil.rmtree(repository / "ledger")
    git(repository, "commit", "-qam", "no ledger")
    assert (
        "rose: FALSIFY-D-001 (double-v1: double, plain)  NO EVIDENCE → PARTIAL"
        in pv("status", "--against", "HEAD", cwd=repository).out
    )


def test_a_folder_inside_a_repository_is_compared_with_itself(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path / "deep/project")
    shelve(root)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "all")
    assert since(pv, root)["changes"] == []
    edit(root / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    assert since(pv, root)["counts"] == {"fell": 0, "went stale": 1, "went": 0, "came": 0, "rose": 0}


@pytest.mark.parametrize("reference", ["nowhere", "--output=x"])
def test_a_reference_that_git_does_not_know_is_misuse(reference: str, repository: Path, pv: Pv) -> None:
    assert pv("status", f"--against={reference}", cwd=repository).exit == 2


def test_evidence_outside_the_scope_is_shown_as_such_on_every_machine(repository: Path, pv: Pv) -> None:
    (repository / "pyproject.toml").write_text('[tool.pv.scope]\ntorch = ["1.0"]\n', encoding="utf-8")
    value = json.loads(pv("status", "--format", "json", cwd=repository).out)["tests"][0]
    assert (value["level"], value["fresh"]) == ("NO_EVIDENCE", True)
    assert value["outside"].endswith("the project's scope is 1.0")
    markdown = pv("status", "--format", "markdown", cwd=repository).out
    assert "`fresh, outside the scope: torch" in markdown


def test_here_says_what_this_machine_has_not_measured(repository: Path, pv: Pv) -> None:
    assert "here (python" not in pv("status", cwd=repository).out
    assert pv("status", "--here", cwd=repository).out.splitlines()[-1].endswith("0 of 1 not measured")
    [path] = (repository / ".pv/receipts/double-v1").glob("*.json")
    value = read(path).value
    shutil.rmtree(repository / ".pv")
    shutil.rmtree(repository / "ledger/receipts")
    add(repository / ".pv/receipts/double-v1", {**value, "scope": {**value["scope"], "device": ["cuda"]}})
    last = pv("status", "--here", cwd=repository).out.splitlines()[-1]
    assert last.endswith("1 of 1 not measured: FALSIFY-D-001 (plain)")
    here = json.loads(pv("status", "--here", "--format", "json", cwd=repository).out)
    assert here["here"]["not_measured"] == [{"contract": "double-v1", "test": "FALSIFY-D-001", "subject": "plain"}]
    assert here["tests"][0]["level"] == "PARTIAL_ALGORITHM_LEVEL"


def test_a_lowered_policy_is_in_every_status_and_refused_by_the_gate_unless_it_is_named(
    repository: Path, pv: Pv
) -> None:
    said = "policy cases = 50 is below the built-in 200"
    assert said not in pv("status", cwd=repository).out
    (repository / "pyproject.toml").write_text("[tool.pv]\n[tool.pv.policy]\ncases = 50\n", encoding="utf-8")
    assert said in pv("status", cwd=repository).out
    assert said in pv("status", "--format", "markdown", cwd=repository).out
    assert json.loads(pv("status", "--format", "json", cwd=repository).out)["policy"]["lowered"] == ["cases"]
    assert json.loads(pv("status", "--badge", cwd=repository).out)["color"] == "orange"
    gate = pv("gate", cwd=repository)
    assert (gate.exit, "pyproject.toml:3:1: error PV409" in gate.out) == (1, True)
    assert pv("gate", "--policy", "cases=50", cwd=repository).exit == 0
    assert pv("gate", "--policy", "cases=60", cwd=repository).exit == 2
    assert pv("gate", "--policy", "case=50", cwd=repository).exit == 2


def test_the_badge_is_json_and_an_answer_of_its_own(repository: Path, pv: Pv) -> None:
    assert json.loads(pv("status", "--badge", cwd=repository).out)["message"] == "1 PARTIAL"
    assert pv("status", "--badge", "--here", cwd=repository).exit == 2


def test_a_status_that_went_stale_is_to_be_run_and_not_mended(repository: Path, pv: Pv) -> None:
    edit(repository / "contracts/double-v1.yaml", "    rule:", "    status: PARTIAL_ALGORITHM_LEVEL\n    rule:")
    assert pv("gate", cwd=repository).exit == 0
    edit(repository / "kernels/factor.py", "FACTOR = 2", "FACTOR = 1 + 1")
    gate = pv("gate", cwd=repository)
    assert (gate.exit, "PV408" in gate.out, "PV401" in gate.out) == (3, True, False)


def test_two_contracts_with_a_test_of_one_id_have_a_row_each(tmp_path: Path, pv: Pv) -> None:
    other = {
        "contracts/treble-v1.yaml": FILES["contracts/double-v1.yaml"].replace("double", "treble"),
        "contracts/binding.yaml": FILES["contracts/binding.yaml"]
        + '  - {contract: treble-v1, equation: treble, name: plain, target: "kernels.double:triple"}\n',
        "falsifiers/treble.py": FILES["falsifiers/double.py"].replace("double", "treble"),
    }
    root = write_project(tmp_path, other)
    assert pv("falsify", "double-v1", cwd=root).exit == 0
    out = pv("status", cwd=root).out
    assert ("double-v1: PARTIAL 1" in out, "treble-v1: NO EVIDENCE 1" in out) == (True, True)
    assert "FALSIFY-D-001 (treble-v1)" in out
    gate = pv("gate", cwd=root).out
    assert re.search(r"^contracts/treble-v1\.yaml:\d+:\d+: unmeasured PV404 FALSIFY-D-001", gate, re.MULTILINE)
    assert "contracts/double-v1.yaml" not in gate
