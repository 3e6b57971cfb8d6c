"""Receipts and promotions are read as they were written, and anything else is a problem that is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from receipts import NONE, depends, promise, put_promotion, put_receipt, receipt, receipt_value, strata, stratum, tooth

from pv.contract.schema import load_schema
from pv.digest import canonical
from pv.ledger.formats import problem_of
from pv.ledger.promotion import Promotion, promotion_value, read_promotions
from pv.ledger.receipt import Part, Receipt, Residual, Stratum, Tooth, read_receipts
from pv.ledger.store import Stored, add
from pv.level import Level
from pv.verdict import Kind, Verdict

PARTIAL = Level.PARTIAL_ALGORITHM_LEVEL
OTHER = promise(NONE, level=Level.DISCHARGED, test="FALSIFY-D-002")


def test_a_receipt_reads_back_whole(tmp_path: Path) -> None:
    path = put_receipt(
        tmp_path,
        depends=depends(subject=[("kernels/double.py", "double", NONE)], clause=[("", "double/twice", NONE)]),
        cases=strata(stratum("a", 3, exhausted=True), stratum("b", 200)),
        residuals=[{"invariant": "double/twice", "dtype": "float32", "residual": (0.5).hex(), "bound": (2.0).hex()}],
    )
    [read] = read_receipts(tmp_path / "receipts")
    assert isinstance(read, Receipt)
    assert (read.name, read.path) == (path.stem, path)
    assert (read.contract, read.test, read.equation, read.subject) == ("double-v1", "FALSIFY-D-001", "double", "plain")
    assert (read.kind, read.verdict, read.reason) == (Kind.ALGORITHM, Verdict.HELD, "")
    assert (read.seed, read.requested, read.checks, read.digests) == (0, 200, 220, "pv-digest-1")
    assert read.strata == (Stratum("a", 3, True), Stratum("b", 200, False))
    assert (read.cases, read.exhausted) == (203, False)
    assert read.residuals == (Residual("double/twice", "float32", 0.5, 2.0),)
    assert read.slack == 4.0
    assert read.teeth == (Tooth("double/twice", "one_more", True, 3),)
    assert read.parts("subject") == (Part("kernels/double.py", "double", NONE),)
    assert read.parts("live") == ()
    assert dict(read.scope)["torch"] == ("2.13.0",)


def test_parts_are_named_for_people() -> None:
    parts = [("k.py", "f"), ("k.py", "<module>"), ("k.py", "<whole>"), ("k.txt", "<file>"), ("", "double/twice")]
    assert [Part(path, name, NONE).what for path, name in parts] == [
        "k.py: f", "k.py: top level", "k.py", "k.txt", "double/twice",
    ]  # fmt: skip


def test_slack_is_the_smallest_and_infinite_where_nothing_differed() -> None:
    rows = [{"invariant": "i", "dtype": "float32", "residual": (x).hex(), "bound": (1.0).hex()} for x in (0.0, 0.25)]
    assert receipt(residuals=rows).slack == 4.0
    assert receipt(residuals=rows[:1]).slack == float("inf")
    assert receipt().slack is None


def test_a_receipt_is_exhausted_when_every_stratum_is_and_there_is_one() -> None:
    whole, part = stratum("a", 1, exhausted=True), stratum("b", 1)
    assert [receipt(cases=strata(*rows)).exhausted for rows in ([], [whole], [whole, part])] == [False, True, False]


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("has the format 'pv/receipt-v2', not 'pv/receipt-v1'", {"format": "pv/receipt-v2"}),
    ("see digests", {"digests": "sha256"}),
    ("see verdict", {"verdict": "passed"}),
    ("see kind", {"kind": "prose"}),
    ("see checks", {"checks": -1}),
    ("see checks", {"checks": "220"}),
    ("", {"extra": 1}),
    ("see cases/strata/0/distinct", {"cases": strata(stratum("a", -1))}),
    ("see teeth/0", {"teeth": [{**tooth("a"), "extra": 1}]}),
    ("see depends/subject/0/digest", {"depends": depends(subject=[("k.py", "f", "beef")])}),
    ("see depends", {"depends": {}}),
]


@pytest.mark.parametrize(("said", "changes"), BROKEN, ids=range(len(BROKEN)))
def test_a_file_of_another_layout_is_no_receipt(said: str, changes: dict[str, Any], tmp_path: Path) -> None:
    path = put_receipt(tmp_path, **changes)
    [read] = read_receipts(tmp_path / "receipts")
    assert isinstance(read, Stored)
    assert (read.path, read.value) == (path, None)
    assert said in read.problem
    assert read.problem.startswith(("has the format", "does not have the layout of pv/receipt-v1"))


def test_a_promotion_reads_back_whole(tmp_path: Path) -> None:
    path = put_promotion(tmp_path, promise("b" * 64, "a" * 64), promise("c" * 64, test="FALSIFY-D-000"))
    [read] = read_promotions(tmp_path / "promotions")
    assert read == Promotion(path.stem, path, (promise("c" * 64, test="FALSIFY-D-000"), promise("a" * 64, "b" * 64)))


def test_the_order_of_promises_and_receipts_does_not_change_the_file(tmp_path: Path) -> None:
    rows = [promise("a" * 64, "b" * 64), promise("c" * 64, test="FALSIFY-D-000")]
    turned = [rows[1], promise("b" * 64, "a" * 64)]
    assert put_promotion(tmp_path, *rows) == put_promotion(tmp_path, *turned)


@pytest.mark.parametrize("change", [
    {"format": "pv/receipt-v1"}, {"level": "FALSIFIED"}, {"level": "PARTIAL"}, {"tests": []}, {"reason": "x"},
    {"tests": [{"id": "T", "equation": "e", "subject": "s", "receipts": []}]},
    {"tests": [{"id": "T", "equation": "e", "subject": "s", "receipts": ["12"]}]},
], ids=range(7))  # fmt: skip
def test_a_file_of_another_layout_is_no_promotion(change: dict[str, Any], tmp_path: Path) -> None:
    add(tmp_path / "promotions/double-v1", {**promotion_value("double-v1", PARTIAL, [promise(NONE)]), **change})
    [read] = read_promotions(tmp_path / "promotions")
    assert isinstance(read, Stored)
    assert read.problem


def test_no_value_at_all_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    for value in ([], "text", None, 1):
        assert problem_of("pv/receipt-v1", value) == "has the format None, not 'pv/receipt-v1'"
        add(tmp_path / "receipts/double-v1", value)
    assert {type(read) for read in read_receipts(tmp_path / "receipts")} == {Stored}


@pytest.mark.parametrize("changes", [{}, *(changes for _, changes in BROKEN)], ids=range(len(BROKEN) + 1))
def test_another_validator_agrees(changes: dict[str, Any]) -> None:
    value = json.loads(canonical(receipt_value(**changes)))
    oracle = jsonschema.Draft202012Validator(load_schema("pv/receipt-v1"))
    assert oracle.is_valid(value) == (problem_of("pv/receipt-v1", value) == "")
