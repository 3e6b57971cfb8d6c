"""An error by row and by column: how far a tensor is from what it should be, and how that compares with noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pv.bisect.result import Ratios

ROW = "n"
"""The axis whose elements are rows: the tokens."""

ROUNDING = 0.2125
"""One rounding of normal data, as a relative L2 error in units of `torch.finfo(dtype).eps`: 1.66e-3 of bfloat16."""

ORACLE = 1e-13
"""What float64 itself may be wrong by, relative to all of a tensor: it has sums to do in some order too."""

DEVIATIONS = 4.0
"""A norm over m elements of noise strays by one part in √(2m); a row or column is allowed this many of it."""

TYPICAL = 0.9
"""The quantile of the rows (or columns) of a floor that is typical: none of them is taken to be below it."""

ALIKE = 3
"""How many powers of two larger than a column those may be that still are of its size."""

FEWEST = 8
"""How many columns it takes to say what is typical of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Norms (float64) of an error and of what was expected: whole, by row [n], and by column (all other axes, flat).

    `others` are the columns without the row of the largest error. An allowance is how much the noise of a row or column may
    be above what is usual for it, by chance. `worst` is the flat index of the largest error.
    """

    error: float
    scale: float
    rows: Tensor
    row_scale: Tensor
    columns: Tensor
    others: Tensor
    column_scale: Tensor
    row_allowance: Tensor
    column_allowance: Tensor
    worst: int

    @property
    def relative(self) -> float:
        """The relative L2 error of all of it."""
        return _over(self.error, self.scale)


def as_rows(values: Tensor, axes: Sequence[str]) -> Tensor:
    """`values` as [n, all else]; one row where there is no axis `n`."""
    if ROW not in axes or values.ndim != len(axes):
        return values.reshape(1, -1)
    return values.movedim(axes.index(ROW), 0).reshape(values.shape[axes.index(ROW)], -1)


def spread(got: Tensor, expected: Tensor, axes: Sequence[str]) -> Spread:
    """How far `got` is from `expected` (float64, of the same shape).

    An element that is not finite where it should be, or otherwise than it should be, is infinitely far.
    `worst` is the flat index of the largest error in `got`.
    """
    error, size = got.to(torch.float64) - expected, expected
    energy = as_rows(error, axes).square()
    rows = energy.sum(1)
    if not math.isfinite(rows.sum().item()):
        error, size = _with_infinities(got, expected, error), torch.where(expected.isfinite(), expected, 0.0)
        energy = as_rows(error, axes).square()
        rows = energy.sum(1)
    sizes = as_rows(size, axes).square()
    row_sizes, column_sizes, fourth = sizes.sum(1), sizes.sum(0), sizes.square()
    columns, others = _columns(energy, rows)
    return Spread(
        error=rows.sum().sqrt().item(),
        scale=row_sizes.sum().sqrt().item(),
        rows=rows.sqrt(),
        row_scale=row_sizes.sqrt(),
        columns=columns.sqrt(),
        others=others.sqrt(),
        column_scale=column_sizes.sqrt(),
        row_allowance=_allowance(row_sizes, fourth.sum(1)),
        column_allowance=_allowance(column_sizes, fourth.sum(0)),
        worst=int(error.abs().argmax()) if error.numel() else 0,
    )


def _columns(energy: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """The sums of `energy` by column, over all rows and over all but the one with the largest sum (`rows`), if others are."""
    if len(rows) < 2:
        return energy.sum(0), energy.sum(0)
    most = int(rows.argmax())
    others = energy[:most].sum(0) + energy[most + 1 :].sum(0)  # a difference would keep nothing beside a large row
    return others + energy[most], others


def _with_infinities(got: Tensor, expected: Tensor, error: Tensor) -> Tensor:
    """`error`, nothing where both are the same NaN or infinity, else infinite where one is: an overflow too."""
    same = ~got.isfinite() & ((got == expected) | (got.isnan() & expected.isnan()))
    return torch.where(same, 0.0, error.abs().nan_to_num(nan=math.inf, posinf=math.inf))


def unit_of(*dtypes: torch.dtype) -> float:
    """The relative L2 error of one rounding to the coarsest of `dtypes`."""
    return max((ROUNDING * torch.finfo(dtype).eps for dtype in dtypes if dtype.is_floating_point), default=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The noise, as absolute norms: of all of a tensor, of each row, of each column."""

    whole: float
    rows: Tensor
    columns: Tensor


def limits(found: Spread, floors: Sequence[Spread], unit: float, *, inherited: bool = False) -> Limits:
    """The noise that `floors`, measured elsewhere, say `found` may have.

    That of a row is what any of `floors` has there, relative to the row. That of a column is absolute, since what cancels in
    a column does not take its rounding along. Neither is less than what is typical, for one may be near its rounding by luck:
    of all rows, of columns of its size. Nor is it less than `unit`, one rounding, nor than what float64 can tell.

    Noise that is `inherited` wanders from row to row and from column to column: a row has that of the worst, a column what is
    typical of all.
    """
    unit = max(unit, ORACLE)
    rows, columns = torch.full_like(found.rows, unit), unit * found.column_scale
    for each in floors:
        rows = torch.maximum(rows, _no_less_than(_parts(each.rows, each.row_scale), 1.0 if inherited else TYPICAL))
        usual = _no_less_than(each.columns, TYPICAL) if inherited else _of_their_size(each)
        columns = torch.maximum(columns, usual * (found.scale / each.scale if each.scale else 1.0))
    least = ORACLE * found.scale
    # A floor of something where there should be nothing is infinite, relative to the row: infinitely many times nothing.
    sized = torch.where(rows.isinf(), math.inf, rows * found.row_scale)
    return Limits(
        whole=max([unit, *(each.relative for each in floors)]) * found.scale,
        rows=sized.clamp_min(least) * found.row_allowance,
        columns=columns.clamp_min(least) * found.column_allowance,
    )


def ratios(found: Spread, floors: Sequence[Spread], unit: float, *, inherited: bool = False) -> Ratios:
    """`found` over the noise that `limits` tells: whole, worst row, worst column."""
    noise = limits(found, floors, unit, inherited=inherited)
    return Ratios(_over(found.error, noise.whole), _worst(found.rows, noise.rows), _worst(found.columns, noise.columns))


def over_floor(apart: Spread, floor: Spread, unit: float) -> Ratios:
    """How far a candidate is from the reference (`apart`) over how far the reference is from float64 (`floor`), since the
    tokens; the noise of a row is that of the worst of them.

    Both are held against the sizes that float64 says. Where noise has taken a row over, little may be left of it in the
    reference: by that, what is one error of the reference would be many of the candidate. Only where other rows are shown
    than the floor is of (the last token alone) are the sizes those of the reference.

    The row of the largest error counts as a row alone, and neither on the whole nor in a column: where noise has taken it
    over, both would be little else than that row, and their thresholds are lower than a row's.
    """
    apart = replace(apart, error=torch.linalg.vector_norm(apart.others).item(), columns=apart.others)
    if apart.rows.shape != floor.rows.shape:
        return ratios(apart, [floor], unit, inherited=True)
    exact = replace(floor, error=apart.error, rows=apart.rows, columns=apart.columns, worst=apart.worst)
    return ratios(exact, [floor], unit, inherited=True)


def _of_their_size(floor: Spread) -> Tensor:
    """The noise of each column, no less than is typical of those of its size or less. Keys with a large bias have more noise
    than there is in the values beside them: held to that, a value that is half of what it should be is noise.
    """
    if not floor.columns.numel():
        return floor.columns
    order = floor.column_scale.argsort()
    noise = floor.columns[order]
    powers = (floor.column_scale[order] / floor.column_scale.max().clamp_min(torch.finfo(torch.float64).tiny)).log2()
    sizes, usual = powers.floor(), noise.clone()
    for size in torch.unique(sizes):
        alike, count = sizes == size, max(int((sizes <= size + ALIKE).sum()), FEWEST)
        usual[alike] = noise[alike].clamp_min(_typical(noise[:count], TYPICAL))
    return torch.empty_like(usual).scatter_(0, order, usual)


def _no_less_than(values: Tensor, quantile: float) -> Tensor:
    return values.clamp_min(_typical(values, quantile))


def _typical(values: Tensor, quantile: float) -> float:
    known = values[values.isfinite()]
    return known.kthvalue(max(1, math.ceil(quantile * len(known)))).values.item() if known.numel() else 0.0


def _allowance(squares: Tensor, fourth: Tensor) -> Tensor:
    """How far the norm of noise may stray, of rows or columns with these sums of squares and of fourth powers.

    Noise goes with size, so a row of few large elements has few elements: (Σ x²)² / Σ x⁴ of them.
    """
    count = torch.where(fourth > 0, squares.square() / fourth, 1.0)
    return 1 + DEVIATIONS / (2 * count).sqrt()


def _worst(errors: Tensor, floor: Tensor) -> float:
    return _parts(errors, floor).max().item() if errors.numel() else 0.0


def _parts(errors: Tensor, floor: Tensor) -> Tensor:
    """errors / floor; nothing over nothing is nothing."""
    return torch.where(errors == 0, 0.0, errors / floor)


def _over(error: float, floor: float) -> float:
    return 0.0 if error == 0 else error / floor if floor > 0 else math.inf
