"""Indices and truth values: each is the same or it is not; a mean error or an angle between them would say nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pv.compare.axes import locate
from pv.compare.result import Agreement, Comparison, Element, NonFinite
from pv.compare.source import Values
from pv.compare.tolerance import EXACT

Array = NDArray[Any]


def compare_exactly(a: Values, b: Values, names: Sequence[str], top: int, told: Callable[[int], None]) -> Comparison:
    """How many elements differ, which of them most, and the first `top` of those that differ."""
    count = math.prod(a.shape)
    different, start = 0, 0
    most: Element | None = None
    first: list[Element] = []
    for one, other in zip(a.pieces(0, count), b.pieces(0, count), strict=True):
        at = np.flatnonzero(one != other)
        different += at.size

        def element(n: int, one: Array = one, other: Array = other, start: int = start) -> Element:
            return Element(start + n, locate(start + n, names, a.shape), _number(one[n]), _number(other[n]))

        if at.size:
            first += [element(int(n)) for n in at[: top - len(first)]]
            furthest = element(_furthest(one, other, at))
            most = furthest if most is None or furthest.distance > most.distance else most
        start += one.size
        told(one.size)
    return Comparison(
        shape=a.shape, count=count, finite=count, tolerance=EXACT, exceeding=different, max=most, top=tuple(first),
        agreement=Agreement.DIFFERS if different else Agreement.IDENTICAL if a.dtype == b.dtype else Agreement.WITHIN,
        rms=None, relative_l2=None, cosine=None, ulps=None, worst=(), concentration=None, nonfinite=NonFinite(),
    )  # fmt: skip


def _number(value: Any) -> float:
    """As Python has it: float64 has not every whole number above 2**53."""
    return value.item() if isinstance(value, np.integer) else float(value)


def _furthest(a: Array, b: Array, at: Array) -> int:
    """Which of the positions `at` has the largest distance, the first of them."""
    one, other = a[at], b[at]
    if one.dtype.kind in "biu" and other.dtype.kind in "biu":
        return int(at[_apart(one, other).argmax()])
    return int(at[np.abs(one.astype(np.float64) - other.astype(np.float64)).argmax()])


def _apart(a: Array, b: Array) -> Array:
    """|b − a| of whole numbers as uint64, which holds it: modulo 2**64 the smaller is taken from the larger."""
    one, other = a.astype(np.uint64), b.astype(np.uint64)
    return np.where(a < b, other - one, one - other)
