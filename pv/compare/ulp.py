"""How many representable numbers lie between two: by their bits, which count upwards with the magnitude."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


_MANTISSA = {"float64": 52, "float32": 23, "bfloat16": 7, "float16": 10}


def distances(a: Array, b: Array, dtype: str, apart: Array) -> tuple[Array, int]:
    """The distance of each pair of finite values in units in the last place of `dtype`, to which both are rounded first.

    And the largest of them, 0 of none. `dtype` is float64, float32, bfloat16 or float16; `apart` is room of `bits_type` to
    work in, as long as `a`. ±0 are 0 apart.
    """
    one, other = bits_of(a, dtype), bits_of(b, dtype)
    np.subtract(one, other, out=apart)  # of equal signs, both magnitudes count the same way
    np.abs(apart, out=apart)
    unsigned = apart.view(f"u{apart.itemsize}")
    most = int(unsigned.max(initial=0))
    # Where signs differ this is 2ⁿ⁻¹ less the difference of two magnitudes, none of which is above that of infinity.
    if most >= (least := 1 << _MANTISSA[dtype]):
        at = np.flatnonzero(unsigned >= least)
        at = at[(one[at] ^ other[at]) < 0]
        magnitude = 0x7FFF if dtype.endswith("16") else np.iinfo(apart.dtype).max
        unsigned[at] = (one[at] & magnitude).view(unsigned.dtype) + (other[at] & magnitude).view(unsigned.dtype)
        most = int(unsigned.max(initial=0))
    return unsigned, most


def bits_type(dtype: str) -> str:
    """The integers that hold the bits of `dtype`."""
    return "i8" if dtype == "float64" else "i4"


def bits_of(values: Array, dtype: str) -> Array:
    """`values` rounded to `dtype`, as signed integers: the sign bit is the integer's, the others are the magnitude."""
    if dtype == "float64":
        return np.ascontiguousarray(values, "<f8").view("<i8")
    if dtype == "float16":
        return np.ascontiguousarray(values, "<f2").view("<i2").astype("<i4")
    single = np.ascontiguousarray(values, "<f4")
    return single.view("<i4") if dtype == "float32" else _bfloat16(single.view("<u4")).view("<i4") >> 16


def rounded(values: Array, dtype: str) -> Array:
    """`values` rounded to `dtype` and no further, half to even; as float32 where `dtype` is narrower than that.

    What is too large becomes infinite.
    """
    if dtype == "float16":
        return values.astype("<f2").astype("<f4")
    single = values.astype("<f4")
    if dtype == "float32":
        return single
    upper = (_bfloat16(single.view("<u4")) & np.uint32(0xFFFF0000)).view("<f4")
    return np.where(np.isnan(single), single, upper)


def _bfloat16(bits: Array) -> Array:
    """The bits of a float32 moved up by half of what is cut off, where that ties by what keeps the last bit even."""
    last = bits >> np.uint32(16)
    last &= np.uint32(1)
    last += np.uint32(0x7FFF)
    last += bits
    return last
