"""Promoting one test opens its own receipts and no other; what stands behind that is a cache, and what it lacks is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ledger_project import falsified_project
from receipts import put_receipt, receipt_value

from pv.ledger.index import add_to_index, prune_index, read_index
from pv.ledger.store import add
from pv.project import project_at

OPENED = """
import sys
opened = set()
sys.addaudithook(lambda event, args: opened.add(str(args[0])) if event == "open" else None)
from pv.cli import main
code = main(sys.argv[1:])
print(code, sum("receipts" in path and path.endswith(".json") for path in opened))
"""
OTHER = {"test": {"id": "FALSIFY-D-002", "contract": "double-v1"}}


def promote(root: Path) -> str:
    """The exit code of promoting one test, and how many receipts that opened."""
    command = [sys.executable, "-c", OPENED, "ledger", "promote", "FALSIFY-D-001"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()[-1]


def test_promoting_one_test_opens_no_receipt_of_another(tmp_path: Path) -> None:
    project = project_at(falsified_project(tmp_path))
    for seed in range(30):
        project.keep(receipt_value(**OTHER, checks=220 + seed))
        put_receipt(
            tmp_path / "ledger", "triple-v1", test={"id": "FALSIFY-T-001", "contract": "triple-v1"}, checks=seed
        )
    assert promote(tmp_path) == "0 1"


def test_what_the_index_does_not_know_is_opened_once(tmp_path: Path) -> None:
    falsified_project(tmp_path)
    for seed in range(5):
        add(tmp_path / ".pv/receipts/double-v1", receipt_value(**OTHER, checks=220 + seed))
    assert promote(tmp_path) == "0 6"
    assert promote(tmp_path) == "0 2", "its own on either shelf"


@pytest.mark.parametrize("about", [("double-v1", "../../../x"), ("..", "x"), ("", "x"), ("double-v1", "/x")])
def test_a_name_that_is_a_path_is_not_followed(about: tuple[str, str], tmp_path: Path) -> None:
    add_to_index(tmp_path / "a/b/index", about, ["0" * 64])
    assert list(tmp_path.rglob("*")) == []


def test_what_was_dropped_is_forgotten(tmp_path: Path) -> None:
    add_to_index(tmp_path, ("double-v1", "FALSIFY-D-001"), ["a", "b"])
    prune_index(tmp_path, ["a"])
    assert read_index(tmp_path) == {"b": ("double-v1", "FALSIFY-D-001")}
