"""One stretch of two tensors, read once: every sum and every candidate that the comparison is made of.

The stretch goes by in blocks that fit a core's cache with their float64 copies. Products are summed by pairs, which loses no
digits, and not as dot products: numpy holds Python's lock during those that wake no threads of a BLAS, and a thread that
waits for the lock sleeps for longer than most of what is done here takes. What a block does not need is left out: equal
blocks have no error to place, and only a block whose squared errors are no numbers is searched for NaN and infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pv.compare.axes import Split
from pv.compare.largest import Largest, Top
from pv.compare.marginals import Marginals
from pv.compare.powers import Powers, count_beyond, scaled_apart
from pv.compare.rounding import Rounding
from pv.compare.tolerance import Tolerance
from pv.compare.ulp import bits_type, distances

Array = NDArray[Any]
BLOCK = 2**17
_GLANCE = 64
_SQUARED = 1e-150  # above which a square has all its digits
_DERIVED = 2.0**20  # how far apart Σa² and Σb² may be for Σab to come from them and ΣΔ²: then it loses ten bits at most


class Plan(NamedTuple):
    """What is looked for: how many elements at the top, how many whose share of the error is told, ULPs of which dtype.

    `powers` bring float64 values whose squares it does not hold to about 1.
    """

    tolerance: Tolerance
    top: int
    worst: int
    split: Split | None
    ulps: str
    powers: Powers = Powers()


@dataclass(slots=True)
class Sums:
    """Of finite elements: how many, Σab, Σa², Σb², ΣΔ² (scaled); how many beyond the tolerance; ULPs."""

    finite: int = 0
    ab: float = 0.0
    aa: float = 0.0
    bb: float = 0.0
    dd: float = 0.0
    exceeding: int = 0
    ulp_max: int = 0
    ulp_differing: int = 0
    ulp_over_one: int = 0
    same_bits: bool = True

    def add(self, finite: int, ab: float, aa: float, bb: float, dd: float) -> None:
        """Add those of some more elements."""
        self.finite += finite
        self.ab, self.aa, self.bb, self.dd = self.ab + ab, self.aa + aa, self.bb + bb, self.dd + dd

    def join(self, other: Sums) -> None:
        """Add those of other elements."""
        self.add(other.finite, other.ab, other.aa, other.bb, other.dd)
        self.exceeding += other.exceeding
        self.ulp_max = max(self.ulp_max, other.ulp_max)
        self.ulp_differing += other.ulp_differing
        self.ulp_over_one += other.ulp_over_one
        self.same_bits &= other.same_bits


@dataclass(slots=True)
class Odd:
    """NaN and infinity: how many on each side, how many that the other side has not, and the first of those."""

    nan_a: int = 0
    nan_b: int = 0
    inf_a: int = 0
    inf_b: int = 0
    mismatched: int = 0
    first: tuple[int, float, float] | None = None

    def join(self, other: Odd) -> None:
        """Add those of elements that come later."""
        self.nan_a, self.nan_b = self.nan_a + other.nan_a, self.nan_b + other.nan_b
        self.inf_a, self.inf_b = self.inf_a + other.inf_a, self.inf_b + other.inf_b
        self.mismatched += other.mismatched
        self.first = self.first or other.first


class Lane:
    """The elements from `start` up to `stop`, compared as they are given; `largest` may be that of other lanes too."""

    def __init__(self, plan: Plan, largest: Largest, start: int, stop: int) -> None:
        self.plan = plan
        self.sums = Sums()
        self.odd = Odd()
        self.top = Top(plan.top)
        self.largest = largest
        self.errors = Marginals(plan.split, start, stop) if plan.split else None
        self.rounding = Rounding()
        self._at = start
        self._buffers = tuple(np.empty(BLOCK) for _ in range(3))
        self._mask = np.empty(BLOCK, bool)
        self._integers = np.empty(BLOCK if plan.ulps else 0, bits_type(plan.ulps))

    def take(self, a: Array, b: Array) -> None:
        """The next elements of both sides."""
        with np.errstate(invalid="ignore", over="ignore"):
            self.rounding.take(a, b)
            for at in range(0, a.size, BLOCK):
                one, other = a[at : at + BLOCK], b[at : at + BLOCK]
                if not self._equal(one, other):
                    self._block(one, other)
                self._at += one.size

    def close(self) -> Lane:
        """Nothing more is coming: let go of what only that needed."""
        del self.largest, self._buffers, self._mask, self._integers
        return self

    def join(self, other: Lane) -> Lane:
        """This one and the elements that come later, both closed."""
        self.sums.join(other.sums)
        self.odd.join(other.odd)
        self.top.join(other.top)
        self.rounding.join(other.rounding)
        if self.errors is not None and other.errors is not None:
            self.errors.join(other.errors)
        return self

    def _equal(self, a: Array, b: Array) -> bool:
        """The same bits on both sides: nothing to add but their squares.

        False where not, and where `_block` has to see them all the same: some are not finite, or are scaled.
        """
        if not _same_bits(a, b):
            self.sums.same_bits = False
            return False
        if any(self.plan.powers):
            return False
        wide = self._wide(a, 0)
        square = self._sum(wide, wide)
        if not np.isfinite(square):
            return False
        self.sums.add(a.size, square, square, square, 0.0)
        return True

    def _block(self, a: Array, b: Array) -> None:
        powers = self.plan.powers
        x, y = self._wide(a, 0, powers.a), self._wide(b, 1, powers.b)
        aa, bb = self._sum(x, x), self._sum(y, y)
        if not np.isfinite(aa + bb):
            self._odd_block(a, b)
            return
        if any(powers):
            self.sums.add(a.size, self._sum(x, y), aa, bb, self._scaled(a, b))
            self._ulps(a, b)
            return
        ab = None if _DERIVED * aa > bb and _DERIVED * bb > aa else self._sum(x, y)
        np.subtract(y, x, out=y)
        squares = np.multiply(y, y, out=self._buffers[2][: a.size])
        largest = float(squares.max())
        dd = 0.0
        if largest > 0:
            if largest > self.top.threshold:
                self.top.take(squares, a, b, self._at)
            dd = self._errors(squares, largest)
        self.sums.add(a.size, (aa + bb - dd) / 2 if ab is None else ab, aa, bb, dd)
        self._ulps(a, b)
        self._tolerance(x, y, largest)

    def _scaled(self, a: Array, b: Array) -> float:
        """What is decided of each element, by its own values; ΣΔ², scaled."""
        x, y = self._wide(a, 0), self._wide(b, 1)
        apart = y - x
        self.sums.exceeding += count_beyond(x, y, apart, self.plan.tolerance)
        self.top.take(np.abs(apart), a, b, self._at)
        squares = scaled_apart(x, y, apart, self.plan.powers.apart) ** 2
        return self._errors(squares, float(squares.max()))

    def _errors(self, squares: Array, largest: float) -> float:
        """Where the error is; how much, squared."""
        if largest > self.largest.threshold:
            mask = np.greater(squares, self.largest.threshold, out=self._mask[: squares.size])
            self.largest.take(squares[mask])
        return float(np.add.reduce(squares)) if self.errors is None else self.errors.add(squares, self._at)

    def _tolerance(self, a: Array, apart: Array, largest: float) -> None:
        """Count what is beyond it; both arrays are overwritten."""
        rtol, atol = self.plan.tolerance
        if atol > _SQUARED and largest <= atol * atol * (1 - 1e-9):
            return
        np.abs(a, out=a)
        np.multiply(a, rtol, out=a)
        np.add(a, atol, out=a)
        np.abs(apart, out=apart)
        self.sums.exceeding += int(np.count_nonzero(np.greater(apart, a, out=self._mask[: a.size])))

    def _ulps(self, a: Array, b: Array) -> None:
        if not self.plan.ulps:
            return
        sums = self.sums
        apart, most = distances(a, b, self.plan.ulps, self._integers[: a.size])
        sums.ulp_max = max(sums.ulp_max, most)
        sums.ulp_differing += int(np.count_nonzero(apart))
        sums.ulp_over_one += int(np.count_nonzero(np.greater(apart, 1, out=self._mask[: apart.size])))

    def _odd_block(self, a: Array, b: Array) -> None:
        """Tell what is not finite on either side, then go on with 0 in its place on both."""
        finite_a, finite_b = np.isfinite(a), np.isfinite(b)
        nan_a, nan_b = np.isnan(a), np.isnan(b)
        alike = (finite_a & finite_b) | (nan_a & nan_b) | ((a == b) & ~finite_a)
        at, odd = np.flatnonzero(~alike), self.odd
        odd.nan_a, odd.nan_b = odd.nan_a + int(nan_a.sum()), odd.nan_b + int(nan_b.sum())
        odd.inf_a += int((~finite_a & ~nan_a).sum())
        odd.inf_b += int((~finite_b & ~nan_b).sum())
        odd.mismatched += at.size
        if at.size and odd.first is None:
            odd.first = (self._at + int(at[0]), float(a[at[0]]), float(b[at[0]]))
        both = finite_a & finite_b
        self.sums.finite -= a.size - int(both.sum())
        self._block(np.where(both, a, 0).astype(a.dtype), np.where(both, b, 0).astype(b.dtype))

    def _sum(self, a: Array, b: Array) -> float:
        """The sum of the products of both."""
        return float(np.add.reduce(np.multiply(a, b, out=self._buffers[2][: a.size])))

    def _wide(self, values: Array, buffer: int, power: int = 0) -> Array:
        """`values` as float64 times 2 to the `power`, in a buffer."""
        wide = self._buffers[buffer][: values.size]
        np.copyto(wide, values)
        if power:
            np.ldexp(wide, power, out=wide)
        return wide


def _same_bits(a: Array, b: Array) -> bool:
    """Whether both have the same bytes; a glance at the first settles most questions."""
    if a.dtype != b.dtype or a[:_GLANCE].tobytes() != b[:_GLANCE].tobytes():
        return False
    one, other = (np.ascontiguousarray(side).view(f"u{a.itemsize}") for side in (a, b))
    return bool((one == other).all())
