"""`pv ledger gc`: what is stale and cited by nothing goes; nothing else does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from conftest import Ran, edit
from ledger_project import falsified_project
from receipts import promise, put_promotion, put_receipt
from small_project import write_project

from pv.ledger.store import add, read

Pv = Callable[..., Ran]


def shelved(root: Path) -> set[str]:
    return {path.relative_to(root / ".pv").as_posix() for path in (root / ".pv").rglob("*.json")}


def test_what_is_stale_and_uncited_goes_and_the_rest_stays(tmp_path: Path, pv: Pv) -> None:
    root = falsified_project(tmp_path)
    cited = shelved(root)
    [path] = (root / ".pv/receipts/double-v1").glob("*.json")
    put_promotion(root / "ledger", promise(add(root / "ledger/receipts/double-v1", read(path).value).stem))
    edit(root / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    assert pv("falsify", cwd=root).exit == 1
    falsified = shelved(root) - cited
    assert {name.partition("/")[0] for name in falsified} == {"receipts", "counterexamples"}
    assert pv("ledger", "gc", cwd=root).exit == 0
    assert shelved(root) == cited | falsified
    edit(root / "kernels/factor.py", "FACTOR = 3", "FACTOR = 1 + 1")
    assert pv("falsify", cwd=root).exit == 0
    fresh = shelved(root) - cited - falsified
    ledger = {path: path.read_bytes() for path in (root / "ledger").rglob("*.json")}

    would = pv("ledger", "gc", "--dry-run", cwd=root)
    assert "would drop 1 receipt (" in would.out
    assert shelved(root) == cited | falsified | fresh
    value = json.loads(pv("ledger", "gc", "--format", "json", cwd=root).out)
    rows = {row["sort"]: (row["dropped"], row["kept"]) for row in value["sorts"]}
    assert rows == {"receipt": (1, 2), "counterexample file": (1, 0), "capture file": (0, 0), "leftover": (0, 0)}
    assert sum(row["bytes"] for row in value["sorts"]) > 0
    assert shelved(root) == cited | fresh
    assert {path: path.read_bytes() for path in (root / "ledger").rglob("*.json")} == ledger


def test_damage_and_what_was_left_over_long_ago_go_and_a_write_under_way_stays(tmp_path: Path, pv: Pv) -> None:
    root = falsified_project(tmp_path)
    [whole] = (root / ".pv/receipts/double-v1").glob("*.json")
    torn = whole.with_name(f"{'0' * 64}.json")
    torn.write_bytes(whole.read_bytes()[:-9])
    old, new = whole.with_name(".tmp-old"), whole.with_name(".tmp-new")
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert pv("ledger", "gc", cwd=root).exit == 0
    assert (whole.exists(), torn.exists(), old.exists(), new.exists()) == (True, False, False, True)


def test_captured_cases_stay_as_long_as_a_live_receipt_of_their_subject(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path)
    folder = root / ".pv/captures/double-v1"
    for name in ("double-plain", "double-other"):
        (folder / name).mkdir(parents=True)
        (folder / name / "0123456789abcdef.json").write_text("{}", encoding="utf-8")
    put_receipt(root / "ledger", kind="live")
    assert pv("ledger", "gc", cwd=root).exit == 0
    assert [path.parent.name for path in folder.rglob("*.json")] == ["double-plain"]


def test_while_a_contract_cannot_be_read_nothing_is_dropped(tmp_path: Path, pv: Pv) -> None:
    root = falsified_project(tmp_path)
    (root / "contracts/double-v1.yaml").write_text("schema: pv/contract-v1\n", encoding="utf-8")
    before = shelved(root)
    assert pv("ledger", "gc", cwd=root).exit == 1
    assert shelved(root) == before != set()


def test_an_empty_shelf_has_nothing_to_drop(tmp_path: Path, pv: Pv) -> None:
    ran = pv("ledger", "gc", cwd=write_project(tmp_path))
    assert (ran.exit, ran.out.splitlines()[0]) == (0, "dropped 0 receipts (0 bytes), 0 kept")
