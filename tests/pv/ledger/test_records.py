"""Retractions, waivers and releases are read as they were written, whatever the order, and by another validator alike."""

from __future__ import annotations

import json
import os
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from receipts import NONE, promise, put_promotion

from pv.contract.schema import load_schema
from pv.digest import canonical
from pv.ledger.formats import problem_of
from pv.ledger.promotion import Promotion, read_promotions
from pv.ledger.retraction import Retraction, in_force, read_retractions, retraction_value
from pv.ledger.store import add
from pv.ledger.waiver import Excuse, Waiver, read_waivers, waiver_value
from pv.level import Level
from pv.write import write_new, write_whole

EXCUSE = Excuse("FALSIFY-D-001", "double", "plain", Level.NO_EVIDENCE, ("subject changed (k.py: f)",), NONE)
DAY = date(2026, 12, 31)


def test_a_retraction_reads_back_whole(tmp_path: Path) -> None:
    path = add(tmp_path / "double-v1", retraction_value("double-v1", "a" * 64, ["B", "A", "B"], "why"))
    assert list(read_retractions(tmp_path)) == [Retraction(path.stem, path, "double-v1", "a" * 64, ("A", "B"), "why")]


def test_a_waiver_reads_back_whole_and_the_order_of_its_excuses_does_not_change_it(tmp_path: Path) -> None:
    other = Excuse("FALSIFY-D-000", "double", "plain", Level.FALSIFIED, (), NONE)
    paths = {
        add(tmp_path / "double-v1", waiver_value("double-v1", "a" * 64, rows, DAY, "why"))
        for rows in permutations([EXCUSE, other])
    }
    [path] = paths
    assert list(read_waivers(tmp_path)) == [
        Waiver(path.stem, path, "double-v1", "a" * 64, (other, EXCUSE), DAY, "why"),
    ]


def test_what_is_in_force_does_not_depend_on_any_order(tmp_path: Path) -> None:
    both = put_promotion(tmp_path, promise(NONE), promise(NONE, test="FALSIFY-D-002"))
    one = put_promotion(tmp_path, promise(NONE, test="FALSIFY-D-003"))
    for target, tests in ((both, ["FALSIFY-D-002"]), (one, [])):
        add(tmp_path / "retractions/double-v1", retraction_value("double-v1", target.stem, tests, "x"))
    promotions = [row for row in read_promotions(tmp_path / "promotions") if isinstance(row, Promotion)]
    retractions = [row for row in read_retractions(tmp_path / "retractions") if isinstance(row, Retraction)]
    for made in permutations(promotions):
        for taken in permutations(retractions):
            assert [row.promises for row in in_force(made, taken)] == [(promise(NONE),)]
    assert in_force(promotions, []) == tuple(promotions)


def test_a_retraction_in_the_name_of_another_contract_takes_nothing_back(tmp_path: Path) -> None:
    target = put_promotion(tmp_path, promise(NONE))
    add(tmp_path / "retractions/other-v1", retraction_value("other-v1", target.stem, [], "x"))
    [made] = read_promotions(tmp_path / "promotions")
    [taken] = read_retractions(tmp_path / "retractions")
    assert isinstance(made, Promotion)
    assert isinstance(taken, Retraction)
    assert in_force([made], [taken]) == (made,)


VALUES: list[tuple[str, dict[str, Any]]] = [
    ("retraction", retraction_value("double-v1", "a" * 64, [], "why")),
    ("waiver", waiver_value("double-v1", "a" * 64, [EXCUSE], DAY, "why")),
]


@pytest.mark.parametrize("change", [{}, {"extra": 1}, {"reason": ""}, {"target": "A" * 64}, {"tests": ["x", "x"]}])
@pytest.mark.parametrize(("layout", "value"), VALUES, ids=[name for name, _ in VALUES])
def test_another_validator_agrees(layout: str, value: dict[str, Any], change: dict[str, Any]) -> None:
    changed = json.loads(canonical({**value, **change}))
    oracle = jsonschema.Draft202012Validator(load_schema(f"pv/{layout}-v1"))
    assert oracle.is_valid(changed) == (problem_of(f"pv/{layout}-v1", changed) == "") == (not change)


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_new_file_takes_the_place_of_none(links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "1.0.0.json"
    write_new(path, b"one")
    with pytest.raises(FileExistsError):
        write_new(path, b"two")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"one", [path])


def test_what_is_no_regular_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    device = tmp_path / "fifo"
    os.mkfifo(device)
    (tmp_path / "link").symlink_to(device)
    for path in (device, tmp_path / "link", tmp_path):
        with pytest.raises(OSError, match="no regular file"):
            write_whole(path, b"x")
    assert device.is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "link"]
    write_whole(tmp_path / "new", b"x")
    write_whole(tmp_path / "new", b"y")
    assert (tmp_path / "new").read_bytes() == b"y"
