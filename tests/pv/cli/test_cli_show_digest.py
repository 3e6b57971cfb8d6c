"""`pv show DIGEST`: each file of the ledger in full, what it comes to today, and who cites it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit
from ledger_project import falsified_project
from receipts import promise, put_promotion

from pv.ledger.retraction import retraction_value
from pv.ledger.store import add, read

Pv = Callable[..., Ran]


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The small project with a receipt and a promotion that cites it."""
    root = falsified_project(tmp_path)
    [path] = (root / ".pv/receipts/double-v1").glob("*.json")
    receipt = add(root / "ledger/receipts/double-v1", read(path).value)
    return root, receipt, put_promotion(root / "ledger", promise(receipt.stem))


def test_a_receipt_says_what_it_records_whether_it_is_fresh_and_who_cites_it(
    made: tuple[Path, Path, Path], pv: Pv
) -> None:
    root, receipt, promotion = made
    lines = pv("show", receipt.stem[:6], cwd=root).out.splitlines()
    assert lines[0] == f"receipt  ledger/receipts/double-v1/{receipt.name}"
    for said in ("about      FALSIFY-D-001 of double-v1: double, plain (kernels.double:double)",
                 "verdict    held, of the kind algorithm", "stratum    x.ordinary 200",
                 "fault      double/twice: one_more caught under 3 seeds", "today      fresh",
                 f"cited by   ledger/promotions/double-v1/{promotion.name}"):  # fmt: skip
        assert f"  {said}" in lines
    edit(root / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    stale = "  today      stale: subject changed (kernels/factor.py: top level)"
    assert stale in pv("show", receipt.stem, cwd=root).out.splitlines()


def test_a_promotion_says_what_is_supported_and_a_retraction_what_it_takes_back(
    made: tuple[Path, Path, Path], pv: Pv
) -> None:
    root, _, promotion = made
    assert "  today      FALSIFY-D-001 (double, plain): PARTIAL, fresh" in pv("show", promotion.stem[:8], cwd=root).out
    retraction = add(root / "ledger/retractions/double-v1", retraction_value("double-v1", promotion.stem, (), "a typo"))
    told = pv("show", promotion.stem[:8], cwd=root).out
    assert "FALSIFY-D-001 (double, plain): retracted; PARTIAL, fresh" in told
    assert f"  cited by   ledger/retractions/double-v1/{retraction.name}" in told
    value = json.loads(pv("show", retraction.stem[:8], "--format", "json", cwd=root).out)
    [record] = value["records"]
    assert (record["sort"], record["value"]["reason"], record["cited_by"]) == ("retraction", "a typo", [])
    assert value["tests"] == []


def test_a_test_and_a_digest_are_shown_together(made: tuple[Path, Path, Path], pv: Pv) -> None:
    root, receipt, _ = made
    out = pv("show", "FALSIFY-D-001", receipt.stem[:6], cwd=root).out
    assert ("FALSIFY-D-001  PARTIAL, fresh" in out, out.startswith("receipt  ledger/")) == (True, True)


def test_what_names_nothing_or_several_is_misuse_and_damage_is_said(made: tuple[Path, Path, Path], pv: Pv) -> None:
    root, receipt, _ = made
    assert pv("show", receipt.stem[:5], cwd=root).exit == 2
    nothing = "0" * 12 if not receipt.stem.startswith("0") else "f" * 12
    assert pv("show", nothing, cwd=root).exit == 2
    twin = receipt.with_name(f"{receipt.stem[:6]}{'0' * 58}.json")
    twin.write_bytes(receipt.read_bytes())
    several = pv("show", receipt.stem[:6], cwd=root)
    assert (several.exit, "begins the digests of 2 files" in several.err) == (2, True)
    damaged = pv("show", twin.stem, cwd=root)
    assert (damaged.exit, "does not hold what its name says" in damaged.err) == (1, True)
