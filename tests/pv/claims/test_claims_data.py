"""Values of JSON files: read with the line they stand on, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.claims.data import data_place, data_value
from pv.contract.model import DataValue
from pv.finding import Place
from pv.source.constants import Folded, Unfolded

TEXT = '{\n  "loss": 2.169,\n  "names": ["anna", "bo"],\n  "none": null\n}\n'


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [(("loss",), 2.169, (2, 11)), (("names", 1), "bo", (3, 21)), (("names", 0), "anna", (3, 13))],
)
def test_a_value_comes_with_its_place(
    key: tuple[str | int, ...], value: object, place: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "run.json").write_text(TEXT, encoding="utf-8")
    asked = DataValue("json", "run.json", key)
    assert data_value(tmp_path, asked) == Folded(value, Place("run.json"))  # type: ignore[arg-type] # parametrised
    assert data_place(tmp_path, asked) == Place("run.json", *place)


@pytest.mark.parametrize(
    ("path", "key", "said"),
    [
        ("run.json", ("los",), "has nothing at los"),
        ("run.json", ("names", 2), "has nothing at names.2"),
        ("run.json", ("names", "0"), "has nothing at names.0"),
        ("run.json", ("names", -1), "has nothing at names.-1"),
        ("run.json", ("none",), "has nothing at none"),
        ("run.json", ("names",), "is no single text or number"),
        ("gone.json", ("loss",), "there is no file"),
        ("../run.json", ("loss",), "there is no file"),
        ("broken.json", ("loss",), "is not JSON"),
    ],
)
def test_what_is_no_value_says_why(path: str, key: tuple[str | int, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(TEXT, encoding="utf-8")
    (tmp_path / "broken.json").write_text(TEXT[:20], encoding="utf-8")
    found = data_value(tmp_path, DataValue("json", path, key))
    assert isinstance(found, Unfolded)
    assert said in found.message
