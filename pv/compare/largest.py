"""The largest of many values, kept while they go by: everything below the least of those kept is never looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Largest:
    """The `count` largest of the positive values that were given, at most `room` at once."""

    def __init__(self, count: int, room: int) -> None:
        self.count = count
        self.threshold = 0.0
        self._held = np.empty(2 * count + room)
        self._used = 0

    def take(self, values: Array) -> None:
        """Look at these as well."""
        if self._used + values.size > self._held.size:
            self._drop()
        self._held[self._used : self._used + values.size] = values
        self._used += values.size

    def kept(self) -> Array:
        """They, in no order."""
        self._drop()
        return self._held[: self._used]

    def _drop(self) -> None:
        if self._used > self.count:
            held = self._held[: self._used]
            held.partition(self._used - self.count)
            self.threshold = float(held[-self.count])
            self._held[: self.count] = held[-self.count :]
            self._used = self.count


def total(count: int, kept: Sequence[Array]) -> float:
    """The sum of the `count` largest of all that is `kept`, whoever kept it."""
    together = np.sort(np.concatenate(kept))
    return float(together[-count:].sum())


class Top:
    """The `count` elements of the largest error, squared or not: where they are, and their values on both sides.

    Of equal ones those that come first. Elements are given in the order of their indices.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.threshold = 0.0
        self.errors = np.empty(0)
        self.indices = np.empty(0, np.int64)
        self.a = np.empty(0)
        self.b = np.empty(0)

    def take(self, errors: Array, a: Array, b: Array, start: int) -> None:
        """Look at the elements from index `start` on."""
        at = np.flatnonzero(errors > self.threshold)
        if at.size > 4 * self.count:
            least = np.partition(errors[at], at.size - self.count)[at.size - self.count]
            at = at[errors[at] >= least]
        self._keep(errors[at], at + start, a[at].astype(np.float64), b[at].astype(np.float64))

    def join(self, other: Top) -> None:
        """Add those of elements that come later."""
        self._keep(other.errors, other.indices, other.a, other.b)

    def _keep(self, *new: Array) -> None:
        errors, indices, a, b = map(np.concatenate, zip(self._columns, new, strict=True))
        order = np.lexsort((indices, -errors))[: self.count]
        self.errors, self.indices, self.a, self.b = errors[order], indices[order], a[order], b[order]
        if self.errors.size == self.count:
            self.threshold = float(self.errors[-1])

    @property
    def _columns(self) -> tuple[Array, Array, Array, Array]:
        return self.errors, self.indices, self.a, self.b
