"""Kept arguments as Python code that makes them again, and the call they broke; needs neither torch nor numpy."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from keyword import iskeyword
from typing import Any

from pv.contract.model import Binding
from pv.falsify.encode import ITEM_SIZES, Bits, decode

LONGEST = 512
_CODES = {
    "float16": "e", "float32": "f", "float64": "d", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i",
    "uint32": "I", "int64": "q", "uint64": "Q", "bool": "?", "bfloat16": "e",
}  # fmt: skip
_COMPLEX = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
# What `float("nan")` becomes in torch.
_NAN = {
    "float16": b"\x00\x7e", "bfloat16": b"\xc0\x7f", "float32": b"\x00\x00\xc0\x7f",
    "float64": b"\x00\x00\x00\x00\x00\x00\xf8\x7f",
}  # fmt: skip
_LARGEST = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
_TAKEN = {"torch", "load_case", "float", "complex"}


def script(arguments: Mapping[str, Any] | None, file: str, binding: Binding | None, order: Sequence[str]) -> list[str]:
    """Lines to be pasted into a Python in the project's root: imports, one assignment an argument, and the call.

    `arguments` are encoded, or None where only `file` (the case's JSON) holds them; one that is too long to print is loaded
    from there too. The call passes `order`, the equation's arguments, as `binding` says; there is none without a binding,
    where the case has other arguments than these, and for a command.
    """
    values = _values(arguments)
    module, callee = _callee(binding) if binding else ("", "")
    imported = re.split(r"[.(]", callee)[0]
    by_name = values is not None and all(_is_free(name, imported) for name in values)
    if values is not None and by_name:
        lines = _assignments(values, file)
        arrays = {name for name in values if binding and binding.adapter == "numpy" and isinstance(values[name], Bits)}
        passed = ", ".join(f"{name}.numpy(force=True)" if name in arrays else name for name in order)
    else:
        lines, passed = [f"case = load_case({file!r})"], "*case.values()"
        callee = "" if binding and binding.adapter == "numpy" else callee
    if callee and (values is None or set(values) == set(order)):
        seed = ["torch.manual_seed(0)"] if "()" in callee else []
        lines = [f"from {module} import {imported}", *lines, *seed, f"{callee}({passed})"]
    if any("load_case(" in line for line in lines):
        lines.insert(0, "from pv import load_case")
    return ["import torch", *lines] if any("torch." in line for line in lines) else lines


def _callee(binding: Binding) -> tuple[str, str]:
    """What to import from where, and what of it to call; empty for a command. As `pv.falsify.adapters` reaches the code."""
    module, _, path = binding.target.partition(":")
    match binding.adapter:
        case "function" | "numpy":
            return module, path
        case "module":
            module, _, maker = (binding.factory or binding.target).partition(":")
            return module, f"{maker}()"
        case "method":
            owner, _, name = path.rpartition(".")
            module, _, maker = (binding.factory or f"{module}:{owner}").partition(":")
            return module, f"{maker}().{name}"
    return "", ""


def _assignments(values: Mapping[str, Any], file: str) -> list[str]:
    """`name = expression` for each value, its tensors as `Bits`; one that is too long to print is loaded from `file`."""
    return [
        f"{name} = {expression(value)}" if _length(value) <= LONGEST else f"{name} = load_case({file!r})[{name!r}]"
        for name, value in values.items()
    ]


def _values(arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Encoded arguments as values, tensors as `Bits`; None where there are none, or none that this pv reads."""
    try:
        return (
            None if arguments is None else {name: decode(value, lambda bits: bits) for name, value in arguments.items()}
        )
    except (ValueError, TypeError, OverflowError):
        return None


def expression(value: Any) -> str:
    """The Python expression of a value, its tensors as `Bits`."""
    match value:
        case Bits():
            return _tensor(value)
        case float():
            return _number(value, "float64")
        case complex():
            return f"complex({_number(value.real, 'float64')}, {_number(value.imag, 'float64')})"
        case dict():
            return "{" + ", ".join(f"{expression(key)}: {expression(item)}" for key, item in value.items()) + "}"
        case list():
            return f"[{', '.join(map(expression, value))}]"
        case tuple():
            return f"({', '.join(map(expression, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def _is_free(name: str, imported: str) -> bool:
    """Whether `name` may be assigned to without hiding what the pasted lines use."""
    return name.isidentifier() and not iskeyword(name) and name not in _TAKEN | {imported}


def _length(value: Any) -> int:
    """How much there is to print of a value; more than `LONGEST` for a tensor whose elements share memory."""
    match value:
        case Bits():
            return LONGEST + 1 if value.strides and _overlaps(value) else value.count
        case list() | tuple():
            return sum(max(1, _length(item)) for item in value)
        case dict():
            return sum(_length(key) + max(1, _length(item)) for key, item in value.items())
        case str() | bytes():
            return len(value)
    return 1


def _overlaps(bits: Bits) -> bool:
    reached = 1
    for stride, side in sorted(zip(bits.strides, bits.shape, strict=True)):
        if side > 1:
            if stride < reached:
                return True
            reached += (side - 1) * stride
    return False


def _tensor(bits: Bits) -> str:
    text = _contiguous(bits)
    if bits.strides:
        text = f"torch.empty_strided({bits.shape}, {bits.strides}, dtype=torch.{bits.dtype}).copy_({text})"
    return f"{text}.requires_grad_()" if bits.requires_grad else text


def _contiguous(bits: Bits) -> str:
    dtype, shape, data = bits.dtype, bits.shape, bits.data
    if not bits.count:
        return f"torch.empty({shape}, dtype=torch.{dtype})"
    if dtype in _COMPLEX:
        return f"torch.view_as_complex({_contiguous(Bits(_COMPLEX[dtype], (*shape, 2), data))})"
    if _is_made_of_numbers(dtype, data):
        return _made(_numbers(dtype, data), shape, dtype)
    size = ITEM_SIZES[dtype]
    whole = "uint8" if size == 1 else f"int{8 * size}"
    return f"{_contiguous(replace(bits, dtype=whole))}.view(torch.{dtype})"


def _is_made_of_numbers(dtype: str, data: bytes) -> bool:
    """Whether the literals of its elements make the same bits again: not of a NaN that `float("nan")` is not."""
    if dtype not in _CODES or (dtype == "bool" and max(data) > 1):
        return False
    parts = _parts(data, ITEM_SIZES[dtype])
    numbers = _numbers(dtype, data)
    return all(number == number or part == _NAN[dtype] for number, part in zip(numbers, parts, strict=True))


def _numbers(dtype: str, data: bytes) -> list[Any]:
    if dtype == "bfloat16":  # the upper half of a float32
        return [struct.unpack("<f", b"\0\0" + part)[0] for part in _parts(data, 2)]
    return [number for (number,) in struct.iter_unpack(f"<{_CODES[dtype]}", data)]


def _parts(data: bytes, size: int) -> list[bytes]:
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
