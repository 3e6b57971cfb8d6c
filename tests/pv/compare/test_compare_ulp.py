"""ULP distances of every dtype, counted by hand over the whole line of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pv.compare.ulp import bits_type, distances

WIDTHS = {"float64": 64, "float32": 32, "bfloat16": 16, "float16": 16}
INFINITY = {"float64": 0x7FF0_0000_0000_0000, "float32": 0x7F80_0000, "bfloat16": 0x7F80, "float16": 0x7C00}


def values(patterns: list[int], dtype: str) -> np.ndarray[tuple[int], np.dtype[np.floating]]:
    """The numbers with these bits; of bfloat16 as float32."""
    if dtype == "bfloat16":
        return (np.array(patterns, "<u4") << 16).view("<f4")
    return np.array(patterns, f"<u{WIDTHS[dtype] // 8}").view(dtype)


@pytest.mark.parametrize("dtype", WIDTHS)
@given(st.data())
def test_the_distance_is_how_many_steps_there_are_on_the_line(dtype: str, data: st.DataObject) -> None:
    """Numbers of both signs, the least and the largest of each among them; a pattern's place is its magnitude with its sign."""
    magnitudes = st.one_of(
        st.integers(0, 3), st.integers(0, INFINITY[dtype] - 1), st.integers(INFINITY[dtype] - 3, INFINITY[dtype] - 1)
    )
    numbers = st.lists(st.tuples(magnitudes, st.booleans(), magnitudes, st.booleans()), min_size=1, max_size=20)
    drawn = data.draw(numbers)
    sign = 1 << (WIDTHS[dtype] - 1)
    one = values([magnitude | sign * minus for magnitude, minus, _, _ in drawn], dtype)
    other = values([magnitude | sign * minus for _, _, magnitude, minus in drawn], dtype)
    steps = [abs((-a if i else a) - (-b if j else b)) for a, i, b, j in drawn]
    found, most = distances(one, other, dtype, np.empty(len(drawn), bits_type(dtype)))
    assert (found.tolist(), most) == (steps, max(steps))


def test_of_nothing_the_largest_is_zero() -> None:
    none = np.empty(0, "float32")
    assert distances(none, none, "float32", np.empty(0, "i4"))[1] == 0
