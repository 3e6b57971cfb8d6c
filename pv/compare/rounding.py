"""Whether one side is exactly the other, rounded to a narrower dtype: then no kernel is to blame for the difference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pv.compare.ulp import rounded

Array = NDArray[Any]
_NARROW = ("float32", "bfloat16", "float16")
_GLANCE = 256


class Rounding:
    """Which of the six roundings explain every element so far."""

    def __init__(self) -> None:
        self._possible = {(side, dtype) for side in "AB" for dtype in _NARROW}

    def take(self, a: Array, b: Array) -> None:
        """The next elements of both sides; a few of them settle most questions."""
        self._keep(a[:_GLANCE], b[:_GLANCE])
        self._keep(a, b)

    def join(self, other: Rounding) -> None:
        """Both stretches have to be explained by the same."""
        self._possible &= other._possible

    def found(self) -> str:
        """`B is A rounded to bfloat16`; empty where nothing explains it."""
        for side, dtype in sorted(self._possible, key=lambda one: (_NARROW.index(one[1]), one[0])):
            return f"{side} is {'B' if side == 'A' else 'A'} rounded to {dtype}"
        return ""

    def _keep(self, a: Array, b: Array) -> None:
        self._possible = {one for one in self._possible if _explains(one, a, b)}


def _explains(rounding: tuple[str, str], a: Array, b: Array) -> bool:
    side, dtype = rounding
    narrow, wide = (a, b) if side == "A" else (b, a)
    if dtype == wide.dtype.name or wide.dtype.kind != "f" or narrow.dtype.kind != "f":
        return False
    return bool(np.array_equal(rounded(wide, dtype), narrow, equal_nan=True))
