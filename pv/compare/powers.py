"""Float64 values whose squares float64 does not hold: powers of two that bring sums into its range, each sum its own.

What is decided of one element is decided of its own values, unscaled: beside one of 1e308 no other would be seen.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pv.compare.source import Values
from pv.compare.tolerance import Tolerance

Array = NDArray[Any]
_LEAST, _MOST = 1e-60, 1e60  # between them the product of two sums of squares is in range, however many there are
_OVERFLOWN = -1025  # the power for a difference of two numbers that is none
_UPMOST = 1000


class Powers(NamedTuple):
    """Of 2, by which `a`, `b` and their differences are multiplied before they are squared; 0 where they need none."""

    a: int = 0
    b: int = 0
    apart: int = 0


def powers_of(a: Values, b: Values) -> Powers:
    """Those of two tensors of one shape: by the largest |a|, |b| and |Δ| of elements that are finite on both sides."""
    if "float64" not in (a.dtype, b.dtype):
        return Powers()
    count, most = math.prod(a.shape), np.zeros(3)
    with np.errstate(invalid="ignore", over="ignore"):
        for one, other in zip(a.pieces(0, count), b.pieces(0, count), strict=True):
            most = np.maximum(most, _largest(one, other))
    return Powers(*map(_power, most.tolist()))


def unscaled(value: float, power: int) -> float:
    """`value` without `power`; infinite where float64 has no such number."""
    if not power:
        return value
    with np.errstate(over="ignore"):
        return float(np.ldexp(value, -power))


def scaled_apart(a: Array, b: Array, apart: Array, power: int) -> Array:
    """`apart`, which is b − a, times 2 to the `power`: also where it is infinite and both float64 arrays are not."""
    scaled = np.ldexp(apart, power)
    over = np.flatnonzero(np.isinf(apart))
    scaled[over] = np.ldexp(b[over], power) - np.ldexp(a[over], power)
    return scaled


def count_beyond(a: Array, b: Array, apart: Array, tolerance: Tolerance) -> int:
    """How many of `apart`, which is b − a of finite float64, are beyond `tolerance`."""
    beyond = _beyond(a, apart, *tolerance)
    over = np.flatnonzero(np.isinf(apart))
    one, other = a[over] / 4, b[over] / 4  # which loses nothing of numbers so large
    beyond[over] = _beyond(one, other - one, tolerance.rtol, tolerance.atol / 4)
    return int(np.count_nonzero(beyond))


def _beyond(a: Array, apart: Array, rtol: float, atol: float) -> Array:
    return np.abs(apart) > np.abs(a) * rtol + atol


def _largest(a: Array, b: Array) -> tuple[float, float, float]:
    """The largest |a|, |b| and |Δ|, which is infinite where float64 has it not; 0 of nothing."""
    if not a.size:
        return 0.0, 0.0, 0.0
    one, other = _magnitude(a), _magnitude(b)
    if not math.isfinite(one + other) and not (finite := np.isfinite(a) & np.isfinite(b)).all():
        return _largest(a[finite], b[finite])
    return one, other, _magnitude(b - a)


def _magnitude(values: Array) -> float:
    return max(-float(values.min()), float(values.max()))


def _power(largest: float) -> int:
    if largest == 0 or _LEAST < largest < _MOST:
        return 0
    return _OVERFLOWN if math.isinf(largest) else min(_UPMOST, -math.frexp(largest)[1])
