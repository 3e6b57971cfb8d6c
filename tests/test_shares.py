"""A large ledger is read by several processes: they say what one says, whatever is wrong, and wherever it lies."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran
from receipts import receipt_value, tooth
from small_project import FILES, write_project

from pv.assess import shares
from pv.assess.freshness import binding_parts
from pv.ledger.promotion import Promise, promotion_value
from pv.ledger.store import add
from pv.level import Level
from pv.project import Project, project_at

Pv = Callable[..., Ran]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are shares where a process can fork")

CONTRACTS = ("double-v1", "twofold-v1")
ASKED = (
    ("status", "--format", "json"),
    ("status",),
    ("gate", "--format", "json"),
    ("ledger", "verify", "--format", "json"),
)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A project of two contracts, a promise of each on two receipts; each contract is another process' share."""
    own = {"kernels/factor.py": FILES["kernels/factor.py"]}
    for path in ("contracts/double-v1.yaml", "falsifiers/double.py", "kernels/double.py"):
        text = FILES[path].replace("double", "twofold").replace("FALSIFY-D", "FALSIFY-T")
        own[path.replace("double", "twofold")] = text
    row = FILES["contracts/binding.yaml"].splitlines()[-1]
    own["contracts/binding.yaml"] = f"{FILES['contracts/binding.yaml']}{row.replace('double', 'twofold')}\n"
    root = write_project(tmp_path / "project", own)
    for name in CONTRACTS:
        promise(project_at(root), name)
    return root


def promise(project: Project, name: str) -> None:
    """Two receipts of the one test of a contract, as if it had been run, and a promise that cites both."""
    contract = project.contract(name)
    [test] = contract.tests
    binding = project.subject(contract, test)
    assert binding is not None
    module = f"kernels/{test.equation}.py"
    parts = {
        "clause": project.today.clause(contract, test),
        "falsifier": project.today.falsifier(contract, test),
        "subject": project.today.code.subject([(module, test.equation)], (), (), (module, test.equation)),
        "binding": binding_parts(binding),
        "reference": (),
        "live": (),
    }
    value = receipt_value(
        test={"id": test.id, "contract": name},
        subject={"equation": test.equation, "name": "plain", "target": binding.target},
        depends={
            cause: [{"path": part.path, "name": part.name, "digest": part.digest} for part in listed]
            for cause, listed in parts.items()
        },
        teeth=[tooth(bound) for bound in test.binds_to],
    )
    cited = [add(project.root / "ledger/receipts" / name, {**value, "checks": 300 + run}).stem for run in range(2)]
    level = Level.PARTIAL_ALGORITHM_LEVEL
    made = Promise(name, test.id, test.equation, "plain", level, tuple(cited))
    add(project.root / "ledger/promotions" / name, promotion_value(name, level, [made]))


@pytest.fixture
def both_ways(pv: Pv, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], tuple[list[Ran], list[Ran]]]:
    """What is answered to `ASKED` by one process, and by two."""

    def ask(root: Path) -> tuple[list[Ran], list[Ran]]:
        alone = [pv(*words, cwd=root) for words in ASKED]
        monkeypatch.setattr(shares, "MANY_RECEIPTS", 1)
        monkeypatch.setattr(shares, "worker_count", lambda items: 2)
        return alone, [pv(*words, cwd=root) for words in ASKED]

    return ask


def count_shares(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Filled with whether each share that comes in is plain."""
    came: list[bool] = []
    unpack = shares.unpack
    monkeypatch.setattr(shares, "unpack", lambda row: (came.append(bool(row)), unpack(row))[1])
    return came


def receipts_of(root: Path, contract: str) -> list[Path]:
    return sorted((root / "ledger/receipts" / contract).iterdir())


def test_two_processes_say_what_one_says(
    large: Path, both_ways: Callable[[Path], tuple[list[Ran], list[Ran]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    came = count_shares(monkeypatch)
    alone, shared = both_ways(large)
    assert shared == alone
    assert [ran.exit for ran in shared] == [0, 0, 0, 0]
    assert came == [True] * len(ASKED), "the control: the other process was asked, for each command once"


def cut_short(root: Path, contract: str) -> None:
    path = receipts_of(root, contract)[0]
    path.write_bytes(path.read_bytes()[:-20])


def gone(root: Path, contract: str) -> None:
    receipts_of(root, contract)[0].unlink()


def elsewhere(root: Path, contract: str) -> None:
    [other] = {*CONTRACTS} - {contract}
    shutil.move(receipts_of(root, contract)[0], root / "ledger/receipts" / other)


def below_a_folder(root: Path, contract: str) -> None:
    [other] = {*CONTRACTS} - {contract}
    folder = root / "ledger/receipts" / contract / other
    folder.mkdir()
    shutil.copy(receipts_of(root, other)[0], folder)


def beside_the_folders(root: Path, contract: str) -> None:
    shutil.copy(receipts_of(root, contract)[0], root / "ledger/receipts")


def left_over(root: Path, contract: str) -> None:
    (root / "ledger/receipts" / contract / ".tmp-abc").write_bytes(b"{")


def other_code(root: Path, contract: str) -> None:
    path = root / "kernels" / f"{contract.removesuffix('-v1')}.py"
    path.write_text(path.read_text(encoding="utf-8").replace("FACTOR * x", "x * FACTOR"), encoding="utf-8")


def other_clause(root: Path, contract: str) -> None:
    path = root / "contracts" / f"{contract}.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("is twice the arg", "is 2 times the arg"), encoding="utf-8"
    )


def falsified(root: Path, contract: str) -> None:
    value = json.loads(receipts_of(root, contract)[0].read_bytes())
    add(root / ".pv/receipts" / contract, {**value, "verdict": "falsified", "reason": "it broke"})


CODE = {"other_code": "PV402", "other_clause": "PV402", "falsified": "PV402", "gone": "PV602", "elsewhere": "PV603"}


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize(
    "harm",
    [cut_short, gone, elsewhere, below_a_folder, beside_the_folders, left_over, other_code, other_clause, falsified],
    ids=lambda harm: harm.__name__,
)
def test_what_is_wrong_in_either_share_is_found_as_by_one_process(
    large: Path,
    both_ways: Callable[[Path], tuple[list[Ran], list[Ran]]],
    harm: Callable[[Path, str], None],
    contract: str,
) -> None:
    harm(large, contract)
    alone, shared = both_ways(large)
    assert shared == alone
    said = "".join(ran.out for ran in shared)
    assert CODE.get(harm.__name__, "PV601") in said, "the control: there was something to find"
    assert [ran.exit for ran in shared[:2]] == [0, 0]
    assert (shared[2].exit == 0) is (harm is left_over), "a leftover is a warning"


def test_a_process_that_dies_is_told_and_is_no_green(large: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "MANY_RECEIPTS", 1)
    monkeypatch.setattr(shares, "worker_count", lambda items: 2)
    here = os.getpid()
    pack = shares.pack
    monkeypatch.setattr(shares, "pack", lambda share: pack(share) if os.getpid() == here else os._exit(0))
    for words in ASKED:
        ran = pv(*words, cwd=large)
        assert (ran.exit, ran.out) == (70, "")
        assert "without an answer" in ran.err


def test_a_few_receipts_start_no_process(large: Path, pv: Pv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "spread", None)
    assert pv("gate", cwd=large).exit == 0
