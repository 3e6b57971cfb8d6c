"""Statistics of one tensor in float64, a piece at a time, so that a file of any size takes little memory."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

from pv.checkpoints.model import TensorEntry
from pv.checkpoints.values import PIECE, pieces
from pv.finding import PvError

_ROW = 1024  # elements whose squares are summed at once; the sums of rows are then summed pairwise
_CANCELLING = 1e3  # how much larger than the variance the mean square may be: it costs three of sixteen digits


@dataclass(frozen=True, slots=True)
class Statistics:
    """`nan` and `inf` are counted and left out of all the rest; `std` is of the whole, not of a sample.

    Of a tensor without a finite value, mean, std, min, max and max_abs are NaN, and l2 is 0.
    """

    count: int
    mean: float
    std: float
    min: float
    max: float
    max_abs: float
    l2: float
    nan: int
    inf: int
    zero: int


class _Part(NamedTuple):
    """Of some finite values: how many, their mean, and the sum of squares of their distances from it."""

    size: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    zero: int = 0
    nan: int = 0
    inf: int = 0


def statistics(entry: TensorEntry) -> Statistics:
    """Of all values of `entry`. Raises PvError: `Exit.RUN` where a library is missing, or nothing decodes its dtype;
    `Exit.ASK` where its file is not as it was when its header was read."""
    try:
        scale = _scale(entry) if entry.dtype == "F64" else 1.0
        whole = reduce(_joined, _parts(entry, scale), _Part())
    except (OSError, ValueError) as error:
        raise PvError(
            f"{entry.file}: the values of {entry.name!r} cannot be read: {error}",
            hint="it may be cut off: fetch it again",
        ) from error
    return _statistics(whole, scale)


def _parts(entry: TensorEntry, scale: float) -> Iterator[_Part]:
    """In the order of the file, however many threads there are: numpy lets go of the interpreter while it works."""
    arrays = pieces(entry)
    workers = min(4, os.cpu_count() or 1)
    if entry.count <= PIECE or workers == 1:
        yield from (_part(array, scale) for array in arrays)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[_Part]] = deque()
        for array in arrays:
            waiting.append(pool.submit(_part, array, scale))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        yield from (future.result() for future in waiting)


def _part(array: Any, scale: float) -> _Part:
    import numpy

    values = array.astype("<f4") if array.dtype == numpy.float16 else array  # which has no fast loops of its own
    low, high, nan, inf = float(values.min()), float(values.max()), 0, 0
    if not (math.isfinite(low) and math.isfinite(high)):
        nan, inf = int(numpy.isnan(values).sum()), int(numpy.isinf(values).sum())
        values = values[numpy.isfinite(values)]
        if not values.size:
            return _Part(nan=nan, inf=inf)
        low, high = float(values.min()), float(values.max())
    zero = int(numpy.count_nonzero(values == 0)) if low <= 0 <= high else 0
    wide = values.astype(numpy.float64)
    if scale != 1:
        wide *= scale
    mean = float(numpy.add.reduce(wide)) / wide.size
    squares = _sum_of_squares(wide)
    around = squares - wide.size * mean * mean
    if not squares <= _CANCELLING * around:
        wide -= mean
        around = _sum_of_squares(wide)
    return _Part(wide.size, mean, around, low, high, zero, nan, inf)


def _sum_of_squares(values: Any) -> float:
    """Row by row: a long product with itself would be spread over threads, which costs more than it takes."""
    import numpy

    whole = values.size - values.size % _ROW
    rows, rest = values[:whole].reshape(-1, _ROW), values[whole:]
    return float(numpy.vecdot(rows, rows).sum() + numpy.vecdot(rest, rest))


def _joined(one: _Part, other: _Part) -> _Part:
    """Both together (Chan, Golub and LeVeque 1979, equation 2.1)."""
    count = one.size + other.size
    share = other.size / count if count else 0.0
    distance = other.mean - one.mean
    return _Part(
        count,
        one.mean + distance * share,
        one.squares + other.squares + distance * distance * one.size * share,
        min(one.low, other.low),
        max(one.high, other.high),
        one.zero + other.zero,
        one.nan + other.nan,
        one.inf + other.inf,
    )


def _scale(entry: TensorEntry) -> float:
    """A power of two that brings values whose squares float64 does not hold to about 1; 1 where it holds them."""
    import numpy

    largest = 0.0
    for array in pieces(entry):
        finite = array[numpy.isfinite(array)]
        largest = max(largest, float(numpy.abs(finite).max())) if finite.size else largest
    return 1.0 if largest == 0 or 1e-100 < largest < 1e100 else math.ldexp(1.0, -max(-1000, math.frexp(largest)[1]))


def _statistics(whole: _Part, scale: float) -> Statistics:
    count = whole.size + whole.nan + whole.inf
    if not whole.size:
        none = math.nan
        return Statistics(count, none, none, none, none, none, 0.0, whole.nan, whole.inf, 0)
    mean_square = whole.squares / whole.size + whole.mean * whole.mean
    return Statistics(
        count,
        whole.mean / scale,
        math.sqrt(whole.squares / whole.size) / scale,
        whole.low,
        whole.high,
        max(abs(whole.low), abs(whole.high)),
        math.sqrt(whole.size * mean_square) / scale,
        whole.nan,
        whole.inf,
        whole.zero,
    )
