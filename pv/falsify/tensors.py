"""Tensors for cases: half of them sparse (a fill and a few values, which shrink to something a person can read), half
dense (uniform or normal from a seed, which reaches what few values cannot).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from hypothesis import strategies as st

from pv.contract.model import ValueSpec

if TYPE_CHECKING:
    from pv.falsify.cases import Drawn

ORDINARY = 10.0
Tensors = st.SearchStrategy[torch.Tensor]


def ordinary(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """Magnitudes up to `ORDINARY`, within the range; integers anywhere in it."""
    return _over_dtypes(spec, drawn, lambda dtype: _filled(spec, drawn, dtype, *_within(spec, drawn, dtype, ORDINARY)))


def is_ordinary(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Finite, of magnitude at most `ORDINARY` (integers: always)."""
    return not value.is_floating_point() or spec.normal is not None or _largest(value) <= ORDINARY


def huge(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """At least one magnitude in the upper half of the range, or of the dtype where the range is open."""

    def of(dtype: torch.dtype) -> Tensors:
        low, high = _within(spec, drawn, dtype, math.inf)
        top = high if high >= -low else low
        return st.builds(_put, _filled(spec, drawn, dtype, low, high), _indices(), _floats(top / 2, top, dtype))

    return _over_dtypes(spec, drawn, of)


def is_huge(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some magnitude is at least half of the largest the range admits."""
    ends = [abs(float(end)) for end in (spec.range.min, spec.range.max) if end is not None]
    limit = min(max(ends, default=math.inf), torch.finfo(value.dtype).max)
    return _largest(value) >= limit / 2 * (1 - 2**-7)  # room for the rounding of a narrow dtype


def denormal(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """Zeros and values below the smallest normal number, at least one of them not zero."""

    def of(dtype: torch.dtype) -> Tensors:
        info = torch.finfo(dtype)
        tiny, smallest = info.tiny / 2, info.smallest_normal * info.eps
        low = -tiny if (spec.range.min is None or spec.range.min < 0) else 0.0
        filled = _filled(spec, drawn, dtype, low, tiny)
        return st.builds(_put, filled, _indices(), st.floats(smallest, tiny).map(lambda x: max(x, smallest)))

    return _over_dtypes(spec, drawn, of)


def is_denormal(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is not zero and below the smallest normal number."""
    magnitude = value.abs()
    return bool(((magnitude > 0) & (magnitude < torch.finfo(value.dtype).smallest_normal)).any())


def zeros(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """Nothing but zeros."""
    return _over_dtypes(spec, drawn, lambda dtype: st.just(torch.zeros(drawn.shape(spec), dtype=dtype)))


def is_zeros(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Every value is zero."""
    return not bool(value.any())


def ties(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """Equal neighbours along the last axis: the first value of every row stands there twice."""
    tied = ordinary(spec, drawn).map(_tie)
    return tied.map(_to_simplex) if spec.constraint == "simplex" else tied


def has_ties(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some row holds a value twice."""
    if not value.dim() or value.shape[-1] < 2:
        return False
    ordered = value.sort(-1).values
    return bool((ordered[..., 1:] == ordered[..., :-1]).any())


def edges(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """An end of the range stands somewhere; under `constraint: simplex`, one entry has it all."""

    def of(dtype: torch.dtype) -> Tensors:
        low, high = _within(spec, drawn, dtype, math.inf)
        if spec.constraint == "simplex":
            return st.builds(_all_in_one, st.just((drawn.shape(spec), dtype)), _indices())
        return st.builds(_put, _filled(spec, drawn, dtype, low, high), _indices(), st.sampled_from([low, high]))

    return _over_dtypes(spec, drawn, of)


def has_edges(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is the smallest or largest admitted (of a bound that is named, the largest is not known here)."""
    if not value.numel():
        return False
    named = isinstance(spec.range.below, str)
    ends = [end for end in (spec.range.min, spec.range.max) if end is not None]
    if isinstance(spec.range.below, int):
        ends.append(spec.range.below - 1)
    return named or any(bool((value == end).any()) for end in ends)


def one_sided(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """No value is positive."""
    return ordinary(spec, drawn).map(lambda value: -value.abs())


def is_one_sided(value: torch.Tensor, spec: ValueSpec) -> bool:
    """All values are at most zero."""
    return bool((value <= 0).all())


def with_nan(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """An ordinary tensor with NaN somewhere."""
    return st.builds(_put, ordinary(spec, drawn), _indices(), st.just(math.nan))


def has_nan(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is NaN."""
    return bool(value.isnan().any())


def with_infinity(spec: ValueSpec, drawn: Drawn) -> Tensors:
    """An ordinary tensor with an infinity somewhere."""
    return st.builds(_put, ordinary(spec, drawn), _indices(), st.sampled_from([math.inf, -math.inf]))


def has_infinity(value: torch.Tensor, spec: ValueSpec) -> bool:
    """Some value is infinite."""
    return bool(value.isinf().any())


def _over_dtypes(spec: ValueSpec, drawn: Drawn, of: Any) -> Tensors:
    return st.sampled_from(drawn.dtypes(spec)).flatmap(lambda name: of(getattr(torch, name)))


def _within(spec: ValueSpec, drawn: Drawn, dtype: torch.dtype, reach: float) -> tuple[float, float]:
    """The smallest and largest value to draw: the range of `spec`, cut to ±`reach` and to what `dtype` holds."""
    low, high, below = drawn.bounds(spec)
    if not dtype.is_floating_point:
        info = torch.iinfo(dtype)
        top = high if high is not None else below - 1 if below is not None else info.max
        return (info.min if low is None else low), top
    limit = min(reach, torch.finfo(dtype).max)
    top = high if high is not None else below if below is not None else limit
    return max(-limit, -limit if low is None else low), min(limit, top)


def _filled(spec: ValueSpec, drawn: Drawn, dtype: torch.dtype, low: float, high: float) -> Tensors:
    shape = drawn.shape(spec)
    if not dtype.is_floating_point:
        values = st.lists(st.integers(int(low), int(high)), min_size=math.prod(shape), max_size=math.prod(shape))
        return values.map(lambda items: torch.tensor(items, dtype=dtype).reshape(shape))
    if spec.normal is not None:
        return st.integers(0, 2**32 - 1).map(lambda seed: _normal(seed, shape, dtype, spec.normal or 0.0))
    element = _floats(low, high, dtype)
    few = st.lists(st.tuples(_indices(), element), max_size=8)
    sparse = st.builds(_sparse, st.just((shape, dtype)), element, few)
    dense = st.integers(0, 2**32 - 1).map(lambda seed: _uniform(seed, shape, dtype, low, high))
    filled = sparse | dense
    return filled.map(_to_simplex) if spec.constraint == "simplex" else filled


def _floats(low: float, high: float, dtype: torch.dtype) -> st.SearchStrategy[float]:
    low, high = min(low, high), max(low, high)
    if dtype is torch.float64:
        return st.floats(low, high)
    ends = torch.tensor([low, high], dtype=torch.float32).tolist()
    return st.floats(ends[0], ends[1], width=32)


def _indices() -> st.SearchStrategy[int]:
    return st.integers(0, 2**16)


def _put(value: torch.Tensor, index: int, element: float) -> torch.Tensor:
    flat = value.clone().reshape(-1)
    if flat.numel():
        flat[index % flat.numel()] = element
    return flat.reshape(value.shape)


def _sparse(like: tuple[tuple[int, ...], torch.dtype], fill: float, few: list[tuple[int, float]]) -> torch.Tensor:
    flat = torch.full((math.prod(like[0]),), fill, dtype=like[1])
    for index, element in few:
        if flat.numel():
            flat[index % flat.numel()] = element
    return flat.reshape(like[0])


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


def _all_in_one(like: tuple[tuple[int, ...], torch.dtype], index: int) -> torch.Tensor:
    value = torch.zeros(like[0], dtype=like[1])
    value[..., index % like[0][-1]] = 1.0
    return value


def _tie(value: torch.Tensor) -> torch.Tensor:
    tied = value.clone()
    if tied.dim() and tied.shape[-1] > 1:
        tied[..., -1] = tied[..., 0]
    return tied


def _largest(value: torch.Tensor) -> float:
    return float(value.abs().max()) if value.numel() else 0.0
