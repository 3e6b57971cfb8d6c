"""What is kept for a test: pinned cases first, then what runs found, then what only a receipt holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from receipts import put_receipt
from small_project import write_project

from pv.falsify.casefile import case_name, keep_counterexample, write_case
from pv.falsify.encode import encode, fingerprint
from pv.falsify.kept import Kept, Origin, kept_cases
from pv.finding import PvError
from pv.project import project_at

TEST = "FALSIFY-D-001"


def found(values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The counterexample of a receipt."""
    return {
        "invariant": "double/twice", "stratum": "x.ordinary", "digest": fingerprint(values).hex(), "message": "differs",
        "observed": "3", "expected": "2", "at": "falsifiers/double.py:9",
        "arguments": {name: encode(value) for name, value in values.items()}, **changes,
    }  # fmt: skip


def keep(root: Path, values: dict[str, Any], age: int = 0) -> Path:
    one = found(values)
    path = keep_counterexample(root / ".pv/counterexamples", "double-v1", TEST, "plain", one, one["arguments"])
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def kept(root: Path) -> tuple[Kept, ...]:
    project = project_at(root)
    [(contract, test)] = project.select([], [])
    return kept_cases(root, contract, test, project.receipts.get(test.id, ()))


def names(root: Path) -> list[tuple[str, Origin]]:
    return [(row.name, row.origin) for row in kept(root)]


def name_of(values: dict[str, Any]) -> str:
    return case_name(fingerprint(values).hex())


def test_nothing_is_kept_of_what_never_broke(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    put_receipt(root / ".pv")
    assert kept(root) == ()


def test_pins_come_first_then_the_newest_and_each_case_comes_once(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    old, new, pinned = {"x": 1}, {"x": 2}, {"x": 3}
    keep(root, old, age=10)
    keep(root, new)
    write_case(root / "falsifiers/pins" / TEST, kept_value(root, keep(root, pinned, age=20)))
    put_receipt(root / ".pv", verdict="falsified", reason="differs", counterexample=found(old))
    put_receipt(root / "ledger", verdict="falsified", reason="differs", counterexample=found({"x": 4}))
    assert names(root) == [
        (name_of(pinned), Origin.PIN),
        (name_of(new), Origin.RUN),
        (name_of(old), Origin.RUN),
        (name_of({"x": 4}), Origin.RECEIPT),
    ]
    assert [row.read()["arguments"]["x"] for row in kept(root)] == [3, 2, 1, 4]


def kept_value(root: Path, path: Path) -> dict[str, Any]:
    return dict(next(row.read() for row in kept(root) if row.path == path))


@pytest.mark.parametrize("change", [
    {"arguments": None}, {"digest": "0" * 64}, {"arguments": {"x": 7}}, {"arguments": {"x": {"unknown": 1}}},
], ids=repr)  # fmt: skip
def test_a_receipt_that_does_not_hold_the_arguments_of_its_digest_gives_no_case(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    root = write_project(tmp_path)
    put_receipt(root / ".pv", verdict="falsified", reason="differs", counterexample=found({"x": 1}))
    assert len(kept(root)) == 1
    put_receipt(root / ".pv", verdict="falsified", reason="differs", counterexample={**found({"x": 2}), **change})
    assert names(root) == [(name_of({"x": 1}), Origin.RECEIPT)]


def test_the_order_that_a_receipt_loses_is_that_of_the_equation(tmp_path: Path) -> None:
    contract = (write_project(tmp_path) / "contracts/double-v1.yaml").read_text(encoding="utf-8")
    more = "      z: {type: tensor, dtype: [float32], shape: [1]}\n      a: {type: integer, range: {min: 0, max: 1}}\n"
    root = write_project(
        tmp_path, {"contracts/double-v1.yaml": contract.replace("    returns:", f"{more}    returns:")}
    )
    values = {"x": 1, "z": torch.tensor([float("nan")]), "a": 0}
    put_receipt(root / ".pv", verdict="falsified", reason="differs", counterexample=found(values))
    [row] = kept(root)
    assert list(row.read()["arguments"]) == ["x", "z", "a"]


def test_a_file_that_cannot_be_read_is_listed_and_said_when_it_is(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    keep(root, {"x": 1}).write_text("{", encoding="utf-8")
    [row] = kept(root)
    with pytest.raises(PvError, match="no case that can be read"):
        row.read()
