"""Captured values that float32 cannot hold, float64 and integers: a safetensors file each, the tensor named for its stage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.checkpoints import read_checkpoint
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

_DTYPES = {
    "F64": "<f8", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
    "BOOL": "?",
}  # fmt: skip


def exact_bytes(stage: str, values: NDArray[Any]) -> bytes:
    """The safetensors file that holds `values` as `stage`. Raises ValueError for a dtype that no capture has."""
    import numpy
    from safetensors.numpy import save

    if values.dtype.newbyteorder("<") not in map(numpy.dtype, _DTYPES.values()):
        raise ValueError(f"{stage} is {values.dtype.name}, which a capture does not hold")
    return bytes(save({stage: numpy.ascontiguousarray(values).reshape(values.shape)}))


def exact_values(path: Path, data: NDArray[numpy.uint8], stage: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """The tensor `stage` in the safetensors file at `path`, whose bytes are `data`; they share memory.

    Raises PvError where the file has no such tensor of that shape alone.
    """
    tensors = read_checkpoint(path).tensors
    entry = tensors[0] if len(tensors) == 1 else None
    if entry is None or (entry.name, entry.shape) != (stage, shape) or entry.dtype not in _DTYPES:
        seen = ", ".join(f"{entry.name!r} {entry.dtype} {list(entry.shape)}" for entry in tensors[:3]) or "nothing"
        raise PvError(f"{path} holds {seen}; {stage!r} {list(shape)} is needed", exit=Exit.RUN, hint="capture again")
    return data[entry.offset : entry.offset + entry.size].view(_DTYPES[entry.dtype]).reshape(shape)
