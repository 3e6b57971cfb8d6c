"""Tensors for cases: half of them sparse (a fill and a few values, which shrink to something a person can read), half
dense (uniform or normal from a seed, which reaches what few values cannot).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from hypothesis import strategies as st

from pv.contract.model import ValueSpec

if TYPE_CHECKING:
    from pv.falsify.cases import Drawn

ORDINARY = 10.0
Draw = st.DrawFn
_INDICES = st.integers(0, 2**16)
_SEEDS = st.integers(0, 2**32 - 1)


def ordinary(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """Magnitudes up to `ORDINARY`, within the range; integers anywhere in it."""
    dtype = _dtype(draw, spec, drawn)
    return _filled(draw, spec, drawn, dtype, *_within(spec, drawn, dtype, ORDINARY))


def is_ordinary(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Finite, of magnitude at most `ORDINARY` where the range reaches that far down (integers: always)."""
    if not value.is_floating_point() or spec.normal is not None:
        return True
    return _largest(value) <= ORDINARY or (_is_beyond(spec) and bool(value.isfinite().all()))


def huge(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """At least one magnitude in the upper half of the range, or of the dtype where the range is open."""
    dtype = _dtype(draw, spec, drawn)
    low, high = _within(spec, drawn, dtype, math.inf)
    upper = (max(low, _under(high / 2, dtype)), high) if high >= -low else (low, min(high, _under(low / 2, dtype)))
    filled = _filled(draw, spec, drawn, dtype, low, high)
    return _put(filled, draw(_INDICES), draw(_floats(*upper, dtype)))


def is_huge(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some magnitude is at least half of the largest the range admits."""
    ends = [abs(float(end)) for end in (spec.range.min, spec.range.max) if end is not None]
    limit = min(max(ends, default=math.inf), torch.finfo(value.dtype).max)
    return _largest(value) >= limit / 2 * (1 - 2**-7)  # room for the rounding of a narrow dtype


def denormal(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """Zeros and values below the smallest normal number, at least one of them not zero."""
    dtype = _dtype(draw, spec, drawn)
    info = torch.finfo(dtype)
    tiny, smallest = info.tiny / 2, info.smallest_normal * info.eps
    low, high = _within(spec, drawn, dtype, tiny)
    if not low <= 0 <= high or high - low < smallest:
        return _impossible(draw)
    element = draw(st.floats(smallest, high) if high >= smallest else st.floats(low, -smallest))
    return _put(_filled(draw, spec, drawn, dtype, low, high), draw(_INDICES), element)


def is_denormal(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is not zero and below the smallest normal number."""
    magnitude = value.abs()
    return bool(((magnitude > 0) & (magnitude < torch.finfo(value.dtype).smallest_normal)).any())


def zeros(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """Nothing but zeros."""
    dtype = _dtype(draw, spec, drawn)
    low, high = _within(spec, drawn, dtype, math.inf)
    return torch.zeros(drawn.shape(spec), dtype=dtype) if low <= 0 <= high else _impossible(draw)


def is_zeros(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Every value is zero."""
    return not bool(value.any())


def ties(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """The first value of every row stands at its end too."""
    tied = ordinary(draw, spec, drawn).clone()
    if tied.dim() and tied.shape[-1] > 1:
        tied[..., -1] = tied[..., 0]
    return _to_simplex(tied) if spec.constraint == "simplex" else tied


def has_ties(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some row holds a value twice."""
    if not value.dim() or value.shape[-1] < 2:
        return False
    ordered = value.sort(-1).values
    return bool((ordered[..., 1:] == ordered[..., :-1]).any())


def edges(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """An end of the range stands somewhere; under `constraint: simplex`, one entry has it all."""
    dtype = _dtype(draw, spec, drawn)
    if spec.constraint == "simplex":
        value = torch.zeros(drawn.shape(spec), dtype=dtype)
        value[..., draw(_INDICES) % value.shape[-1]] = 1.0
        return value
    low, high = _within(spec, drawn, dtype, math.inf)
    return _put(_filled(draw, spec, drawn, dtype, low, high), draw(_INDICES), draw(st.sampled_from([low, high])))


def has_edges(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is the smallest or largest admitted."""
    if not value.numel():
        return False
    if spec.constraint == "simplex":
        return bool((value == 1).any())
    low, high = _cut(spec.range.min, spec.range.max, spec.range.below, value.dtype, math.inf)
    ends = [low] if spec.range.min is not None else []
    ends += [high] if (spec.range.max, spec.range.below) != (None, None) else []
    return any(bool((value == end).any()) for end in ends)


def one_sided(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """No value is positive."""
    dtype = _dtype(draw, spec, drawn)
    low, high = _within(spec, drawn, dtype, ORDINARY)
    return _filled(draw, spec, drawn, dtype, low, min(high, 0.0)) if low <= 0 else _impossible(draw)


def is_one_sided(value: torch.Tensor, spec: ValueSpec) -> bool:
    """All values are at most zero."""
    return bool((value <= 0).all())


def with_nan(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """An ordinary tensor with NaN somewhere."""
    return _put(ordinary(draw, spec, drawn), draw(_INDICES), math.nan)


def has_nan(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is NaN."""
    return bool(value.isnan().any())


def with_infinity(draw: Draw, spec: ValueSpec, drawn: Drawn) -> torch.Tensor:
    """An ordinary tensor with an infinity somewhere."""
    return _put(ordinary(draw, spec, drawn), draw(_INDICES), draw(st.sampled_from([math.inf, -math.inf])))


def has_infinity(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is infinite."""
    return bool(value.isinf().any())


def _impossible(draw: Draw) -> torch.Tensor:
    """The range has no such value: the case is given up, and the stratum not measured."""
    nothing: st.SearchStrategy[torch.Tensor] = st.nothing()
    return draw(nothing)


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


def _is_beyond(spec: ValueSpec) -> bool:
    """Whether the range begins above `ORDINARY`, or ends below its negative."""
    ends = [end for end in (spec.range.max, spec.range.below) if end is not None and not isinstance(end, str)]
    return (spec.range.min is not None and spec.range.min > ORDINARY) or min(ends, default=0.0) < -ORDINARY


def _filled(draw: Draw, spec: ValueSpec, drawn: Drawn, dtype: torch.dtype, low: float, high: float) -> torch.Tensor:
    shape = drawn.shape(spec)
    if not dtype.is_floating_point:
        count, element = math.prod(shape), st.integers(math.ceil(low), math.floor(high))
        items = draw(st.lists(element, min_size=count, max_size=count))
        return torch.tensor(items, dtype=dtype).reshape(shape)
    if spec.normal is not None:
        return _normal(draw(_SEEDS), shape, dtype, spec.normal)
    if drawn.dense and draw(st.booleans()):
        value = _uniform(draw(_SEEDS), shape, dtype, low, high)
    else:
        real = _floats(low, high, dtype)
        value = _sparse(shape, dtype, draw(real), draw(st.lists(st.tuples(_INDICES, real), max_size=8)))
    return _to_simplex(value) if spec.constraint == "simplex" else value


def _floats(low: float, high: float, dtype: torch.dtype) -> st.SearchStrategy[float]:
    """Numbers from `low` to `high`, both values of `dtype`: rounding to it leads across neither."""
    return st.floats(low, high, width=64 if dtype is torch.float64 else 32)


def _put(value: torch.Tensor, index: int, element: float) -> torch.Tensor:
    flat = value.clone().reshape(-1)
    if flat.numel():
        flat[index % flat.numel()] = element
    return flat.reshape(value.shape)


def _sparse(shape: tuple[int, ...], dtype: torch.dtype, fill: float, few: list[tuple[int, float]]) -> torch.Tensor:
    flat = torch.full((math.prod(shape),), fill, dtype=dtype)
    for index, element in few:
        if flat.numel():
            flat[index % flat.numel()] = element
    return flat.reshape(shape)


def _uniform(seed: int, shape: tuple[int, ...], dtype: torch.dtype, low: float, high: float) -> torch.Tensor:
    unit = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (low * (1 - unit) + high * unit).to(dtype)  # written so that high − low cannot overflow


def _normal(seed: int, shape: tuple[int, ...], dtype: torch.dtype, deviation: float) -> torch.Tensor:
    return (
        torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).mul(deviation).to(dtype)
    )


def _to_simplex(value: torch.Tensor) -> torch.Tensor:
    weights = value.to(torch.float64).abs()
    weights[..., 0] += (weights.sum(-1) == 0).to(torch.float64)
    return (weights / weights.sum(-1, keepdim=True)).to(value.dtype)


def _largest(value: torch.Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0
