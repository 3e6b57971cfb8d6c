"""Whether arguments that somebody else chose are ones that an equation declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from pv.contract.model import Equation, ValueSpec
from pv.falsify.telling import short

MOST_ELEMENTS = 2**20

Values = Mapping[str, Any]
Sizes = dict[str, int]


def why_outside(equation: Equation, values: Values) -> str:
    """Why `values`, one for each argument of `equation`, are no case of it, naming the first that is to blame."""
    sizes: Sizes = {spec.name: values[spec.name] for spec in equation.arguments if type(values[spec.name]) is int}
    for look in (_form, _content):
        for spec in equation.arguments:
            reason = look(equation, spec, values, sizes)
            if reason:
                return f"{spec.name} {reason}"
    return ""


def _form(equation: Equation, spec: ValueSpec, values: Values, sizes: Sizes) -> str:
    """Type, dtype and shape; notes the sizes of letters."""
    value = values[spec.name]
    if not _TYPES[spec.type](value):
        return f"is {short(value)}, no {spec.type}" if not isinstance(value, Tensor) else f"is a tensor, no {spec.type}"
    if spec.type != "tensor":
        return ""
    dtypes = spec.dtypes or (_dtype(values[spec.like]) if spec.like else "",)
    if _dtype(value) not in dtypes:
        return f"is {_dtype(value)}, not {' or '.join(dtypes)}"
    if value.ndim != len(spec.shape):
        return f"has the shape {list(value.shape)}, not {list(spec.shape)}"
    if value.numel() > MOST_ELEMENTS:
        return f"has {value.numel():,} elements; {MOST_ELEMENTS:,} are the most that is captured"
    limits = {row.name: (row.min, row.max) for row in equation.dimensions}
    for side, axis in zip(value.shape, spec.shape, strict=True):
        least, most = (axis, axis) if isinstance(axis, int) else limits.get(axis, (0, side))
        known = side if isinstance(axis, int) else sizes.setdefault(axis, side)
        if not least <= side <= most or side != known:
            return f"has the shape {list(value.shape)}: {axis} is {side}, not {known if side != known else f'{least} … {most}'}"
    return ""


def _content(equation: Equation, spec: ValueSpec, values: Values, sizes: Sizes) -> str:
    """Range, finiteness, constraint, alphabet."""
    value = values[spec.name]
    if spec.type == "text":
        return _text(spec, value)
    numbers = value.detach() if isinstance(value, Tensor) else torch.tensor(value, dtype=_exact(value))
    if numbers.is_floating_point():
        finite = numbers.isfinite()
        if (numbers.isnan().any() and not spec.nan) or (numbers.isinf().any() and not spec.infinity):
            return "is not finite"
        numbers = numbers[finite]
    if not numbers.numel():
        return ""
    low, high = numbers.min().item(), numbers.max().item()
    below = sizes.get(spec.range.below) if isinstance(spec.range.below, str) else spec.range.below
    if spec.range.min is not None and low < spec.range.min:
        return f"has {low!r}, below {spec.range.min!r}"
    if spec.range.max is not None and high > spec.range.max:
        return f"has {high!r}, above {spec.range.max!r}"
    if below is not None and high >= below:
        return f"has {high!r}, not below {below!r}"
    return _simplex(value.detach()) if spec.constraint == "simplex" else ""


def _text(spec: ValueSpec, value: str) -> str:
    least, most = spec.range.min or 0, spec.range.max
    if len(value) < least or (most is not None and len(value) > most):
        return f"has {len(value)} characters"
    foreign = sorted(set(value) - set(spec.alphabet or value))
    return f"has {foreign[0]!r}, which is not of its alphabet" if foreign and "foreign" not in spec.strata else ""


def _simplex(value: Tensor) -> str:
    """Rows add up to 1 as far as rounding allows."""
    wide = value.double()
    room = 4 * value.shape[-1] * torch.finfo(value.dtype).eps
    off = (wide.sum(dim=-1) - 1.0).abs().max().item() if value.numel() else 1.0
    if (wide < 0).any():
        return "has a negative entry"
    return f"has a row whose sum is off 1 by {off:.3g}" if off > room else ""


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor) else type(value).__name__


def _exact(value: Any) -> torch.dtype:
    return torch.float64 if isinstance(value, float) or abs(value) >= 2**63 else torch.int64


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "tensor": lambda value: isinstance(value, Tensor) and value.layout is torch.strided,
    "integer": lambda value: type(value) is int,
    "real": lambda value: isinstance(value, float),
    "text": lambda value: isinstance(value, str),
}
