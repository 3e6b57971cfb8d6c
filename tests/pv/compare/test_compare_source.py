"""Values of tensors in files, begun in the middle by several threads, are those of the file read from its start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_files import apr_bytes, gguf_bytes, gguf_tensor, safetensors_bytes
from safetensors.numpy import save_file

from pv.checkpoints import read_checkpoint
from pv.checkpoints.values import PIECE
from pv.compare.arrays import compare
from pv.compare.result import Agreement
from pv.compare.source import Values, of_array, of_entry, permuted
from pv.compare.ulp import rounded
from pv.finding import Exit, PvError

COUNT = 5 * PIECE + 64


def values() -> np.ndarray:
    """As many as take several threads."""
    return np.random.default_rng(0).standard_normal(COUNT).astype("<f4")


def entry(path: Path) -> Values:
    """The one tensor of a file."""
    (found,) = read_checkpoint(path).tensors
    return of_entry(found)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
def test_plain_values(tmp_path: Path, dtype: str) -> None:
    array = values().astype(dtype)
    save_file({"w": array}, tmp_path / "w.safetensors")
    assert compare(of_array(array), entry(tmp_path / "w.safetensors")).agreement is Agreement.IDENTICAL
    array[-1] += 1
    assert compare(of_array(array), entry(tmp_path / "w.safetensors")).exceeding == 1


def test_bfloat16(tmp_path: Path) -> None:
    array = rounded(values(), "bfloat16")
    data = (array.view("<u4") >> 16).astype("<u2").tobytes()
    header = {"w": {"dtype": "BF16", "shape": [COUNT], "data_offsets": [0, len(data)]}}
    (tmp_path / "w.safetensors").write_bytes(safetensors_bytes(header, data))
    found = compare(of_array(array, "bfloat16"), entry(tmp_path / "w.safetensors"))
    assert (found.agreement, found.ulps and found.ulps.dtype) == (Agreement.IDENTICAL, "bfloat16")


def test_blocks_of_quantised_values(tmp_path: Path) -> None:
    from gguf import GGMLQuantizationType, dequantize, quantize

    packed = quantize(values().reshape(-1, 64), GGMLQuantizationType.Q8_0)
    (tmp_path / "w.gguf").write_bytes(gguf_bytes([], [gguf_tensor("w", [COUNT], 8, 0)], packed.tobytes()))
    array = dequantize(packed, GGMLQuantizationType.Q8_0).reshape(-1)
    assert compare(of_array(array), entry(tmp_path / "w.gguf")).agreement is Agreement.IDENTICAL
    array[4 * PIECE] += 1
    found = compare(of_array(array), entry(tmp_path / "w.gguf"))
    assert (found.exceeding, found.max and found.max.index) == (1, 4 * PIECE)


def test_values_with_one_scale_before_them_all(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(-128, 128, COUNT).astype("i1")
    data = np.array([0.5], "<f4").tobytes() + codes.tobytes()
    (tmp_path / "w.apr").write_bytes(apr_bytes([("w", 9, [COUNT], data)]))
    array = codes * np.float32(0.5)
    assert compare(of_array(array), entry(tmp_path / "w.apr")).agreement is Agreement.IDENTICAL


def test_whole_numbers_of_two_files(tmp_path: Path) -> None:
    array = np.arange(COUNT, dtype=np.int64)
    save_file({"w": array}, tmp_path / "w.safetensors")
    found = compare(of_array(array + (array == PIECE)), entry(tmp_path / "w.safetensors"))
    assert (found.exceeding, found.cosine, found.max and found.max.index) == (1, None, PIECE)


def test_a_file_that_became_shorter_is_the_askers_business(tmp_path: Path) -> None:
    save_file({"w": values()}, tmp_path / "w.safetensors")
    found = entry(tmp_path / "w.safetensors")
    with (tmp_path / "w.safetensors").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(PvError, match="the values of 'w' cannot be read") as refused:
        compare(of_array(values()), found)
    assert refused.value.exit is Exit.ASK


def test_only_values_in_an_array_are_put_in_another_order(tmp_path: Path) -> None:
    save_file({"w": values()}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="no array"):
        permuted(entry(tmp_path / "w.safetensors"), (0,))
    array = np.arange(24.0).reshape(2, 3, 4)
    assert compare(permuted(of_array(array), (2, 0, 1)), of_array(array.transpose(2, 0, 1))).exceeding == 0
