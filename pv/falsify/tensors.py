"""The strata of tensors: how a tensor of each is drawn, and whether one is in it."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from hypothesis import strategies as st
from torch import Tensor

from pv.contract.model import ValueSpec
from pv.falsify import fills
from pv.falsify.drawn import Drawn

ORDINARY = 10.0
Draw = st.DrawFn


def ordinary(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """Magnitudes up to `ORDINARY`, within the range; integers anywhere in it."""
    dtype = _dtype(draw, spec, drawn)
    return _filled(draw, spec, drawn, dtype, *_within(spec, drawn, dtype, ORDINARY))


def is_ordinary(value: Tensor, spec: ValueSpec) -> bool:
    """Finite, of magnitude at most `ORDINARY` where the range reaches that far down (integers: always)."""
    if not value.is_floating_point() or spec.normal is not None:
        return True
    return _largest(value) <= ORDINARY or (_is_beyond(spec) and bool(value.isfinite().all()))


def huge(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """At least one magnitude in the upper half of the range, or of the dtype where the range is open."""
    dtype = _dtype(draw, spec, drawn)
    low, high = _within(spec, drawn, dtype, math.inf)
    upper = (max(low, _half(high, dtype)), high) if high >= -low else (low, min(high, _half(low, dtype)))
    filled = _filled(draw, spec, drawn, dtype, low, high)
    return fills.put(draw, filled, draw(fills.numbers(*upper, dtype)))


def is_huge(value: Tensor, spec: ValueSpec) -> bool:
    """Some magnitude is at least half of the largest the range admits."""
    low, high = _cut(spec.range.min, spec.range.max, spec.range.below, value.dtype, math.inf)
    return _largest(value) >= max(-low, high) / 2 * (1 - 2**-7)  # room for the rounding of a narrow dtype


def denormal(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """Zeros and values below the smallest normal number, at least one of them not zero."""
    dtype = _dtype(draw, spec, drawn)
    if not dtype.is_floating_point:
        return _impossible(draw)
    info = torch.finfo(dtype)
    tiny, smallest = info.tiny / 2, info.smallest_normal * info.eps
    low, high = _within(spec, drawn, dtype, tiny)
    if not low <= 0 <= high or high - low < smallest:
        return _impossible(draw)
    element = draw(st.floats(smallest, high) if high >= smallest else st.floats(low, -smallest))
    return fills.put(draw, _filled(draw, spec, drawn, dtype, low, high), element)


def is_denormal(value: Tensor, spec: ValueSpec) -> bool:
    """Some value is not zero and below the smallest normal number."""
    magnitude = value.abs()
    return bool(((magnitude > 0) & (magnitude < torch.finfo(value.dtype).smallest_normal)).any())


def zeros(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """Nothing but zeros."""
    dtype = _dtype(draw, spec, drawn)
    low, high = _within(spec, drawn, dtype, math.inf)
    return torch.zeros(drawn.shape(spec), dtype=dtype) if low <= 0 <= high else _impossible(draw)


def is_zeros(value: Tensor, spec: ValueSpec) -> bool:
    """Every value is zero."""
    return not bool(value.any())


def ties(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """The first value of every row, or its largest, stands at its end too."""
    shape = drawn.shape(spec)
    if not shape or shape[-1] < 2:
        return ordinary(draw, spec, drawn)
    dtype = _dtype(draw, spec, drawn)
    ends = _within(spec, drawn, dtype, ORDINARY)
    others = _filled(draw, spec, drawn, dtype, *ends, shape=(*shape[:-1], shape[-1] - 1))
    again = others.amax(-1, keepdim=True) if others.numel() and draw(st.booleans()) else others[..., :1]
    tied = torch.cat([others, again], -1)
    return _to_simplex(tied) if spec.constraint == "simplex" else tied


def has_ties(value: Tensor, spec: ValueSpec) -> bool:
    """Some row holds a value twice."""
    if not value.dim() or value.shape[-1] < 2:
        return False
    ordered = value.sort(-1).values
    return bool((ordered[..., 1:] == ordered[..., :-1]).any())


def edges(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """An end of the range stands somewhere; under `constraint: simplex`, one entry has it all."""
    dtype = _dtype(draw, spec, drawn)
    if spec.constraint == "simplex":
        value = torch.zeros(drawn.shape(spec), dtype=dtype)
        value[..., draw(st.integers(0, value.shape[-1] - 1))] = 1.0
        return value
    low, high = _within(spec, drawn, dtype, math.inf)
    return fills.put(draw, _filled(draw, spec, drawn, dtype, low, high), draw(st.sampled_from([low, high])))


def has_edges(value: Tensor, spec: ValueSpec) -> bool:
    """Some value is the smallest or largest admitted."""
    if not value.numel():
        return False
    if spec.constraint == "simplex":
        return bool((value == 1).any())
    low, high = _cut(spec.range.min, spec.range.max, spec.range.below, value.dtype, math.inf)
    ends = [low] if spec.range.min is not None else []
    ends += [high] if (spec.range.max, spec.range.below) != (None, None) else []
    return any(bool((value == end).any()) for end in ends)


def one_sided(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """No value is positive."""
    dtype = _dtype(draw, spec, drawn)
    low, high = _within(spec, drawn, dtype, ORDINARY)
    return _filled(draw, spec, drawn, dtype, low, min(high, 0.0)) if low <= 0 else _impossible(draw)


def is_one_sided(value: Tensor, spec: ValueSpec) -> bool:
    """All values are at most zero."""
    return bool((value <= 0).all())


def with_nan(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """An ordinary tensor with NaN somewhere, in a row, or everywhere."""
    return _with(draw, ordinary(draw, spec, drawn), math.nan)


def has_nan(value: Tensor, spec: ValueSpec) -> bool:
    """Some value is NaN."""
    return bool(value.isnan().any())


def with_infinity(draw: Draw, spec: ValueSpec, drawn: Drawn) -> Tensor:
    """An ordinary tensor with an infinity somewhere, in a row, or everywhere."""
    return _with(draw, ordinary(draw, spec, drawn), draw(st.sampled_from([math.inf, -math.inf])))


def has_infinity(value: Tensor, spec: ValueSpec) -> bool:
    """Some value is infinite."""
    return bool(value.isinf().any())


def _impossible(draw: Draw) -> Tensor:
    """The range has no such value: the case is given up, and the stratum not measured."""
    nothing: st.SearchStrategy[Tensor] = st.nothing()
    return draw(nothing)


def _with(draw: Draw, value: Tensor, element: float) -> Tensor:
    if not value.is_floating_point():
        return _impossible(draw)
    if not value.numel() or draw(st.integers(0, 2)) == 0:
        return fills.put(draw, value, element)
    if not value.dim() or draw(st.booleans()):
        return torch.full_like(value, element)
    rows = value.clone().reshape(-1, value.shape[-1])
    rows[draw(st.integers(0, len(rows) - 1))] = element
    return rows.reshape(value.shape)


def _dtype(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.dtype:
    names = drawn.dtypes(spec)
    dtype: torch.dtype = getattr(torch, names[0] if len(names) == 1 else draw(st.sampled_from(names)))
    return dtype


def _within(spec: ValueSpec, drawn: Drawn, dtype: torch.dtype, reach: float) -> tuple[float, float]:
    """The smallest and largest value to draw: the range of `spec`, cut to ±`reach` and to what `dtype` holds."""
    return _cut(*drawn.bounds(spec), dtype, reach)


@lru_cache(1024)
def _cut(
    low: float | None, high: float | None, below: float | None, dtype: torch.dtype, reach: float
) -> tuple[float, float]:
    """Both ends are values of `dtype` inside the range; where ±`reach` and the range do not meet, the range counts."""
    if not dtype.is_floating_point:
        least, most = (0, 1) if dtype is torch.bool else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
        last = most if below is None else math.ceil(below) - 1
        return least if low is None else max(least, low), min(most, last) if high is None else min(most, last, high)
    limit = torch.finfo(dtype).max
    bottom = -limit if low is None else -_under(-low, dtype)
    under = limit if below is None else _under(below, dtype, strict=True)
    top = min(limit, under) if high is None else min(limit, under, _under(high, dtype))
    near, far = max(bottom, -reach), min(top, reach)
    return (near, far) if near <= far else (bottom, top)


def _under(bound: float, dtype: torch.dtype, *, strict: bool = False) -> float:
    """The largest value of `dtype` that is at most `bound`, or below it."""
    nearest, down = torch.tensor(float(bound), dtype=dtype), torch.tensor(-math.inf, dtype=dtype)
    while nearest.item() > bound or (strict and nearest.item() == bound):
        nearest = torch.nextafter(nearest, down)
    return float(nearest)


def _half(end: float, dtype: torch.dtype) -> float:
    return _under(end / 2, dtype) if dtype.is_floating_point else end // 2


def _is_beyond(spec: ValueSpec) -> bool:
    """Whether the range begins above `ORDINARY`, or ends below its negative."""
    ends = [end for end in (spec.range.max, spec.range.below) if end is not None and not isinstance(end, str)]
    return (spec.range.min is not None and spec.range.min > ORDINARY) or min(ends, default=0.0) < -ORDINARY


def _filled(
    draw: Draw,
    spec: ValueSpec,
    drawn: Drawn,
    dtype: torch.dtype,
    low: float,
    high: float,
    shape: tuple[int, ...] | None = None,
) -> Tensor:
    shape = drawn.shape(spec) if shape is None else shape
    if not dtype.is_floating_point:
        least, most = math.ceil(low), math.floor(high)
        return (
            fills.integers(draw, shape, dtype, least, most, dense=drawn.dense) if least <= most else _impossible(draw)
        )
    if spec.normal is not None:
        return fills.normal(draw, shape, dtype, spec.normal)
    if spec.constraint != "simplex":
        return fills.floats(draw, shape, dtype, low, high, dense=drawn.dense)
    if drawn.dense and 0 not in shape and draw(st.booleans()):
        return fills.halves(draw, shape, dtype)
    return _to_simplex(fills.floats(draw, shape, dtype, low, high, dense=drawn.dense))


def _to_simplex(value: Tensor) -> Tensor:
    weights = value.to(torch.float64).abs()
    weights[..., 0] += (weights.sum(-1) == 0).to(torch.float64)
    return (weights / weights.sum(-1, keepdim=True)).to(value.dtype)


def _largest(value: Tensor) -> float:
    return float(value.detach().to(torch.float64).abs().max()) if value.numel() else 0.0
