"""Arguments as bytes and as JSON, and back: for telling cases apart, for keeping them and for running them again.

A tensor travels as its `Bits`; torch is imported only where a tensor is taken apart or made.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pv.digest import hex_float

# Bytes of one element of each dtype that a case can hold.
ITEM_SIZES: Mapping[str, int] = {
    "bool": 1, "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "uint64": 8, "int64": 8,
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "complex32": 4, "complex64": 8, "complex128": 16,
    "float8_e4m3fn": 1, "float8_e4m3fnuz": 1, "float8_e5m2": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bits:
    """A tensor on the CPU without torch: its dtype, shape and row-major little-endian bytes.

    `strides`, in elements, say how one that is not contiguous lies in memory; they are empty for one that is.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes
    strides: tuple[int, ...] = ()
    requires_grad: bool = False

    @property
    def count(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def extent(self) -> int:
        """How many elements lie between the first and the last in memory, both included."""
        return 1 + sum((side - 1) * stride for side, stride in zip(self.shape, self.strides, strict=False))


def fingerprint(values: Mapping[str, Any]) -> bytes:
    """SHA-256 over names, types, shapes and exact bytes of `values`; NaN payloads and signed zeros count.

    Whether a tensor requires a gradient does too, how it lies in memory does not. Raises TypeError for what a case cannot hold.
    """
    state = hashlib.sha256()
    for name, value in values.items():
        _feed(state, name)
        _feed(state, value)
    return state.digest()


def encode(value: Any) -> Any:
    """`value` as JSON that holds every bit of it; `decode` gives it back.

    A value is None, a number, text, bytes, a tensor, or a list, tuple or mapping of values. Raises TypeError for any other.
    """
    kind = type(value)
    if value is None or kind in (bool, int):
        return value
    if kind is str:
        return value if _is_writable(value) else {"surrogates": value.encode("utf-8", "surrogatepass").hex()}
    if isinstance(value, float):
        return {"float": hex_float(value)}
    if kind is complex:
        return {"complex": [hex_float(value.real), hex_float(value.imag)]}
    if kind is bytes:
        return {"bytes": base64.b64encode(value).decode()}
    if kind in (list, tuple) or _is_size(value):
        return {"list" if kind is list else "tuple": [encode(item) for item in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[encode(key), encode(item)] for key, item in value.items()]}
    if _is_tensor(value):
        return _encode_bits(bits_of(value))
    raise _unknown(value)


def decode(value: Any, tensor: Callable[[Bits], Any] | None = None) -> Any:
    """The value that `encode` wrote as `value`: its bits, and of a tensor its strides and whether it requires a gradient.

    `tensor` makes a tensor of its bits (default: `tensor_of`). Raises ValueError or TypeError for JSON that is no such value.
    """
    make = tensor or tensor_of
    match value:
        case None | bool() | int() | str():
            return value
        case {"float": str(text)}:
            return float.fromhex(text)
        case {"complex": [str(real), str(imaginary)]}:
            return complex(float.fromhex(real), float.fromhex(imaginary))
        case {"surrogates": str(digits)}:
            return bytes.fromhex(digits).decode("utf-8", "surrogatepass")
        case {"bytes": str(data)}:
            return base64.b64decode(data, validate=True)
        case {"list": list(items)}:
            return [decode(item, make) for item in items]
        case {"tuple": list(items)}:
            return tuple(decode(item, make) for item in items)
        case {"mapping": list(items)}:
            return {decode(key, make): decode(item, make) for key, item in items}
        case {"tensor": str()}:
            return make(_decode_bits(value))
    raise ValueError(f"{value!r:.80} is no encoded value")


def bits_of(tensor: Any) -> Bits:
    """The bits of a dense tensor, brought to the CPU; raises TypeError for one of a kind that a case cannot hold."""
    import torch

    dtype = _dtype(tensor)
    if tensor.layout is not torch.strided or dtype not in ITEM_SIZES:
        raise TypeError(f"a case cannot hold a {tensor.layout} tensor of {tensor.dtype}")
    strides = () if tensor.is_contiguous() else tuple(tensor.stride())
    return Bits(dtype, tuple(tensor.shape), _bytes(tensor), strides, bool(tensor.requires_grad))


def tensor_of(bits: Bits) -> Any:
    """The tensor with these bits, in memory of its own, on the CPU."""
    import torch

    dtype = getattr(torch, bits.dtype)
    if not bits.count:
        return torch.empty(bits.shape, dtype=dtype, requires_grad=bits.requires_grad)
    items = torch.frombuffer(bytearray(bits.data), dtype=torch.uint8).reshape(bits.count, ITEM_SIZES[bits.dtype])
    if not bits.strides:
        tensor = items.clone().reshape(-1).view(dtype).reshape(bits.shape)
    else:
        memory = torch.zeros(bits.extent, ITEM_SIZES[bits.dtype], dtype=torch.uint8)
        memory[_positions(bits)] = items
        tensor = memory.reshape(-1).view(dtype).as_strided(bits.shape, bits.strides)
    return tensor.requires_grad_(bits.requires_grad)


def _positions(bits: Bits) -> Any:
    """Where in memory each element lies, in row-major order; elements that share a place have the same bits."""
    import torch

    where = torch.zeros((), dtype=torch.int64)
    for side, stride in zip(bits.shape, bits.strides, strict=True):
        where = where[..., None] + torch.arange(side) * stride
    return where.reshape(-1)


def _encode_bits(bits: Bits) -> dict[str, Any]:
    value: dict[str, Any] = {"tensor": bits.dtype, "shape": list(bits.shape)}
    if bits.strides:
        value["strides"] = list(bits.strides)
    if bits.requires_grad:
        value["requires_grad"] = True
    return {**value, "data": base64.b64encode(bits.data).decode()}


def _decode_bits(value: Mapping[str, Any]) -> Bits:
    strides, data = tuple(value.get("strides", ())), base64.b64decode(value["data"], validate=True)
    bits = Bits(value["tensor"], tuple(value["shape"]), data, strides, value.get("requires_grad", False))
    if bits.dtype not in ITEM_SIZES or bits.count * ITEM_SIZES[bits.dtype] != len(data):
        raise ValueError(f"{len(data)} bytes are no {bits.dtype} tensor of shape {list(bits.shape)}")
    if strides and len(strides) != len(bits.shape):
        raise ValueError(f"strides {list(strides)} do not fit the shape {list(bits.shape)}")
    return bits


def _feed(state: Any, value: Any) -> None:
    """Length before content, so that no two values run into each other."""
    if _is_tensor(value):
        kind, data = _kind(_dtype(value), tuple(value.shape), requires_grad=value.requires_grad), _bytes(value)
    elif isinstance(value, Bits):
        kind, data = _kind(value.dtype, value.shape, requires_grad=value.requires_grad), value.data
    elif isinstance(value, (list, tuple)):
        state.update(f"{'list' if isinstance(value, list) else 'tuple'} {len(value)};".encode())
        for item in value:
            _feed(state, item)
        return
    elif isinstance(value, Mapping):
        state.update(f"mapping {len(value)};".encode())
        for item in value.items():
            _feed(state, item)
        return
    else:
        kind, data = _scalar(value)
    state.update(f"{kind} {len(data)};".encode())
    state.update(data)


def _kind(dtype: str, shape: tuple[int, ...], *, requires_grad: bool) -> str:
    return f"tensor {dtype} {shape}{' requires_grad' if requires_grad else ''}"


def _scalar(value: Any) -> tuple[str, bytes]:
    if isinstance(value, float):
        return "float", value.hex().encode()
    if isinstance(value, complex):
        return "complex", f"{value.real.hex()} {value.imag.hex()}".encode()
    if isinstance(value, bytes):
        return "bytes", value
    if value is None or isinstance(value, (bool, int, str)):
        return type(value).__name__, str(value).encode("utf-8", "surrogatepass")
    raise _unknown(value)


def _unknown(value: Any) -> TypeError:
    return TypeError(f"a case cannot hold a {type(value).__name__}")


def _is_writable(text: str) -> bool:
    """Whether JSON gives `text` back: it writes a pair of surrogates as it writes one astral character."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_tensor(value: Any) -> bool:
    return _is_of_torch(value) and hasattr(value, "numel") and not isinstance(value, tuple)


def _is_size(value: Any) -> bool:
    return _is_of_torch(value) and isinstance(value, tuple) and hasattr(value, "numel")


def _is_of_torch(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "torch"


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _bytes(tensor: Any) -> bytes:
    """Row-major bytes, little-endian on every machine torch runs on."""
    raw = _UNKNOWN_TO_NUMPY.get(_dtype(tensor))
    if raw is not None:
        import torch

        tensor = tensor.detach().resolve_conj().view(getattr(torch, raw))
    return bytes(tensor.numpy(force=True).tobytes())


_UNKNOWN_TO_NUMPY = {
    "bfloat16": "int16", "complex32": "int32", "float8_e4m3fn": "uint8", "float8_e4m3fnuz": "uint8", "float8_e5m2": "uint8",
    "float8_e5m2fnuz": "uint8", "float8_e8m0fnu": "uint8",
}  # fmt: skip
