"""APRT files: every bit kept, nothing else accepted, nothing allocated on a header's word."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pv.finding import PvError
from pv.tensors import read_aprt, write_aprt
from pv.tensors.aprt import WHOLE_MODEL, decode, encode, encoded_in, encoded_size

PATTERNS = np.array(
    [0, 1, 0x80000000, 0x80000001, 0x007FFFFF, 0x3F800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7FC12345, 0x7F800001,
     0xFF800001, 0xFFFFFFFF],
    "<u4",
)  # fmt: skip
CHUNK = 2**24


def header(layer: int, count: int, magic: bytes = b"APRT") -> bytes:
    """Twelve bytes."""
    return magic + struct.pack("<II", layer, count)


def test_a_file_is_its_header_and_the_bits_of_its_values(tmp_path: Path) -> None:
    path = tmp_path / "ffn_out.bin"
    write_aprt(path, PATTERNS.view("<f4"), 3)
    assert path.read_bytes() == b"APRT\x03\x00\x00\x00\x0d\x00\x00\x00" + PATTERNS.tobytes()
    found = read_aprt(path)
    assert (found.layer, found.values.view("<u4").tolist()) == (3, PATTERNS.tolist())


def test_the_whole_model_and_an_empty_tensor(tmp_path: Path) -> None:
    path = tmp_path / "lm_head.bin"
    write_aprt(path, np.empty((0, 5), "float32"), None)
    assert path.read_bytes() == b"APRT\xff\xff\xff\xff\0\0\0\0"
    assert (read_aprt(path).layer, read_aprt(path).values.shape) == (None, (0,))
    write_aprt(path, np.zeros(1, "float32"), WHOLE_MODEL - 1)
    assert read_aprt(path).layer == WHOLE_MODEL - 1


def test_the_published_sizes_and_first_bytes() -> None:
    logits = encode(np.zeros(152_064, "float32"), WHOLE_MODEL)
    assert (logits.size, logits[:12].tobytes().hex()) == (608_268, "41505254ffffffff00520200")
    assert encode(np.zeros(7 * 3584, "float32"), 0).size == 100_364


def test_arrays_of_any_shape_order_and_byte_order_are_written_row_by_row(tmp_path: Path) -> None:
    rows = np.arange(6, dtype="float32").reshape(2, 3)
    for same in (rows, np.asfortranarray(rows), rows.astype(">f4"), rows[::-1][::-1]):
        write_aprt(tmp_path / "a.bin", same, 0)
        assert read_aprt(tmp_path / "a.bin").values.tolist() == [0, 1, 2, 3, 4, 5]


def test_values_are_mapped_and_cannot_be_written_to(tmp_path: Path) -> None:
    write_aprt(tmp_path / "a.bin", np.ones(4, "float32"), 0)
    values = read_aprt(tmp_path / "a.bin").values
    assert isinstance(values.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 2.0


@given(st.lists(st.integers(0, 2**32 - 1), max_size=50), st.integers(0, WHOLE_MODEL))
def test_any_bits_of_any_layer_come_back(patterns: list[int], layer: int) -> None:
    values = np.array(patterns, "<u4").view("<f4")
    found_layer, found = decode(encode(values, layer))
    assert (found_layer, found.view("<u4").tolist()) == (layer, patterns)


@pytest.mark.parametrize(("data", "seen"), [
    (b"", "it has 0 bytes; the header of an APRT file takes 12"),
    (header(0, 0)[:11], "it has 11 bytes"),
    (header(0, 0, b"GGUF"), "it begins with b'GGUF'; an APRT file begins with b'APRT'"),
    (header(0, 2) + bytes(7), "counts 2 values, which takes 20 bytes; it has 19"),
    (header(0, 2) + bytes(9), "counts 2 values, which takes 20 bytes; it has 21"),
    (header(0, 0) + bytes(4), "counts 0 values, which takes 12 bytes; it has 16"),
    (header(0, 2**32 - 1), "counts 4294967295 values, which takes 17179869192 bytes; it has 12"),
])  # fmt: skip
def test_what_is_no_whole_file_is_refused_with_what_was_seen_and_expected(
    data: bytes, seen: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    with pytest.raises(PvError, match="is no APRT file") as caught:
        read_aprt(path)
    assert seen in caught.value.message
    path.write_bytes(header(0, 1) + bytes(4))
    assert read_aprt(path).values.tolist() == [0.0], "and what is whole is read"


@pytest.mark.parametrize(("values", "layer", "seen"), [
    (np.zeros(3), 0, "not float64 of shape [3]"),
    (np.zeros(3, "int32"), 0, "not int32 of shape [3]"),
    (np.zeros(3, "float16"), 0, "not float16 of shape [3]"),
    (np.zeros((2, 2), "float32"), 0, "not float32 of shape [2, 2]"),
    (np.zeros(3, "float32"), -1, "the layer -1 does not fit"),
    (np.zeros(3, "float32"), 2**32, "the layer 4294967296 does not fit"),
    (np.broadcast_to(np.float32(0), 2**32), 0, "4294967296 values do not fit: APRT counts at most 4294967295"),
])  # fmt: skip
def test_what_the_format_cannot_hold_is_refused(values: NDArray[np.float32], layer: int, seen: str) -> None:
    with pytest.raises(ValueError, match=r"does not fit|do not fit|APRT holds float32") as caught:
        encode(values, layer)
    assert seen in str(caught.value)


def test_a_layer_that_would_read_as_the_whole_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the layer 4294967295 does not fit"):
        write_aprt(tmp_path / "a.bin", np.zeros(1, "float32"), WHOLE_MODEL)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_is_refused_and_nothing_waits(tmp_path: Path) -> None:
    (tmp_path / "folder.bin").mkdir()
    os.mkfifo(tmp_path / "pipe.bin")
    for name in ("folder.bin", "pipe.bin", "missing.bin"):
        with pytest.raises(PvError, match=name):
            read_aprt(tmp_path / name)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_aprt(path, np.ones(2, "float32"), 0)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="APRT holds float32"):
        write_aprt(path, np.ones(2), 0)
    assert (path.read_bytes(), [file.name for file in tmp_path.iterdir()]) == (before, ["a.bin"])


@pytest.mark.slow
def test_every_pattern_of_bits_passes_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for first in range(0, 2**32, CHUNK):
        patterns = np.arange(first, first + CHUNK, dtype="<u4")
        write_aprt(path, patterns.view("<f4"), first // CHUNK)
        found = read_aprt(path)
        assert found.layer == first // CHUNK
        assert np.array_equal(found.values.view("<u4"), patterns), f"a pattern from {first:#x} on was lost"
        data = np.fromfile(path, "u1", offset=12).reshape(-1, 4)
        assert all(np.array_equal(data[:, byte], patterns >> 8 * byte & 0xFF) for byte in range(4))


@pytest.mark.parametrize("size", [0, 12, 23, 24, 25, 100])
def test_room_is_used_where_it_is_long_enough(size: int) -> None:
    values, room = np.arange(3, dtype="float32"), np.full(size, 7, "uint8")
    with encoded_in(room, np.copyto):
        found = encode(values, 1)
    assert found.tobytes() == encode(values, 1).tobytes()
    assert np.shares_memory(found, room) == (size >= 24)
    assert (room[24 if size >= 24 else 0 :] == 7).all()


@pytest.mark.parametrize("flush", [False, True])
@pytest.mark.parametrize("repeats", [1, 3, 100_000])
def test_what_torch_copies_has_the_bits_of_what_numpy_copies(repeats: int, flush: bool) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from pv.stages.save import copy

    values = np.tile(PATTERNS, repeats).view("<f4")
    before = (torch.ones(1) * 1e-40).item() == 0
    torch.set_flush_denormal(flush)
    try:
        with encoded_in(np.empty(encoded_size(values.size), "uint8"), copy):
            found = encode(values, 1)
    finally:
        torch.set_flush_denormal(before)
    assert found.tobytes() == encode(values, 1).tobytes()
