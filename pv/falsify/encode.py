"""Arguments as bytes and as JSON: for telling cases apart and for keeping them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from pv.digest import hex_float


def fingerprint(values: Mapping[str, Any]) -> bytes:
    """SHA-256 over names, types, shapes and exact bytes of `values`; NaN payloads and signed zeros count."""
    state = hashlib.sha256()
    for name, value in values.items():
        _feed(state, name)
        _feed(state, value)
    return state.digest()


def encode(value: Any) -> Any:
    """`value` as JSON that holds every bit of it (numbers, text, None, lists, tuples, mappings, tensors)."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return {"float": hex_float(value)}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [encode(item) for item in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[encode(key), encode(item)] for key, item in value.items()]}
    if _is_tensor(value):
        return {"tensor": _dtype(value), "shape": list(value.shape), "data": base64.b64encode(_bytes(value)).decode()}
    raise TypeError(f"a case cannot hold a {type(value).__name__}")


def _feed(state: Any, value: Any) -> None:
    """Length before content, so that no two values run into each other."""
    if _is_tensor(value):
        kind, data = f"tensor {_dtype(value)} {tuple(value.shape)}", _bytes(value)
    elif isinstance(value, (list, tuple)):
        state.update(f"{type(value).__name__} {len(value)};".encode())
        for item in value:
            _feed(state, item)
        return
    elif isinstance(value, Mapping):
        state.update(f"mapping {len(value)};".encode())
        for item in value.items():
            _feed(state, item)
        return
    elif isinstance(value, float):
        kind, data = "float", value.hex().encode()
    elif value is None or isinstance(value, (bool, int, str)):
        kind, data = type(value).__name__, str(value).encode("utf-8", "surrogatepass")
    else:
        raise TypeError(f"a case cannot hold a {type(value).__name__}")
    state.update(f"{kind} {len(data)};".encode())
    state.update(data)


def _is_tensor(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "numel")


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _bytes(tensor: Any) -> bytes:
    """Row-major bytes, little-endian on every machine torch runs on."""
    import torch

    plain = tensor.detach().cpu().contiguous()
    return bytes(plain.reshape(-1).view(torch.uint8).numpy().tobytes()) if plain.numel() else b""
