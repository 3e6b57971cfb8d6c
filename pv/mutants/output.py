"""Faults of an output, for subjects without a syntax tree: a compiled function, another process.

They work on what tensors of torch and arrays of numpy have in common; neither is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_FEW, _MANY, _ONE = 4, 32, 8  # tolerances: a wrong result near the bound, one further away, a single wrong entry


@dataclass(frozen=True, slots=True)
class OutputFault:
    """`damaged(value, tolerance)` is a wrong value of the same type, shape and dtype; None where the fault has no effect.

    `tolerance` is that of the invariant under attack, 0 where it holds exactly. Nothing is changed in place.
    """

    name: str
    description: str
    damaged: Callable[[Any, float], Any | None]


def damage(fault: OutputFault, output: Any, tolerance: float) -> Any | None:
    """`output` with `fault` in it: in itself, or, where it is a tuple, list or mapping, in every part that can take it.

    None where the fault has no effect on it.
    """
    whole = fault.damaged(output, tolerance)
    if whole is not None or not isinstance(output, tuple | list | Mapping):
        return whole
    parts = output.values() if isinstance(output, Mapping) else output
    wrong = [damage(fault, part, tolerance) for part in parts]
    if all(part is None for part in wrong):
        return None
    mixed = [part if bad is None else bad for part, bad in zip(parts, wrong, strict=True)]
    if isinstance(output, Mapping):
        return dict(zip(output, mixed, strict=True))
    return type(output)(*mixed) if hasattr(output, "_fields") else type(output)(mixed)


def _roll(value: Any, _: float) -> Any | None:
    if not _is_array(value) or value.ndim == 0:
        return None
    size = value.shape[-1]
    return _if_other(value, value[..., [(place - 1) % size for place in range(size)]])


def _swap_rows(value: Any, _: float) -> Any | None:
    if not _is_array(value) or value.ndim < 2 or value.shape[-2] < 2:
        return None
    return _if_other(value, value[..., [1, 0, *range(2, value.shape[-2])], :])


def _transpose(value: Any, _: float) -> Any | None:
    square = _is_array(value) and value.ndim >= 2 and value.shape[-1] == value.shape[-2]
    return _if_other(value, value.swapaxes(-1, -2)) if square else None


def _zero_channel(value: Any, _: float) -> Any | None:
    if not _is_array(value) or value.ndim == 0 or 0 in value.shape:
        return None
    wrong = _copy(value)
    wrong[..., 0] = 0
    return _if_other(value, wrong)


def _scale(times: int) -> Callable[[Any, float], Any | None]:
    def scaled(value: Any, tolerance: float) -> Any | None:
        if isinstance(value, float) or (_is_array(value) and "float" in str(value.dtype)):
            return _if_other(value, value * (1 + times * tolerance))
        return None

    return scaled


def _raise_one(value: Any, tolerance: float) -> Any | None:
    if not _is_array(value) or "float" not in str(value.dtype) or 0 in value.shape:
        return None
    if value.ndim == 0:
        return _if_other(value, value + _ONE * tolerance)
    wrong = _copy(value)
    wrong[(0,) * value.ndim] += _ONE * tolerance
    return _if_other(value, wrong)


def _negate(value: Any, _: float) -> Any | None:
    numeric = _is_array(value) and not _holds_booleans(value)
    return _if_other(value, -value) if numeric or _is_number(value) else None


def _next(value: Any, _: float) -> Any | None:
    if isinstance(value, bool):
        return not value
    if _is_array(value):
        return None if "float" in str(value.dtype) or 0 in value.shape else _if_other(value, _following(value))
    return _if_other(value, value + 1) if _is_number(value) else None


def _following(value: Any) -> Any:
    return ~value if _holds_booleans(value) else value + 1


def _drop_last(value: Any, _: float) -> Any | None:
    return value[:-1] if isinstance(value, str | bytes | list) and value else None


def _reverse(value: Any, _: float) -> Any | None:
    plain = isinstance(value, str | bytes | list) or type(value) is tuple
    return value[::-1] if plain and not _same(list(value), list(value[::-1])) else None


OUTPUT_FAULTS = (
    OutputFault("roll", "every entry one place further along the last axis", _roll),
    OutputFault("swap-rows", "the first two rows change places", _swap_rows),
    OutputFault("transpose", "a square result transposed", _transpose),
    OutputFault("zero-channel", "the first entry along the last axis is 0 everywhere", _zero_channel),
    OutputFault("scale-few", f"larger by {_FEW} tolerances", _scale(_FEW)),
    OutputFault("scale-many", f"larger by {_MANY} tolerances", _scale(_MANY)),
    OutputFault("raise-one", f"the first entry {_ONE} tolerances too large", _raise_one),
    OutputFault("negate", "every number with the other sign", _negate),
    OutputFault("next", "every integer one too large, every truth value the other one", _next),
    OutputFault("drop-last", "a text or a list without its end", _drop_last),
    OutputFault("reverse", "a text, a list or a tuple backwards", _reverse),
)


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value, "ndim")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _holds_booleans(value: Any) -> bool:
    return str(value.dtype).endswith("bool")


def _copy(value: Any) -> Any:
    """A copy, of at least one axis, that passes gradients on, as `clone` does, for arrays too."""
    return value[[*range(value.shape[0])]]


def _if_other(value: Any, wrong: Any) -> Any | None:
    return None if _same(value, wrong) else wrong


def _same(one: Any, other: Any) -> bool:
    """Whether no difference can be seen; NaN is like NaN."""
    if type(one) is not type(other) or getattr(one, "shape", None) != getattr(other, "shape", None):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    alike = (one == other) | ((one != one) & (other != other))
    return bool(alike.all()) if hasattr(alike, "all") else bool(alike)
