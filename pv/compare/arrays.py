"""Two tensors compared in one pass over both, in little memory, by several threads or processes."""

from __future__ import annotations

import math
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

from numpy.typing import NDArray

from pv.checkpoints.values import PIECE
from pv.compare.axes import Split, locate, names_of, slices, split_of
from pv.compare.exact import compare_exactly
from pv.compare.lane import BLOCK, Lane, Plan
from pv.compare.largest import Largest, total
from pv.compare.marginals import Marginals
from pv.compare.powers import powers_of, unscaled
from pv.compare.result import Agreement, Comparison, Element, NonFinite, Ulps, Worst
from pv.compare.source import Values, of_array
from pv.compare.tolerance import Tolerance, tolerance_of
from pv.workers import Wire, spread, worker_count

Array = NDArray[Any]
Told = Callable[[int], None]
"""Is told how many elements were compared since it was told before."""

TOP = 10
CONCENTRATED = 0.001  # of the elements, whose share of the squared error is told
_LANES = 4  # whatever the machine: the order of summation is part of the result
_FORKED = 2**24  # elements, which take 67 ms by two processes and 78 by two threads; 2²² take 32 and 29
_ULPS = ("float16", "bfloat16", "float32", "float64")
_COARSENESS = {"float64": 0, "float32": 1, "float16": 2, "bfloat16": 3}


def compare_arrays(
    a: Array, b: Array, *, axes: Sequence[str] = (), dtype: str = "", tolerance: Tolerance | None = None, top: int = TOP
) -> Comparison:
    """`b` held against the reference `a`, numpy arrays of one shape with the axes `axes` (letters, outermost first).

    `dtype` is what their values are numbers of, where that is not the arrays' own: "bfloat16". Without a `tolerance` the
    looser of both dtypes' counts. Raises ValueError for two shapes.
    """
    return compare(of_array(a, dtype), of_array(b, dtype), axes=axes, tolerance=tolerance, top=top)


def compare(
    a: Values, b: Values, *, axes: Sequence[str] = (), tolerance: Tolerance | None = None, top: int = TOP,
    exactly: bool = False, told: Told = lambda count: None,
) -> Comparison:  # fmt: skip
    """As `compare_arrays`, of values wherever they lie; `exactly` where they are indices, whatever dtype they have.

    Raises PvError (`Exit.RUN`) where a side cannot be decoded.
    """
    if a.shape != b.shape:
        raise ValueError(f"{list(a.shape)} and {list(b.shape)} cannot be compared element by element")
    if exactly or (a.whole and b.whole):
        return compare_exactly(a, b, names_of(axes, a.shape), top, told)
    count, tolerance = math.prod(a.shape), tolerance or tolerance_of(a.dtype, b.dtype)
    coarser = max((a.dtype, b.dtype), key=lambda dtype: _COARSENESS.get(dtype, -1))
    plan = Plan(
        tolerance, max(1, top), max(1, int(count * CONCENTRATED)), split_of(axes, a.shape),
        coarser if {a.dtype, b.dtype} <= set(_ULPS) else "", powers_of(a, b),
    )  # fmt: skip
    return _comparison(a, b, axes, plan, top, *_joined(a, b, plan, count, told))


def _joined(a: Values, b: Values, plan: Plan, count: int, told: Told) -> tuple[Lane, float]:
    """All lanes as one, and the sum of the largest squared errors.

    They are joined in the order of the elements, however many there are to do the work.
    """
    size = max(PIECE, -(-count // (_LANES * PIECE)) * PIECE)
    bounds = [(start, min(start + size, count)) for start in range(0, count, size)] or [(0, 0)]
    forks = _may_fork(count)
    workers = worker_count(len(bounds)) if forks else min(len(bounds), os.cpu_count() or 1)
    shares = [bounds[share::workers] for share in range(workers)]

    def work(share: Sequence[tuple[int, int]], told: Told = told) -> tuple[list[Lane], Array]:
        largest = Largest(plan.worst, BLOCK)
        lanes = []
        for bound in share:
            lane = Lane(plan, largest, *bound)
            for one, other in zip(a.pieces(*bound), b.pieces(*bound), strict=True):
                lane.take(one, other)
                told(one.size)
            lanes.append(lane.close())
        return lanes, largest.kept()

    if forks:
        wire = Wire(pickle.dumps, pickle.loads)  # from processes that were forked here
        done = spread(shares, lambda share: work(share, lambda count: None), workers, wire)
        told(count)
    elif workers == 1:
        done = [work(bounds)]
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(work, shares))
    lanes = (done[index % workers][0][index // workers] for index in range(len(bounds)))
    return reduce(Lane.join, lanes), total(plan.worst, [kept for _, kept in done])


def _may_fork(count: int) -> bool:
    """Whether processes compare `count` elements: threads spend a quarter of their time waiting for Python's lock.

    Not where there are threads of Python, torch's, or those of the BLAS of macOS: a forked process would be without them. A
    bar that shows progress is such a thread, and sees threads at work.
    """
    alone = sys.platform == "linux" and threading.active_count() == 1 and "torch" not in sys.modules
    return alone and count >= _FORKED


def _comparison(
    a: Values, b: Values, axes: Sequence[str], plan: Plan, wanted: int, lane: Lane, most: float
) -> Comparison:
    sums, odd, powers, names = lane.sums, lane.odd, plan.powers, names_of(axes, a.shape)

    def element(index: int, one: float, other: float) -> Element:
        return Element(index, locate(index, names, a.shape), one, other)

    top = tuple(element(int(at), float(x), float(y)) for at, x, y in zip(
        lane.top.indices, lane.top.a, lane.top.b, strict=True))  # fmt: skip
    exceeding = sums.exceeding + odd.mismatched
    identical = sums.same_bits and not odd.mismatched and a.dtype == b.dtype
    return Comparison(
        shape=a.shape,
        count=math.prod(a.shape),
        finite=sums.finite,
        agreement=Agreement.DIFFERS if exceeding else Agreement.IDENTICAL if identical else Agreement.WITHIN,
        tolerance=plan.tolerance,
        exceeding=exceeding,
        max=top[0] if top else None,
        rms=unscaled(math.sqrt(sums.dd / sums.finite), powers.apart) if sums.finite else None,
        relative_l2=unscaled(_ratio(sums.dd, sums.aa), powers.apart - powers.a),
        cosine=_cosine(sums.ab, sums.aa, sums.bb) if sums.finite else None,
        ulps=Ulps(plan.ulps, sums.ulp_max, sums.ulp_differing, sums.ulp_over_one) if plan.ulps else None,
        worst=tuple(_worst(a, names, axes, plan, lane)),
        top=top[:wanted],
        concentration=min(1.0, most / sums.dd) if sums.dd else None,
        nonfinite=NonFinite(odd.nan_a, odd.nan_b, odd.inf_a, odd.inf_b, odd.mismatched,
                            element(*odd.first) if odd.first else None),
        rounded=lane.rounding.found() if sums.dd else "",
    )  # fmt: skip


def _ratio(part: float, whole: float) -> float:
    """√(part / whole); 0 of nothing, and infinite where there is nothing to relate an error to."""
    return math.sqrt(part / whole) if whole else math.inf if part else 0.0


def _cosine(ab: float, aa: float, bb: float) -> float:
    """That of two vectors; 1 where both are 0, 0 where one is."""
    if not (aa and bb):
        return 1.0 if aa == bb else 0.0
    return max(-1.0, min(1.0, ab / math.sqrt(aa * bb)))


def _worst(a: Values, names: Sequence[str], axes: Sequence[str], plan: Plan, lane: Lane) -> Iterator[Worst]:
    split, errors = plan.split, lane.errors
    if split is None or errors is None or not lane.sums.dd:
        return
    for kept in slices(axes, a.shape, split):
        error = _along(errors, kept, a.shape, split)
        at = int(error.argmax())
        sizes = [a.shape[axis] for axis in kept]
        yield Worst(
            locate(at, [names[axis] for axis in kept], sizes),
            unscaled(math.sqrt(error[at] * math.prod(sizes) / math.prod(a.shape)), plan.powers.apart),
            float(error[at]) / lane.sums.dd,
        )


def _along(sums: Marginals, kept: tuple[int, ...], shape: tuple[int, ...], split: Split) -> Array:
    """The sums over all axes but those that are `kept`, which are all rows or all columns."""
    rows = kept[0] < split.leading
    table = sums.rows.reshape(shape[: split.leading]) if rows else sums.columns.reshape(shape[split.leading :])
    first = 0 if rows else split.leading
    others = tuple(axis for axis in range(table.ndim) if axis + first not in kept)
    sums_kept: Array = table.sum(axis=others)
    return sums_kept.reshape(-1)
