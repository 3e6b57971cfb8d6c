"""Comparison of two arrays against figures worked out one by one, in exact sums where float64 rounds."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from pv.checkpoints.values import PIECE
from pv.compare.arrays import compare_arrays
from pv.compare.axes import location_text
from pv.compare.lane import BLOCK
from pv.compare.result import Agreement, Comparison
from pv.compare.tolerance import DEFAULTS, Tolerance, tolerance_of
from pv.compare.ulp import rounded

DTYPES = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "bfloat16": "<f4"}


def as_dtype(values: Any, dtype: str) -> Any:
    """The values that `dtype` has, as pv holds them: bfloat16 as float32."""
    with np.errstate(over="ignore"):
        array = np.asarray(values, "<f8").astype(DTYPES[dtype])
        return rounded(array, "bfloat16") if dtype == "bfloat16" else array


def number_of(value: float, dtype: str) -> int:
    """Which number of `dtype` it is, counted from 0 upwards and downwards."""
    form, low, high = {"float16": ("<e", "<h", 0x7FFF), "float64": ("<d", "<q", 2**63 - 1)}.get(
        dtype, ("<f", "<i", 2**31 - 1)
    )
    (bits,) = struct.unpack(low, struct.pack(form, value))
    magnitude = bits & high
    if dtype == "bfloat16":
        magnitude >>= 16
    return -magnitude if bits < 0 else magnitude


def check(found: Comparison, a: Any, b: Any, dtype: str) -> None:
    """Every figure of `found` against one worked out from the definitions."""
    one, other = ([float(value) for value in side.reshape(-1)] for side in (a, b))
    pairs = [(x, y) for x, y in zip(one, other, strict=True) if math.isfinite(x) and math.isfinite(y)]
    squares = [(Fraction(y) - Fraction(x)) ** 2 for x, y in pairs]
    error, norm, other_norm = (
        sum(squares),
        sum(Fraction(x) ** 2 for x, _ in pairs),
        sum(Fraction(y) ** 2 for _, y in pairs),
    )
    assert (found.count, found.finite) == (len(one), len(pairs))
    if pairs:
        assert found.rms == pytest.approx(math.sqrt(error / len(pairs)), rel=1e-12)
    if norm:
        assert found.relative_l2 == pytest.approx(math.sqrt(error / norm), rel=1e-12)
    if norm and other_norm:
        dot = sum(Fraction(x) * Fraction(y) for x, y in pairs)
        exact = float(dot) / math.sqrt(float(norm)) / math.sqrt(float(other_norm))
        assert found.cosine == pytest.approx(exact, abs=1e-12)
    elif pairs:
        assert found.cosine == (1.0 if norm == other_norm else 0.0)
    largest = max((abs(y - x) for x, y in pairs), default=0.0)
    assert (found.max.distance if found.max else 0.0) == largest
    if found.max:
        at = next(n for n, (x, y) in enumerate(zip(one, other, strict=True))
                  if math.isfinite(x) and math.isfinite(y) and abs(y - x) == largest)  # fmt: skip
        assert (found.max.index, found.max.a, found.max.b) == (at, one[at], other[at])
    beyond = sum(abs(y - x) > found.tolerance.atol + found.tolerance.rtol * abs(x) for x, y in pairs)
    assert found.exceeding == beyond + mismatched(one, other)
    assert found.nonfinite.mismatched == mismatched(one, other)
    assert found.agreement is (
        Agreement.DIFFERS if found.exceeding
        else Agreement.IDENTICAL if a.tobytes() == b.tobytes() else Agreement.WITHIN
    )  # fmt: skip
    apart = [abs(number_of(x, dtype) - number_of(y, dtype)) for x, y in pairs]
    assert found.ulps is not None
    assert (found.ulps.max, found.ulps.differing, found.ulps.over_one) == (
        max(apart, default=0), sum(n > 0 for n in apart), sum(n > 1 for n in apart),
    )  # fmt: skip
    if error:
        most = sorted(squares)[-max(1, int(len(one) * 0.001)) :]
        assert found.concentration == pytest.approx(float(sum(most) / error), rel=1e-12)


def mismatched(one: list[float], other: list[float]) -> int:
    """NaN against NaN of any payload is the same, and infinity against itself."""
    pairs = [(x, y) for x, y in zip(one, other, strict=True) if not (math.isfinite(x) and math.isfinite(y))]
    return sum(not (x == y or (math.isnan(x) and math.isnan(y))) for x, y in pairs)


VALUES = st.one_of(
    st.floats(width=32, allow_nan=True, allow_infinity=True),
    st.floats(-2, 2, width=32),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 2.0**-149, 1.1754943508222875e-38, 65504.0]),
)


@st.composite
def pairs_of_arrays(draw: st.DrawFn) -> tuple[Any, Any, str]:
    """Two arrays of one shape and dtype that have most elements in common, or none."""
    dtype = draw(st.sampled_from(sorted(DTYPES)))
    shape = tuple(draw(st.lists(st.integers(1, 5), max_size=4)))
    count = math.prod(shape)
    a = draw(st.lists(VALUES, min_size=count, max_size=count))
    b = [value if draw(st.booleans()) else draw(VALUES) for value in a]
    return as_dtype(a, dtype).reshape(shape), as_dtype(b, dtype).reshape(shape), dtype


@settings(max_examples=300, deadline=None)
@given(pairs_of_arrays(), st.sampled_from([None, Tolerance(0, 0), Tolerance(0.1, 0.5), Tolerance(0, 1e-40)]))
def test_every_figure_is_what_its_definition_says(case: tuple[Any, Any, str], tolerance: Tolerance | None) -> None:
    a, b, dtype = case
    check(compare_arrays(a, b, dtype=dtype, tolerance=tolerance), a, b, dtype)


def test_the_check_itself_would_see_each_figure_wrong() -> None:
    a, b = as_dtype([1.0, 2.0, 3.0], "float32"), as_dtype([1.0, 2.5, 3.0], "float32")
    check(compare_arrays(a, b), a, b, "float32")
    for other in (as_dtype([1.0, 2.5, 3.0000002], "float32"), as_dtype([1.0, 2.5, math.nan], "float32")):
        with pytest.raises(AssertionError):
            check(compare_arrays(a, other), a, b, "float32")


SIZES = [BLOCK - 1, BLOCK, BLOCK + 1, PIECE - 1, PIECE + 1, 4 * PIECE + 3, 5 * PIECE]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["<f4", "<f2", "<f8"])
def test_nothing_is_lost_or_counted_twice_where_blocks_meet(size: int, dtype: str) -> None:
    draw = np.random.default_rng(size)
    a = draw.standard_normal(size).astype(dtype)
    b = (a + draw.standard_normal(size) * 1e-2).astype(dtype)
    edges = sorted({at for edge in (BLOCK, PIECE, 2 * PIECE, size) for at in (edge - 1, edge) if 0 <= at < size} | {0})
    for number, at in enumerate(edges):
        b[at] = a[at] + 10 + number
    a[1000], b[2000], b[1000] = np.nan, np.inf, np.nan
    found = compare_arrays(a, b, tolerance=Tolerance(0.0, 5.0), top=len(edges))
    wide = b.astype(np.float64) - a
    wide[[1000, 2000]] = 0
    assert found.exceeding == len(edges) + 1
    order = np.lexsort((np.arange(size), -np.abs(wide)))[: len(edges)]
    assert [element.index for element in found.top] == list(order)
    assert (found.finite, found.nonfinite.mismatched) == (size - 2, 1)
    assert found.rms == pytest.approx(math.sqrt((wide**2).sum() / (size - 2)), rel=1e-12)
    most = np.sort(wide**2)[-int(size * 0.001) :]
    assert found.concentration == pytest.approx(most.sum() / (wide**2).sum(), rel=1e-12)


@pytest.mark.parametrize("at", [0, PIECE, 2 * PIECE + 5, 4 * PIECE + 2])
def test_one_odd_element_is_seen_in_whichever_stretch_it_lies(at: int) -> None:
    a = np.ones(4 * PIECE + 3, "<f4")
    b = a.copy()
    b[at] = np.nextafter(np.float32(1), np.float32(2))
    found = compare_arrays(a, b)
    assert (found.agreement, found.exceeding, found.max and found.max.index) == (Agreement.WITHIN, 0, at)
    assert found.ulps is not None
    assert (found.ulps.max, found.ulps.differing, found.ulps.over_one) == (1, 1, 0)
    b[at] = math.nan
    found = compare_arrays(a, b)
    assert (found.agreement, found.nonfinite.mismatched, found.nonfinite.nan_b) == (Agreement.DIFFERS, 1, 1)
    assert found.nonfinite.first is not None
    assert (found.nonfinite.first.index, found.finite, found.rounded) == (at, a.size - 1, "")
    a[at] = math.nan
    assert compare_arrays(a, b).agreement is Agreement.IDENTICAL


@pytest.mark.parametrize(("axes", "shape"), [
    ("nE", (700, 500)), ("nE", (3, 200_003)), ("nE", (200_003, 3)), ("nHD", (40, 8, 64)), ("nHD", (2, 70, 33)),
    ("Hnn", (4, 300, 300)), ("nV", (2, PIECE + 7)), ("nHD", (PIECE // 16, 4, 8)),
])  # fmt: skip
def test_the_worst_row_column_and_head_are_found_whatever_the_shape(axes: str, shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(1)
    a = draw.standard_normal(shape).astype("<f4")
    b = (a + draw.standard_normal(shape) * 1e-3).astype("<f4")
    squares = (b.astype(np.float64) - a) ** 2
    for one in compare_arrays(a, b, axes=axes).worst:
        names = [name for name, _ in one.at]
        kept = [words(axes).index(name) for name in names]
        sums = squares.sum(axis=tuple(axis for axis in range(len(shape)) if axis not in kept))
        at = tuple(index for _, index in one.at)
        assert at == np.unravel_index(sums.argmax(), sums.shape)
        assert one.share == pytest.approx(sums.max() / squares.sum(), rel=1e-10)
        assert one.rms == pytest.approx(math.sqrt(sums.max() * sums.size / squares.size), rel=1e-10)
    named = {name for one in compare_arrays(a, b, axes=axes).worst for name, _ in one.at}
    assert named == {word for word, size in zip(words(axes), shape, strict=True) if size > 1}


def words(axes: str) -> list[str]:
    """The axes as they are told."""
    known = {"nE": "token channel", "nHD": "token head dim", "Hnn": "head query key", "nV": "token logit"}
    return known[axes].split()


def test_a_planted_error_is_named_by_token_head_and_dim() -> None:
    a = np.random.default_rng(0).standard_normal((7, 4, 8)).astype("<f4")
    b = a.copy()
    b[5, 3, 7] += 1
    found = compare_arrays(a, b, axes="nHD")
    assert found.max is not None
    assert location_text(found.max.at) == "token 5, head 3, dim 7"
    assert [location_text(one.at) for one in found.worst] == ["token 5", "head 3", "dim 7", "head 3, dim 7"]
    assert {one.share for one in found.worst} == {1.0}


def test_the_result_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    a = draw.standard_normal((300, 6000)).astype("<f4")
    b = a + draw.standard_normal(a.shape).astype("<f4")
    several = compare_arrays(a, b, axes="nE")
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert compare_arrays(a, b, axes="nE") == several


IN_PROCESSES = """
import os, sys
import numpy as np
from pv.compare import arrays
from pv.compare.source import of_array
forks, told = [], []
os.register_at_fork(after_in_parent=lambda: forks.append(1))
arrays.worker_count = lambda items: min(items, 3)
a, b = map(of_array, np.load(sys.argv[1]))
alone = repr(arrays.compare(a, b, axes="nE"))
assert not forks
arrays._FORKED = 1
together = repr(arrays.compare(a, b, axes="nE", told=told.append))
assert (len(forks), sum(told)) == (2, a.shape[0] * a.shape[1])
sys.modules["torch"] = None
assert repr(arrays.compare(a, b, axes="nE")) == together
assert len(forks) == 2
print(together == alone, together)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes compare on Linux alone")
@pytest.mark.parametrize("shape", [(300, 6000), (300_000, 6)])
def test_the_result_does_not_depend_on_whether_processes_find_it(shape: tuple[int, int], tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    a = draw.standard_normal(shape).astype("<f4")
    b = a + draw.standard_normal(a.shape).astype("<f4")
    b[17, 5] = np.nan
    np.save(tmp_path / "both.npy", [a, b])
    words = [sys.executable, "-c", IN_PROCESSES, str(tmp_path / "both.npy")]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.stderr == ""
    assert ran.stdout == f"True {compare_arrays(a, b, axes='nE')!r}\n"


def test_of_equal_errors_the_first_are_told() -> None:
    a = np.zeros(3 * PIECE, "<f4")
    assert [element.index for element in compare_arrays(a, a + 1, top=3).top] == [0, 1, 2]


def test_what_lies_in_another_order_in_memory_is_compared_by_its_indices() -> None:
    a = np.random.default_rng(3).standard_normal((90, 70, 60)).astype("<f4")
    turned = np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0)
    assert not turned.flags.c_contiguous
    assert compare_arrays(a, turned).agreement is Agreement.IDENTICAL
    turned[80, 3, 2] += 1
    found = compare_arrays(a, turned, axes=("n", "H", "D"))
    assert (found.exceeding, found.max and dict(found.max.at)) == (1, {"token": 80, "head": 3, "dim": 2})


def test_both_zero_is_the_same_direction_and_one_zero_is_not() -> None:
    zero, one = np.zeros(3, "<f4"), np.ones(3, "<f4")
    assert [compare_arrays(a, b).cosine for a, b in ((zero, zero), (zero, one), (one, zero), (one, one), (one, -one))] == [
        1.0, 0.0, 0.0, 1.0, -1.0,
    ]  # fmt: skip
    assert compare_arrays(zero, one).relative_l2 == math.inf
    assert compare_arrays(zero, -zero).agreement is Agreement.WITHIN  # other bits, and 0 ULP apart
    assert compare_arrays(zero, -zero).ulps == compare_arrays(zero, zero).ulps


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_float64_whose_squares_are_out_of_range_is_measured_all_the_same(scale: float) -> None:
    a = np.array([1.0, 2.0, 3.0]) * scale
    b = np.array([1.0, 2.0, 4.0]) * scale
    found = compare_arrays(a, b, tolerance=Tolerance(0.1, 0.0))
    assert (found.exceeding, found.max and found.max.index) == (1, 2)
    assert found.rms == pytest.approx(scale / math.sqrt(3), rel=1e-12)
    assert found.cosine == pytest.approx(17 / math.sqrt(14 * 21), rel=1e-12)
    assert compare_arrays(a, b, tolerance=Tolerance(0.0, 1.01 * scale)).exceeding == 0
    assert compare_arrays(a, b, tolerance=Tolerance(0.0, 0.99 * scale)).exceeding == 1


EXTREME = [0.0, 5e-324, 1e-310, 1e-200, 3e-170, 1e-154, 1.0, 2.0, 1e154, 1e170, sys.float_info.max, math.inf, math.nan]
WIDE = st.one_of(
    st.floats(), st.sampled_from([sign * value for value in EXTREME for sign in (1, -1)]), st.floats(-2, 2)
)


@st.composite
def wide_pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two float64 arrays [n] of numbers of every magnitude, some of them the same and some neighbours."""
    a = draw(st.lists(WIDE, min_size=1, max_size=12))
    b = [draw(st.sampled_from([value, math.nextafter(value, 0), draw(WIDE)])) for value in a]
    return np.array(a), np.array(b)


TOLERANCES = [Tolerance(1e-7, 1e-7), Tolerance(0, 0), Tolerance(0, 1e-170), Tolerance(2, 0), Tolerance(0.5, 1e200)]


@settings(max_examples=600, deadline=None)
@given(wide_pairs(), st.sampled_from(TOLERANCES))
def test_no_element_of_float64_hides_another_however_large_or_small(
    case: tuple[Any, Any], tolerance: Tolerance
) -> None:
    a, b = case
    pairs = [(n, x, y) for n, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True))
             if math.isfinite(x) and math.isfinite(y)]  # fmt: skip
    rtol, atol = map(Fraction, tolerance)
    beyond = [
        abs(y - x) > tolerance.atol + tolerance.rtol * abs(x) if math.isfinite(y - x)
        else abs(Fraction(y) - Fraction(x)) > atol + rtol * abs(Fraction(x))
        for _, x, y in pairs
    ]  # fmt: skip
    found = compare_arrays(a, b, tolerance=tolerance)
    assert (found.exceeding, found.finite) == (sum(beyond) + mismatched(a.tolist(), b.tolist()), len(pairs))
    largest = max((abs(y - x) for _, x, y in pairs), default=0.0)
    first = next((n for n, x, y in pairs if largest and abs(y - x) == largest), None)
    assert (found.max and (found.max.index, found.max.distance)) == (None if first is None else (first, largest))
    error, norm = (sum((Fraction(one) ** 2 for one in side), Fraction(0)) for side in (
        [Fraction(y) - Fraction(x) for _, x, y in pairs], [x for _, x, _ in pairs]))  # fmt: skip
    if error:
        same_root(found.rms, error / len(pairs))
    if error and norm:
        same_root(found.relative_l2, error / norm)


def same_root(value: float | None, square: Fraction) -> None:
    """`value` is the root of `square`, to 1e-12 where float64 has it with all of its digits."""
    assert value is not None
    if math.isinf(value):
        assert square > Fraction(sys.float_info.max) ** 2
    elif value > sys.float_info.min:
        assert float(Fraction(value) ** 2 / square) == pytest.approx(1, rel=1e-12)
    else:
        assert square < Fraction(2 * sys.float_info.min) ** 2


def test_one_huge_element_on_both_sides_does_not_hide_the_others() -> None:
    a = np.arange(12.0)
    b = a + 1
    a[0] = b[0] = np.finfo(np.float64).min
    found = compare_arrays(a, b)
    assert (found.agreement, found.exceeding, len(found.top)) == (Agreement.DIFFERS, 11, 10)
    assert (found.max and found.max.distance, found.rms) == (1.0, pytest.approx(math.sqrt(11 / 12)))
    a, b = np.array([1e-170, 1e-170, 1.0]), np.array([3e-170, 1e-170, 1.0])
    found = compare_arrays(a, b, tolerance=Tolerance(0, 0))
    assert (found.exceeding, found.max and found.max.index, found.rms) == (1, 0, pytest.approx(2e-170 / math.sqrt(3)))
    assert compare_arrays(a, b, tolerance=Tolerance(0, 1e-170)).exceeding == 1


@pytest.mark.parametrize("scale", [1e-90, 1e90])
def test_the_cosine_of_what_is_almost_out_of_range(scale: float) -> None:
    a, b = np.array([1.0, 2.0, 3.0]) * scale, np.array([1.0, 2.0, 4.0]) * scale
    assert compare_arrays(a, b).cosine == pytest.approx(17 / math.sqrt(14 * 21), rel=1e-12)


def test_payloads_of_nan_do_not_count_and_signs_of_infinity_do() -> None:
    quiet, other = (np.frombuffer(struct.pack("<I", bits), "<f4") for bits in (0x7FC00000, 0xFFC12345))
    found = compare_arrays(quiet, other)
    assert (found.agreement, found.exceeding, found.finite) == (Agreement.WITHIN, 0, 0)
    assert (found.rms, found.cosine, found.nonfinite.nan_a, found.nonfinite.nan_b) == (None, None, 1, 1)
    plus, minus = np.array([1, math.inf], "<f4"), np.array([1, -math.inf], "<f4")
    found = compare_arrays(plus, minus)
    assert (found.agreement, found.nonfinite.mismatched) == (Agreement.DIFFERS, 1)
    assert found.nonfinite.first is not None
    assert (found.nonfinite.first.index, found.nonfinite.first.b) == (1, -math.inf)
    assert compare_arrays(plus, plus).agreement is Agreement.IDENTICAL


@pytest.mark.parametrize(("dtype", "word"), [("bfloat16", "bfloat16"), ("float16", "float16")])
def test_one_side_that_is_the_other_rounded_is_told_so(dtype: str, word: str) -> None:
    a = np.random.default_rng(4).standard_normal(3 * BLOCK).astype("<f4")
    b = rounded(a, dtype)
    assert compare_arrays(a, b).rounded == f"B is A rounded to {word}"
    assert compare_arrays(b, a).rounded == f"A is B rounded to {word}"
    b[-1] += 1
    assert compare_arrays(a, b).rounded == ""
    assert compare_arrays(a, a).rounded == ""
    assert compare_arrays(a.astype("<f8") * (1 + 1e-12), a).rounded == "B is A rounded to float32"


@given(st.floats(width=32, allow_nan=False))
@settings(max_examples=300, deadline=None)
def test_rounding_to_bfloat16_takes_the_nearest_and_of_two_the_even(value: float) -> None:
    torch = pytest.importorskip("torch")
    expected = torch.tensor([value], dtype=torch.float32).bfloat16().float().numpy()
    assert rounded(np.array([value], "<f4"), "bfloat16").tobytes() == expected.tobytes()


@pytest.mark.parametrize(("bits", "expected"), [
    (0x3F808000, 0x3F80), (0x3F818000, 0x3F82), (0x3F807FFF, 0x3F80), (0x3F817FFF, 0x3F81), (0x3F808001, 0x3F81),
    (0xBF818000, 0xBF82), (0x7F7FFFFF, 0x7F80), (0x00008000, 0x0000), (0x80018000, 0x8002),
])  # fmt: skip
def test_halves_are_rounded_to_the_even_bfloat16(bits: int, expected: int) -> None:
    value = np.frombuffer(struct.pack("<I", bits), "<f4")
    assert rounded(value, "bfloat16").view("<u4")[0] >> 16 == expected


@pytest.mark.parametrize("bits", [0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001, 0x7FC00000])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_nan_stays_nan_when_it_is_rounded(bits: int, dtype: str) -> None:
    assert np.isnan(rounded(np.frombuffer(struct.pack("<I", bits), "<f4"), dtype)).all()


def test_whole_numbers_are_the_same_or_they_are_not() -> None:
    a = np.arange(2 * PIECE, dtype=np.int64) + 2**60
    b = a.copy()
    assert compare_arrays(a, b).agreement is Agreement.IDENTICAL
    b[PIECE + 5] += 1  # which float64 does not hold
    b[7] -= 9
    found = compare_arrays(a, b, top=5)
    assert (found.exceeding, found.rms, found.cosine, found.ulps) == (2, None, None, None)
    assert ([element.index for element in found.top], found.max and found.max.index) == ([7, PIECE + 5], 7)
    assert [(element.a, element.b, element.distance) for element in found.top] == [
        (2**60 + 7, 2**60 - 2, 9), (2**60 + PIECE + 5, 2**60 + PIECE + 6, 1),
    ]  # fmt: skip


@given(st.lists(st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * 2), min_size=1), st.sampled_from([0, 2**53, 2**63 - 9]))
def test_whole_numbers_that_float64_does_not_hold_are_told_exactly(pairs: list[tuple[int, int]], offset: int) -> None:
    near = [(offset + n, offset + n + 1 - (n % 3)) for n in range(5)]
    a, b = (np.array(side, np.int64) for side in zip(*pairs, *near, strict=True))
    apart = [abs(y - x) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    found = compare_arrays(a, b)
    at = apart.index(max(apart))
    assert found.max is not None
    assert (found.exceeding, found.max.index, found.max.distance) == (sum(n > 0 for n in apart), at, apart[at])
    assert (found.max.a, found.max.b) == (a[at], b[at])


@pytest.mark.parametrize("dtype", sorted(DEFAULTS))
def test_tolerances_are_those_of_torch_and_the_looser_counts(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    from torch.testing._comparison import default_tolerances

    assert tuple(DEFAULTS[dtype]) == default_tolerances(getattr(torch, dtype))
    assert tolerance_of(dtype, "int64") == tolerance_of("int64", dtype) == DEFAULTS[dtype]
    assert tolerance_of("float64", "bfloat16") == Tolerance(1.6e-2, 1e-5)
    assert tolerance_of("int64", "bool") == Tolerance(0, 0)


def test_two_shapes_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"\[2, 3\] and \[3, 2\]"):
        compare_arrays(np.zeros((2, 3)), np.zeros((3, 2)))
