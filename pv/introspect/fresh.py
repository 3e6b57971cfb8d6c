"""A model that is in no file, as a checkpoint: its weights with their values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pv.checkpoints import Checkpoint, TensorEntry

_DTYPES = {
    "float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ", "int64": "I64",
    "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
_WIDENED = ("BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ")  # numpy has none of them


def fresh_checkpoint(name: str, model: Any) -> Checkpoint:
    """Weights and buffers of the torch.nn.Module `model`, called `name`, in its order; what two names share is there once."""
    entries = tuple(_entries(model))
    return Checkpoint(Path(name), "fresh", sum(entry.size for entry in entries), {}, entries)


def _entries(model: Any) -> Iterator[TensorEntry]:
    import torch

    seen: set[int] = set()
    for name, weight in model.state_dict(keep_vars=True).items():  # detached, two names would never share one
        if not isinstance(weight, torch.Tensor) or id(weight) in seen:
            continue
        seen.add(id(weight))
        held, called = weight.detach().cpu(), str(weight.dtype).removeprefix("torch.")
        dtype = _DTYPES.get(called, called)
        values = (held.float() if dtype in _WIDENED else held).numpy() if called in _DTYPES else None
        opaque = "" if called in _DTYPES else f"values of {called}"
        yield TensorEntry(name, dtype, tuple(held.shape), None, 0, held.nbytes, values, opaque)
