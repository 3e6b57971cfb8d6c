"""Statistics against slow exact ones, for every dtype that is decoded; what cannot be decoded is said."""

from __future__ import annotations

import math
import statistics as exact
import sys
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, quantize
from gguf.quants import dequantize
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from model_files import apr_bytes
from numpy.typing import NDArray
from safetensors.torch import save_file

from pv.checkpoints import Statistics, TensorEntry, read_checkpoint, statistics
from pv.checkpoints.dtypes import GGML
from pv.checkpoints.values import PIECE
from pv.finding import Exit, PvError


def held(values: NDArray[np.generic], dtype: str = "F32") -> TensorEntry:
    """A tensor that lies in no file."""
    return TensorEntry("t", dtype, values.shape, None, 0, values.nbytes, values)


def in_file(folder: Path, values: torch.Tensor) -> TensorEntry:
    """A tensor in a safetensors file."""
    save_file({"t": values}, folder / "t.safetensors")
    [entry] = read_checkpoint(folder / "t.safetensors").tensors
    return entry


@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(width=32)))
def test_they_are_those_of_exact_arithmetic(values: NDArray[np.float32]) -> None:
    seen = statistics(held(values))
    finite = [Fraction(float(value)) for value in values if np.isfinite(value)]
    assert (seen.count, seen.nan, seen.inf) == (len(values), int(np.isnan(values).sum()), int(np.isinf(values).sum()))
    assert seen.zero == finite.count(Fraction(0))
    if not finite:
        assert math.isnan(seen.mean)
        assert math.isnan(seen.min)
        return
    largest = float(max(map(abs, finite)))
    assert (seen.min, seen.max, seen.max_abs) == (float(min(finite)), float(max(finite)), largest)
    assert seen.mean == pytest.approx(float(exact.fmean(finite)), rel=1e-12, abs=1e-14 * largest)
    assert seen.std == pytest.approx(math.sqrt(exact.pvariance(finite)), rel=1e-9, abs=1e-13 * largest)
    assert seen.l2 == pytest.approx(math.sqrt(sum(value * value for value in finite)), rel=1e-12)


def test_a_mean_far_from_zero_costs_no_digits_of_the_deviation() -> None:
    ramp = np.arange(3 * PIECE, dtype=np.float64) % 7
    seen = statistics(held((ramp + 2**20).astype(np.float32)))
    assert seen.std == pytest.approx(2.0, rel=1e-6)
    one_pass = np.float32(np.square(ramp + 2**20, dtype=np.float32).mean()) - np.float32((ramp + 2**20).mean()) ** 2
    assert abs(float(one_pass) - 4.0) > 1  # the control: this is what the formula of one pass makes of it


def test_pieces_of_different_means_join_to_the_whole() -> None:
    values = np.concatenate([np.full(PIECE, -3.0), np.full(PIECE, 5.0), [np.nan, np.inf], np.zeros(PIECE)])
    seen = statistics(held(values.astype(np.float32)))
    whole = values[np.isfinite(values)]
    expected = Statistics(
        len(values), whole.mean(), whole.std(), -3.0, 5.0, 5.0, math.sqrt(34 * PIECE), nan=1, inf=1, zero=PIECE
    )
    assert asdict(seen) == pytest.approx(asdict(expected), rel=1e-12)


@pytest.mark.parametrize("factor", [1e200, 1e-200, 5e-324])
def test_squares_that_float64_does_not_hold(factor: float) -> None:
    seen = statistics(held(np.array([1.0, 2.0, 3.0]) * factor, "F64"))
    assert seen.mean == pytest.approx(2 * factor)
    assert seen.std == pytest.approx(math.sqrt(2 / 3) * factor, rel=0.3 if factor == 5e-324 else 1e-12)
    assert seen.l2 == pytest.approx(math.sqrt(14) * factor, rel=0.3 if factor == 5e-324 else 1e-12)


def test_empty_and_all_nan() -> None:
    empty, nans = statistics(held(np.zeros((0, 3), np.float32))), statistics(held(np.full(4, np.nan, np.float32)))
    assert (empty.count, math.isnan(empty.mean), empty.l2) == (0, True, 0.0)
    assert (nans.count, nans.nan, math.isnan(nans.max), nans.zero) == (4, 4, True, 0)


DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_plain_dtype_is_decoded_as_torch_does(tmp_path: Path, dtype: torch.dtype) -> None:
    if dtype.is_floating_point and dtype.itemsize == 1:
        values = torch.arange(256, dtype=torch.uint8).view(dtype)  # every code there is
    else:
        values = torch.linspace(0, 1.9, 500).mul(1 if dtype is torch.bool else 50).to(dtype)
    seen, wide = statistics(in_file(tmp_path, values)), values.to(torch.float64)
    finite = wide[wide.isfinite()]
    assert (seen.nan, seen.inf, seen.zero) == (wide.isnan().sum(), wide.isinf().sum(), (finite == 0).sum())
    assert (seen.min, seen.max) == (finite.min(), finite.max())
    assert seen.mean == pytest.approx(finite.mean().item(), abs=1e-12 * seen.max_abs)
    assert seen.std == pytest.approx(finite.std(correction=0).item(), rel=1e-12)


@pytest.mark.parametrize("name", ["Q8_0", "Q4_0", "Q4_K", "Q6_K", "Q2_K", "IQ4_XS", "MXFP4"])
def test_quantised_dtypes_are_those_of_the_gguf_package(tmp_path: Path, name: str) -> None:
    [(number, (_, block, size))] = [(number, row) for number, row in GGML.items() if row[0] == name]
    kind = GGMLQuantizationType(number)
    draw = np.random.default_rng(3)
    rows = 2 * PIECE // 512 + 3  # several pieces, the last one short
    try:
        data = quantize(draw.standard_normal((rows, 512), np.float32), kind)
    except NotImplementedError:  # the package only decodes it: bytes whose scales are zero where they are random floats
        data = draw.integers(0, 60, (rows, 512 // block * size), np.uint8)
    expected = dequantize(data, kind).astype(np.float64)
    (tmp_path / "q").write_bytes(data.tobytes())
    seen = statistics(TensorEntry("q", name, (rows, 512), tmp_path / "q", 0, data.nbytes))
    assert (seen.count, seen.min, seen.max) == (expected.size, expected.min(), expected.max())
    assert seen.mean == pytest.approx(expected.mean(), abs=1e-12 * seen.max_abs)
    assert seen.std == pytest.approx(expected.std(), rel=1e-9)


def test_the_types_of_apr_files(tmp_path: Path) -> None:
    scale = np.array([0.5], "<f4").tobytes()
    block = np.array([2.0], "<f2").tobytes() + bytes(15 * [0x88]) + b"\x0f"  # nibbles 8 are 0; 15 is 7, and 0 is -8
    rows = [("four", 128, [1, 32], block), ("q8", 9, [3], scale + np.array([-2, 0, 4], np.int8).tobytes())]
    (tmp_path / "a.apr").write_bytes(apr_bytes(rows))
    four, eight = map(statistics, read_checkpoint(tmp_path / "a.apr").tensors)
    assert (four.min, four.max, four.zero) == (-16.0, 14.0, 30)
    assert (eight.min, eight.max, eight.zero) == (-1.0, 2.0, 1)


@pytest.mark.parametrize(("dtype", "size", "message"), [
    ("C64", 8, "values of C64 are not decoded here"), ("type 99", 8, "values of type 99 are not decoded here"),
    ("Q8_1", 40, "not decoded by the package gguf"), ("AprQ4", 18, "its last blocks of AprQ4 are padded"),
])  # fmt: skip
def test_what_is_not_decoded_is_not_measured(tmp_path: Path, dtype: str, size: int, message: str) -> None:
    (tmp_path / "t").write_bytes(bytes(size))
    count = {"Q8_1": 32, "AprQ4": 20}.get(dtype, 1)
    with pytest.raises(PvError, match=message) as raised:
        statistics(TensorEntry("t", dtype, (count,), tmp_path / "t", 0, size))
    assert raised.value.exit is Exit.RUN


@pytest.mark.parametrize(("missing", "extra", "dtype", "message"), [
    ("numpy", "tensors", "F32", "statistics need numpy"), ("gguf", "gguf", "Q8_0", "values of Q8_0 need the package gguf"),
])  # fmt: skip
def test_a_missing_library_is_said_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, extra: str, dtype: str, message: str
) -> None:
    (tmp_path / "t").write_bytes(bytes(34))
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(PvError, match=message) as raised:
        statistics(TensorEntry("t", dtype, (32,) if dtype == "Q8_0" else (8,), tmp_path / "t", 0, 34))
    assert (raised.value.exit, raised.value.hint) == (Exit.RUN, f"pip install 'pv-contracts[{extra}]'")


def test_a_file_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    entry = in_file(tmp_path, torch.ones(4096))
    assert entry.file is not None
    entry.file.write_bytes(entry.file.read_bytes()[:200])
    with pytest.raises(PvError, match="the values of 't' cannot be read") as raised:
        statistics(entry)
    assert raised.value.exit is Exit.ASK


@settings(max_examples=20)
@given(st.integers(1, 5), st.sampled_from([1, PIECE - 1, PIECE, PIECE + 1]))
def test_the_same_values_give_the_same_numbers_every_time(seed: int, size: int) -> None:
    entry = held(np.random.default_rng(seed).standard_normal(3 * size, np.float32))
    assert statistics(entry) == statistics(entry)
