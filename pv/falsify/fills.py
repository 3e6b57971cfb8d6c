"""What a tensor is filled with: few values (which shrink to something a person can read), or a pattern made from a seed.

A pattern is a way to choose magnitudes and a way to arrange them in rows: what breaks a kernel is seldom a number alone, and
often its neighbours: one large entry in a row, rows of very different size, equal rows, a row of zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch import Generator, Tensor

Draw = st.DrawFn
SEEDS = st.integers(0, 2**32 - 1)
FEW = 4
"""Up to so many floats are drawn one by one, where `dense`.

Otherwise a tensor of any size is drawn in as many steps as it has different numbers: to Hypothesis a case of fewer steps is
the smaller one, and a large tensor of one number would be smaller than one of two elements.
"""
MANY = 64
"""The same of integers."""


def integers(draw: Draw, shape: tuple[int, ...], dtype: torch.dtype, low: int, high: int, *, dense: bool) -> Tensor:
    """Integers from `low` to `high`, or truth values."""
    count, element = math.prod(shape), st.integers(low, high)
    if count <= (MANY if dense else 0):
        return torch.tensor(draw(st.lists(element, min_size=count, max_size=count)), dtype=dtype).reshape(shape)
    if dense and draw(st.booleans()):
        few = high - low < 2**62  # as many as torch can draw among
        start, span = (low, high - low + 1) if few else (max(low, -(2**61)), 2**62)
        return (torch.randint(span, shape, generator=_generator(draw(SEEDS))) + start).to(dtype)
    return _sparse(draw, shape, dtype, element)


def floats(draw: Draw, shape: tuple[int, ...], dtype: torch.dtype, low: float, high: float, *, dense: bool) -> Tensor:
    """Numbers from `low` to `high`, both values of `dtype`; with `dense`, half of the tensors are patterns."""
    count, element = math.prod(shape), numbers(low, high, dtype)
    if dense and count > 1 and draw(st.booleans()):
        return _pattern(draw, shape, dtype, low, high)
    if count <= (FEW if dense else 0):
        return torch.tensor(draw(st.lists(element, min_size=count, max_size=count)), dtype=dtype).reshape(shape)
    return _sparse(draw, shape, dtype, element)


def normal(draw: Draw, shape: tuple[int, ...], dtype: torch.dtype, deviation: float) -> Tensor:
    """From N(0, deviation²), by a seed."""
    unit: Tensor = torch.randn(shape, generator=_generator(draw(SEEDS)), dtype=torch.float64)
    return (unit * deviation).to(dtype)


def halves(draw: Draw, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Rows of multiples of a power of two that sum to 1: so do their first few, without rounding."""
    parts = 2 ** draw(st.integers(0, 4))
    chosen = torch.randint(shape[-1], (*shape[:-1], parts), generator=_generator(draw(SEEDS)))
    each = torch.full(chosen.shape, 1 / parts, dtype=torch.float64)
    return torch.zeros(shape, dtype=torch.float64).scatter_add(-1, chosen, each).to(dtype)


def numbers(low: float, high: float, dtype: torch.dtype) -> st.SearchStrategy[float]:
    """Numbers from `low` to `high`, both values of `dtype`: rounding to it leads across neither."""
    if not dtype.is_floating_point:
        return st.integers(math.ceil(low), math.floor(high))
    return st.floats(low, high, width=64 if dtype is torch.float64 else 16 if dtype is torch.float16 else 32)


def put(draw: Draw, value: Tensor, element: float) -> Tensor:
    """`value` with `element` somewhere in it."""
    if not value.numel():
        return value
    flat = value.clone().reshape(-1)
    flat[draw(st.integers(0, flat.numel() - 1))] = element
    return flat.reshape(value.shape)


def _generator(seed: int) -> Generator:
    return Generator().manual_seed(seed)


def _sparse(
    draw: Draw, shape: tuple[int, ...], dtype: torch.dtype, element: st.SearchStrategy[int] | st.SearchStrategy[float]
) -> Tensor:
    """The same number everywhere but in a few places."""
    flat = torch.full((math.prod(shape),), draw(element), dtype=dtype)
    places = st.integers(0, flat.numel() - 1)
    for place, number in draw(st.lists(st.tuples(places, element), max_size=8)):
        flat[place] = number
    return flat.reshape(shape)


def _pattern(draw: Draw, shape: tuple[int, ...], dtype: torch.dtype, low: float, high: float) -> Tensor:
    magnitudes, arrange = draw(_MAGNITUDES), draw(_ARRANGEMENTS)
    generator = _generator(draw(SEEDS))
    value = magnitudes(shape, low, high, generator)
    if value.numel() and shape:
        value = arrange(value, min(max(0.0, low), high), generator)
    return value.to(dtype).clamp(low, high)


def _evenly(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    unit = torch.rand(shape, generator=generator, dtype=torch.float64)
    return low * (1 - unit) + high * unit  # written so that high − low cannot overflow


def _of_every_size(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Every power of two as often as another, down to 2⁻²⁴ of 1 (or of the largest, where that is less)."""
    most = max(abs(low), abs(high), 5e-324)
    least = max(low, -high, 0.0) or min(most, 1.0) * 2.0**-24
    bottom, top = math.log2(max(least, 5e-324)), math.log2(most)
    unit = torch.rand(shape, generator=generator, dtype=torch.float64)
    value = torch.exp2(bottom + (top - bottom) * unit)
    value = torch.where(torch.rand(shape, generator=generator) < 0.5, -value, value)
    return torch.where((value < low) | (value > high), -value, value)


def _coarse(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Small multiples of a power of two: sums without rounding, many zeros, many ties."""
    step = 2.0 ** float(torch.randint(-2, 3, (), generator=generator))
    return torch.randint(-4, 5, shape, generator=generator).to(torch.float64).mul(step).clamp(low, high)


def _as_it_is(value: Tensor, rest: float, generator: Generator) -> Tensor:
    return value


def _rows_of_every_size(value: Tensor, rest: float, generator: Generator) -> Tensor:
    powers = torch.rand(value.shape[:-1], generator=generator, dtype=torch.float64).mul(-20).exp2()
    return rest + (value - rest) * powers.unsqueeze(-1)


def _one_in_a_row(value: Tensor, rest: float, generator: Generator) -> Tensor:
    """One entry of every row, and the rest as small as may be."""
    chosen = torch.randint(value.shape[-1], (*value.shape[:-1], 1), generator=generator)
    return torch.full_like(value, rest).scatter(-1, chosen, value.gather(-1, chosen))


def _ordered(value: Tensor, rest: float, generator: Generator) -> Tensor:
    return value.sort(-1, descending=bool(torch.randint(2, (), generator=generator))).values


def _constant_rows(value: Tensor, rest: float, generator: Generator) -> Tensor:
    return value[..., :1].expand(value.shape)


def _equal_rows(value: Tensor, rest: float, generator: Generator) -> Tensor:
    return value[:1].expand(value.shape)


def _an_empty_row(value: Tensor, rest: float, generator: Generator) -> Tensor:
    """One row as small as may be among others."""
    value[int(torch.randint(value.shape[0], (), generator=generator))] = rest
    return value


def _zeros_of_both_signs(value: Tensor, rest: float, generator: Generator) -> Tensor:
    """Half of the entries are 0.0 or −0.0, where the range goes to both sides of it; else as it is."""
    if bool((value >= 0).all()) or bool((value <= 0).all()):
        return value
    return torch.where(torch.rand(value.shape, generator=generator) < 0.5, torch.zeros(()).copysign(value), value)


_MAGNITUDES: st.SearchStrategy[Callable[[tuple[int, ...], float, float, Generator], Tensor]]
_MAGNITUDES = st.sampled_from([_evenly, _of_every_size, _coarse])
_ARRANGEMENTS: st.SearchStrategy[Callable[[Tensor, float, Generator], Tensor]]
_ARRANGEMENTS = st.sampled_from([
    _as_it_is, _as_it_is, _rows_of_every_size, _one_in_a_row, _ordered, _constant_rows, _equal_rows, _an_empty_row,
    _zeros_of_both_signs,
])  # fmt: skip
