"""Arithmetic on values read from source text, with bounds on what may come out."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, TypeAlias

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | None"

_BITS = 4096  # of an integer
_TEXT = 10_000  # characters of a text, items of a tuple

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def compute(sign: ast.operator, left: Value, right: Value) -> Value:
    """`left sign right` for numbers; + also joins two texts or two tuples. Raises ValueError, saying why, otherwise."""
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    joined = isinstance(sign, ast.Add) and type(left) is type(right) and isinstance(left, str | tuple)
    if type(sign) not in _OPERATORS or not (numbers or joined):
        raise ValueError(f"{type(sign).__name__} of {_short(left)} and {_short(right)} is not folded")
    if isinstance(sign, ast.Pow) and isinstance(left, int) and isinstance(right, int):
        _refuse_power(left, right)
    try:
        value = _OPERATORS[type(sign)](left, right)
    except ArithmeticError as error:
        raise ValueError(f"{_short(left)} and {_short(right)}: {error.args[-1]}") from None
    if isinstance(value, complex):
        raise ValueError("the result is a complex number")
    return bounded(value)


def negate(sign: ast.unaryop, value: Value) -> Value:
    """`-value` or `+value` of a number. Raises ValueError, saying why, otherwise."""
    if not isinstance(value, int | float) or not isinstance(sign, ast.USub | ast.UAdd):
        raise ValueError(f"{type(sign).__name__} of {_short(value)} is not folded")
    return -value if isinstance(sign, ast.USub) else +value


def item(holder: Value, index: Value) -> Value:
    """`holder[index]` of a tuple. Raises ValueError, saying why, otherwise."""
    if not isinstance(holder, tuple) or type(index) is not int:
        raise ValueError(f"only an item of a tuple is folded, not {_short(holder)}[{_short(index)}]")
    if not -len(holder) <= index < len(holder):
        raise ValueError(f"there is no item {_short(index)} in a tuple of {len(holder)}")
    return holder[index]


def bounded(value: Value) -> Value:
    """`value` itself. Raises ValueError when it is larger than a constant that people write."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ValueError(f"an integer of {value.bit_length():,} bits is too large; at most {_BITS:,} are folded")
    if isinstance(value, str | tuple) and len(value) > _TEXT:
        raise ValueError(f"a {type(value).__name__} of length {len(value):,} is too long; at most {_TEXT:,} is folded")
    return value


def _refuse_power(base: int, exponent: int) -> None:
    if base.bit_length() * abs(exponent) > _BITS:
        raise ValueError(f"the power is too large; at most {_BITS:,} bits are folded")


def _short(value: Value) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length():,} bits"
    return repr(value) if not isinstance(value, str | tuple) or len(value) < 9 else f"a {type(value).__name__}"
