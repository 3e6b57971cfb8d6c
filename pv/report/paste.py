"""Kept arguments as Python code that makes them again; needs neither torch nor numpy."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 512
_CODES = {
    "float16": "e", "float32": "f", "float64": "d", "int8": "b", "uint8": "B", "int16": "h", "int32": "i", "int64": "q",
    "bool": "?", "bfloat16": "e",
}  # fmt: skip
# What `float("nan")` becomes in torch.
_NAN = {
    "float16": b"\x00\x7e", "bfloat16": b"\xc0\x7f", "float32": b"\x00\x00\xc0\x7f",
    "float64": b"\x00\x00\x00\x00\x00\x00\xf8\x7f",
}  # fmt: skip
_LARGEST = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


def assignments(arguments: Mapping[str, Any]) -> list[str]:
    """`name = expression` for each argument, as `pv.falsify.encode.encode` kept it."""
    return [f"{name} = {expression(value)}" for name, value in arguments.items()]


def expression(value: Any) -> str:
    """The Python expression of one kept value; a tensor becomes `torch.tensor(…)`, of a long one only its size is said."""
    if not isinstance(value, dict):
        return repr(value)
    if "float" in value:
        return _number(float.fromhex(value["float"]), "float64")
    if "tensor" in value:
        return _tensor(value["tensor"], value["shape"], base64.b64decode(value["data"]))
    if "mapping" in value:
        return "{" + ", ".join(f"{expression(key)}: {expression(item)}" for key, item in value["mapping"]) + "}"
    kind, items = next(iter(value.items()))
    inside = ", ".join(expression(item) for item in items)
    return f"({inside},)" if kind == "tuple" else f"[{inside}]"


def _tensor(dtype: str, shape: Sequence[int], data: bytes) -> str:
    count = math.prod(shape)
    if count > LONGEST or dtype not in _CODES:
        return f"...  # a {dtype} tensor of shape {list(shape)}: too long to print"
    if not count:
        return f"torch.empty({tuple(shape)}, dtype=torch.{dtype})"
    numbers = _numbers(dtype, data)
    if any(number != number and part != _NAN[dtype] for number, part in zip(numbers, _parts(data, count), strict=True)):
        # A NaN that `float("nan")` does not make again: the bits themselves.
        whole = f"int{8 * len(data) // count}"
        return f"{_made(_numbers(whole, data), shape, whole)}.view(torch.{dtype})"
    return _made(numbers, shape, dtype)


def _numbers(dtype: str, data: bytes) -> list[Any]:
    if dtype == "bfloat16":  # the upper half of a float32
        return [struct.unpack("<f", b"\0\0" + data[i : i + 2])[0] for i in range(0, len(data), 2)]
    return [number for (number,) in struct.iter_unpack(f"<{_CODES[dtype]}", data)]


def _parts(data: bytes, count: int) -> list[bytes]:
    size = len(data) // count
    return [data[i : i + size] for i in range(0, len(data), size)]


def _made(numbers: Sequence[Any], shape: Sequence[int], dtype: str) -> str:
    if len(numbers) > 1 and len(set(map(repr, numbers))) == 1:
        return f"torch.full({tuple(shape)}, {_number(numbers[0], dtype)}, dtype=torch.{dtype})"
    return f"torch.tensor({_nested(numbers, list(shape), dtype)}, dtype=torch.{dtype})"


def _nested(numbers: Sequence[Any], shape: list[int], dtype: str) -> str:
    if not shape:
        return _number(numbers[0], dtype)
    step = len(numbers) // shape[0] if shape[0] else 0
    return "[" + ", ".join(_nested(numbers[i * step : (i + 1) * step], shape[1:], dtype) for i in range(shape[0])) + "]"


def _number(value: Any, dtype: str) -> str:
    """As few digits as read back as the same number of `dtype`."""
    if not isinstance(value, float):
        return repr(value)
    if not math.isfinite(value):
        return f'float("{value}")'
    if dtype == "float32":
        for digits in range(1, 10):
            short = float(f"{value:.{digits}g}")
            # Above the largest float32 torch refuses even what would be rounded down to it.
            if abs(short) <= _LARGEST and struct.pack("<f", short) == struct.pack("<f", value):
                return repr(short)
    return repr(value)
