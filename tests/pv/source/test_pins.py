"""Pinned cases belong to a test of one contract, and each of their files is part of its evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pv.digest import sha256
from pv.source.falsifiers import FalsifierIndex
from pv.source.parts import Code
from pv.source.pins import pin_files, pins_of

TEST = "FALSIFY-D-001"


def put(root: Path, name: str, contract: str = "double-v1", *, tensors: bool = False, test: str = TEST) -> Path:
    path = root / "falsifiers/pins" / test / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"contract": contract}), encoding="utf-8")
    if tensors:
        path.with_suffix(".safetensors").write_bytes(b"\x00")
    return path


def test_the_pins_of_a_test_are_those_of_its_contract_in_the_order_of_their_names(tmp_path: Path) -> None:
    second, first = put(tmp_path, "b", tensors=True), put(tmp_path, "a")
    other = put(tmp_path, "c", "triple-v1")
    put(tmp_path, "d", test="FALSIFY-D-002")
    (first.parent / "README.md").write_text("why these are here", encoding="utf-8")
    (first.parent / "left.safetensors").write_bytes(b"")
    assert pins_of(tmp_path, "double-v1", TEST) == (first, second)
    assert pins_of(tmp_path, "triple-v1", TEST) == (other,)
    assert pins_of(tmp_path, "double-v1", "FALSIFY-D-003") == ()
    folder = f"falsifiers/pins/{TEST}"
    assert list(pin_files(tmp_path, "double-v1", TEST)) == [
        f"{folder}/a.json", f"{folder}/b.json", f"{folder}/b.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"contract": 1}', "\x00", "[" * 10_000], ids=range(6))
def test_one_that_names_no_contract_counts_for_each(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, "a")
    path.write_text(text, encoding="utf-8")
    assert pins_of(tmp_path, "double-v1", TEST) == pins_of(tmp_path, "triple-v1", TEST) == (path,)


def test_every_file_of_a_pin_is_a_part_of_the_falsifier(tmp_path: Path) -> None:
    def parts(contract: str) -> dict[str, str]:
        found = Code(tmp_path, ["."]).falsifier(FalsifierIndex(), contract, TEST, ())
        return {part.path.rpartition("/")[2]: part.digest for part in found}

    assert parts("double-v1") == {}
    path = put(tmp_path, "a", tensors=True)
    assert parts("double-v1") == {"a.json": sha256(path.read_bytes()), "a.safetensors": sha256(b"\x00")}
    assert parts("triple-v1") == {}
