"""Two values made comparable, the one comparison that every tolerance goes through, and the probe that tries it.

What lets a comparison lie is refused here: classes with an `==` of their own, tensors whose elements cannot be seen, integers
that float64 does not hold, complex numbers cut to their real part, a tolerance that lets everything or nothing pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pv.contract.model import Tolerance
from pv.finding import Exit, PvError

Numbers = bool | int | float | Sequence[Any]

_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device})
# From here on float64 rounds integers: 2⁵³ + 1 becomes 2⁵³.
_INTEGERS_END = 2**53


class Side(Enum):
    """On which side of the expected value the tolerance is: both, or above it (at most) or below it (at least) alone."""

    BOTH = 0
    ABOVE = 1
    BELOW = -1


class Compared(NamedTuple):
    """Element by element, in float64: how far off, how far off it may be, and where that is too far (or NaN)."""

    residual: Tensor
    bound: Tensor
    wrong: Tensor


def compare(seen: Tensor, wanted: Tensor, tolerance: Tolerance, side: Side) -> Compared:
    """`seen` against `wanted` (float64, one shape); above or below a limit, the residual is negative where it is kept."""
    gap = seen - wanted
    residual = gap.abs() if side is Side.BOTH else gap * side.value
    bound = tolerance.absolute + tolerance.relative * wanted.abs()
    if tolerance.of_largest and wanted.numel():
        bound = bound + tolerance.of_largest * wanted.abs().max()
    return Compared(residual, bound, ~(residual <= bound))


def probe(wanted: Tensor, tolerance: Tolerance, side: Side, dtype: str) -> str:
    """Why `compare` could not tell right from wrong of values like `wanted`; empty when it can.

    At the element with the largest finite bound, what is off by half of it must pass and what is off by twice as much must
    fail (without a tolerance: what is off by one unit in the last place). Some number of `dtype` must be able to fail.
    """
    bounds = compare(wanted, wanted, tolerance, side).bound.reshape(-1)
    finite = torch.isfinite(bounds)
    if not bool(finite.any()):
        return "the tolerance is not finite: everything passes"
    at = int(torch.where(finite, bounds, -1.0).argmax())
    expected, bound = wanted.reshape(-1)[at : at + 1], bounds[at : at + 1]
    # By itself the element is the largest there is; the others are a part of its bound that stays.
    tolerance = Tolerance(bound.item()) if tolerance.of_largest else tolerance
    if bound.item() >= _largest(dtype) + abs(expected.item()):
        return f"the tolerance at {expected.item()!r} is {bound.item():.3g}: every {dtype} passes"
    ways = (1.0, -1.0) if side is Side.BOTH else (float(side.value),)
    return next(filter(None, (_probe_at(expected, bound, tolerance, side, way) for way in ways)), "")


def _probe_at(expected: Tensor, bound: Tensor, tolerance: Tolerance, side: Side, way: float) -> str:
    at, least = f"at {expected.item()!r}", f"{bound.item():.3g}"
    out = torch.full_like(expected, math.inf * way)
    # Rounded outwards and inwards: near a power of two, float64 is coarser on one side than on the other.
    twice, half = expected + way * 2 * bound, (expected + way * bound / 2).nextafter(expected)
    if bound.item() > 0 and bool(twice == expected):
        return f"the tolerance {at} is {least}: less than float64 tells apart"
    if not bool(compare(twice.nextafter(out), expected, tolerance, side).wrong):
        return f"twice the tolerance {least} {at} passes"
    if bool(torch.isfinite(half)) and bool(compare(half, expected, tolerance, side).wrong):
        return f"half the tolerance {least} {at} fails"
    return ""


def _largest(dtype: str) -> float:
    """The largest finite number of the dtype called so; of what torch does not know, float64's."""
    kind = getattr(torch, dtype, None)
    if not isinstance(kind, torch.dtype) or kind.is_complex:
        return torch.finfo(torch.float64).max
    if kind is torch.bool:
        return 1.0
    return float(torch.finfo(kind).max if kind.is_floating_point else torch.iinfo(kind).max)


def is_tensor(value: object) -> bool:
    """Whether `value` is a tensor by its type: what it says of itself does not count."""
    return issubclass(type(value), Tensor)


def is_number(value: object) -> bool:
    """Whether `value` is a bool, int or float of Python, or a list or tuple of such, nested or not."""
    return all(type(leaf) in (bool, int, float) for leaf in _leaves(value))


def base(value: Any) -> Tensor:
    """The tensor `value` without gradient and as torch's own class. Raises PvError for one that only stands for others."""
    kind = type(value)
    if kind is Tensor:
        return Tensor.detach(value)
    if kind.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        raise _unseen(
            f"a {kind.__module__}.{kind.__qualname__} answers for its elements itself", "compare plain tensors"
        )
    with torch._C.DisableTorchFunctionSubclass():
        return Tensor.as_subclass(value, Tensor).detach()


def plain(value: Any) -> Tensor:
    """As `base`, on the CPU. Raises PvError for a tensor whose elements are not stored one by one."""
    tensor = base(value)
    if tensor.is_nested:
        raise _unseen("a nested tensor has no shape", "compare what it holds, one by one")
    if tensor.is_quantized:
        raise _unseen(f"a {tensor.dtype} tensor stands for other numbers", "compare its .dequantize()")
    if tensor.is_meta:
        raise _unseen("a tensor on the device meta has no elements", "compute on a device that has")
    if tensor.layout is not torch.strided:
        raise _unseen(f"a {tensor.layout} tensor does not store every element", "compare its .to_dense()")
    return tensor.cpu()


def in_float64(value: Any) -> Tensor:
    """A tensor, or Python's numbers, as the same numbers in float64. Raises PvError where that would change them."""
    if not is_tensor(value):
        if any(type(leaf) is int and abs(leaf) >= _INTEGERS_END for leaf in _leaves(value)):
            raise _too_large()
        return torch.tensor(value, dtype=torch.float64)
    tensor = plain(value)
    if tensor.is_complex():
        raise _unseen(f"{tensor.dtype} numbers are not ordered", "compare .real and .imag")
    wide = tensor.to(torch.float64)
    if not tensor.is_floating_point() and bool((wide.abs() >= _INTEGERS_END).any()):
        raise _too_large()
    return wide


def in_dtype(numbers: Numbers, dtype: torch.dtype) -> Tensor | None:
    """Python's numbers as a tensor of `dtype`; None where it cannot hold them.

    A float may be rounded, not overflow; an integer stays what it is; a bool is for bool alone, and bool for nothing else.
    """
    leaves = list(_leaves(numbers))
    if any((type(leaf) is bool) is not (dtype is torch.bool) for leaf in leaves):
        return None
    try:
        tensor = torch.tensor(numbers, dtype=dtype)
    except (RuntimeError, OverflowError):
        return None
    held = tensor.reshape(-1).tolist()
    return tensor if all(map(_stands_for, held, leaves)) else None


def _stands_for(held: Any, number: float) -> bool:
    if type(held) is type(number) is float:
        return math.isfinite(number) == math.isfinite(held)
    return bool(held == number)


def is_same(observed: Any, expected: Any) -> bool:
    """Type and value, item by item: a list would call NaN equal to itself, and 1 to True.

    Raises PvError for two values of a class that decides itself what it equals.
    """
    if type(observed) is not type(expected) and not (is_tensor(observed) and is_tensor(expected)):
        return False
    if is_tensor(observed):
        seen, wanted = plain(observed), plain(expected)
        return seen.shape == wanted.shape and seen.dtype == wanted.dtype and not bool((seen != wanted).any())
    if type(observed) in _ATOMS:
        return bool(observed == expected)
    if isinstance(observed, (list, tuple)):
        items, others = _items(observed), _items(expected)
        return len(items) == len(others) and all(map(is_same, items, others))
    if type(observed) is dict:
        keys = _by_type(observed).keys()
        return keys == _by_type(expected).keys() and all(is_same(observed[key], expected[key]) for _, key in keys)
    if type(observed) in (set, frozenset):
        return _by_type(observed).keys() == _by_type(expected).keys()
    kind = type(observed)
    raise _unseen(f"a {kind.__module__}.{kind.__qualname__} decides itself what it equals", "compare its parts")


def _items(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    """Of a subclass too (a named tuple), whatever its own methods say."""
    return list(list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value))


def _by_type(keys: Any) -> dict[tuple[type, Any], None]:
    """Keys of a dict or members of a set, told apart by type as well; each NaN is a key of its own."""
    for key in keys:
        if type(key) not in _ATOMS:
            raise _unseen(f"a {type(key).__qualname__} as a key decides itself what it equals", "compare the parts")
    return {(type(key), key if key == key else object()): None for key in keys}


def _leaves(value: object) -> Iterator[Any]:
    if type(value) in (list, tuple):
        for item in value:  # type: ignore[attr-defined] # a list or a tuple, as was just seen
            yield from _leaves(item)
    else:
        yield value


def _unseen(what: str, hint: str) -> PvError:
    seen = f"check cannot compare it: {what}; {hint}"
    return PvError(seen, exit=Exit.MEND, hint="mend the comparison in the falsifier")


def _too_large() -> PvError:
    return _unseen("float64 does not hold integers from 2**53 on", "check.equal compares them exactly")
