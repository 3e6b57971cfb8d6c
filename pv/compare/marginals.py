"""Sums over the rows and over the columns of a table that goes by piece after piece, in the order of its elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pv.compare.axes import Split

Array = NDArray[Any]
_NARROW = 64  # columns below which numpy sums a row slower than a product with ones does
_WIDE = 4096  # about how many columns there are after some narrow rows were laid side by side


class Marginals:
    """The sums of the elements from index `start` up to `stop` of a table."""

    def __init__(self, split: Split, start: int, stop: int) -> None:
        self._width = split.columns
        self.first = start // self._width
        self.rows = np.zeros(-(-stop // self._width) - self.first)
        self.columns = np.zeros(self._width)
        self._ones = np.ones(self._width) if self._width < _NARROW else None

    def add(self, values: Array, start: int) -> float:
        """Add the elements from index `start` on; the sum of them all."""
        row, column = divmod(start, self._width)
        total = 0.0
        if column:
            head = values[: self._width - column]
            total += self._part(head, row, column)
            values, row = values[head.size :], row + 1
        whole = values.size // self._width
        if whole:
            total += self._whole(values[: whole * self._width].reshape(whole, self._width), row)
        if tail := values.size - whole * self._width:
            total += self._part(values[-tail:], row + whole, 0)
        return total

    def join(self, other: Marginals) -> None:
        """Add the sums of elements that come later; rows may overlap in one."""
        self.columns += other.columns
        at = other.first - self.first
        rows = np.zeros(at + other.rows.size)
        rows[: self.rows.size] = self.rows
        rows[at:] += other.rows
        self.rows = rows

    def _part(self, values: Array, row: int, column: int) -> float:
        total = float(np.add.reduce(values))
        self.rows[row - self.first] += total
        self.columns[column : column + values.size] += values
        return total

    def _whole(self, table: Array, row: int) -> float:
        at = row - self.first
        sums = np.add.reduce(table, axis=1) if self._ones is None else table @ self._ones
        self.rows[at : at + len(table)] += sums
        if self._ones is None:
            self.columns += np.add.reduce(table, axis=0)
            return float(np.add.reduce(sums))
        beside = min(len(table), _WIDE // self._width)
        even = len(table) - len(table) % beside
        side = np.add.reduce(table[:even].reshape(-1, beside * self._width), axis=0)
        self.columns += np.add.reduce(side.reshape(beside, self._width), axis=0)
        self.columns += np.add.reduce(table[even:], axis=0)
        return float(np.add.reduce(sums))
