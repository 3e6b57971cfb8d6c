"""Tensors come back from the files another process reads and writes as they were, and what is no such file is refused."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import pytest
import torch
from conftest import ROOT

from pv.falsify.exchange import EXCHANGES
from pv.finding import PvError

SAFETENSORS, APRT = EXCHANGES["safetensors"], EXCHANGES["aprt"]
PAYLOAD = torch.tensor([0x7FC01234], dtype=torch.int32).view(torch.float32)
TENSORS = {
    "x": torch.cat([torch.tensor([[1.5, -0.0, math.inf]]), PAYLOAD.expand(1, 3)]),
    "empty": torch.zeros(0, 3),
    "scalar": torch.tensor(2.0),
}


def bits(tensors: dict[str, torch.Tensor]) -> dict[str, object]:
    return {
        name: (value.dtype, list(value.shape), value.detach().contiguous().reshape(-1).view(torch.uint8).tolist())
        for name, value in tensors.items()
    }


def test_safetensors_hold_every_bit_of_several_dtypes_and_of_views(tmp_path: Path) -> None:
    shared = torch.arange(6, dtype=torch.int64)
    tensors = {
        **TENSORS,
        "all": shared,
        "odd": shared[1::2],
        "turned": torch.ones(2, 3, dtype=torch.bfloat16).T,
        "learned": torch.ones(2, requires_grad=True),
    }
    SAFETENSORS.write(tmp_path / "f", tensors)
    assert bits(dict(SAFETENSORS.read(tmp_path / "f", {}))) == bits(tensors)
    assert SAFETENSORS.read(tmp_path / "nothing", {}) == {}


def test_aprt_holds_every_bit_of_float32_and_leaves_the_shape_to_the_line(tmp_path: Path) -> None:
    APRT.write(tmp_path / "d", TENSORS)
    assert (tmp_path / "d/x.aprt").read_bytes()[:12] == b"APRT" + struct.pack("<II", 0xFFFFFFFF, 6)
    shapes = {name: list(value.shape) for name, value in TENSORS.items()}
    assert bits(dict(APRT.read(tmp_path / "d", shapes))) == bits(TENSORS)
    with pytest.raises(PvError, match=r"x is torch\.float64: APRT holds float32 alone"):
        APRT.write(tmp_path / "e", {"x": torch.ones(1, dtype=torch.float64)})


@pytest.mark.parametrize("data", [
    b"", b"APRT", b"APRX" + struct.pack("<II", 0, 1) + b"\0" * 4, b"APRT" + struct.pack("<II", 0, 1) + b"\0" * 3,
    b"APRT" + struct.pack("<II", 0, 1) + b"\0" * 5, b"APRT" + struct.pack("<II", 0, 2) + b"\0" * 8,
])  # fmt: skip
def test_what_is_no_aprt_of_that_shape_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "y.aprt").write_bytes(data)
    with pytest.raises(PvError, match=r"y\.aprt"):
        APRT.read(tmp_path, {"y": [1]})
    with pytest.raises(PvError, match=r"z\.aprt is no APRT file"):
        APRT.read(tmp_path, {"z": [1]})


def test_what_is_no_safetensors_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xff" * 40)
    with pytest.raises(PvError, match="f is no safetensors file"):
        SAFETENSORS.read(tmp_path / "f", {})


def test_the_schema_offers_what_there_is() -> None:
    schema = json.loads((ROOT / "schemas/binding-v1.json").read_bytes())
    assert schema["$defs"]["binding"]["properties"]["exchange"]["enum"] == list(EXCHANGES)
