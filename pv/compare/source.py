"""The values of one side, read a piece at a time from wherever they lie: memory, a memory map, a file of tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pv.checkpoints.dtypes import GGML
from pv.checkpoints.model import TensorEntry
from pv.checkpoints.values import PIECE, pieces
from pv.finding import PvError

Array = NDArray[Any]

# What the formats call the dtypes that numbers are judged by; what is quantised comes out as float32.
NAMES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
    "F8_E4M3": "float8_e4m3", "F8_E5M2": "float8_e5m2", "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}  # fmt: skip
_BLOCKS = {name: (block, size) for name, block, size in GGML.values() if block > 1}


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """`pieces(start, stop)` gives the elements of that range in row-major order, `PIECE` at a time; `start` is a multiple
    of `PIECE`. `dtype` is what they are numbers of: bfloat16 where they lie as float32 that bfloat16 holds. `array` is
    what they lie in, where that is one.
    """

    shape: tuple[int, ...]
    dtype: str
    pieces: Callable[[int, int], Iterator[Array]]
    array: Array | None = None

    @property
    def whole(self) -> bool:
        """Whether they are whole numbers or truth values."""
        return self.dtype.startswith(("int", "uint", "bool"))


def of_array(array: Array, dtype: str = "") -> Values:
    """Those of a numpy array, which may be a memory map, and need not lie in order."""
    plain = np.asarray(array)  # slices of a memory map cost more than those of a plain view of it

    def read(start: int, stop: int) -> Iterator[Array]:
        flat = plain.reshape(-1) if plain.flags.c_contiguous else plain.flat  # which copies what is asked for
        for at in range(start, stop, PIECE):
            yield flat[at : min(at + PIECE, stop)]

    return Values(plain.shape, dtype or plain.dtype.name, read, plain)


def permuted(values: Values, order: Sequence[int]) -> Values:
    """The axes in another order. Raises ValueError for values that lie in no array."""
    if values.array is None:
        raise ValueError("values that lie in no array have no other order")
    return of_array(values.array.transpose(order), values.dtype)


def of_entry(entry: TensorEntry) -> Values:
    """Those of a tensor in a file, decoded.

    Reading them raises PvError: `Exit.RUN` where nothing here decodes them, `Exit.ASK` where the file is not what it was.
    """

    def read(start: int, stop: int) -> Iterator[Array]:
        try:
            if entry.held is None and (sizes := _sizes(entry)):
                block, size = sizes
                at, length = start // block * size, -(-(stop - start) // block) * size
                yield from pieces(replace(entry, shape=(stop - start,), offset=entry.offset + at, size=length))
            else:
                yield from islice(pieces(entry), start // PIECE, -(-stop // PIECE))
        except (OSError, ValueError) as error:
            raise PvError(
                f"{entry.file}: the values of {entry.name!r} cannot be read: {error}",
                hint="it may be cut off: fetch it again",
            ) from error

    return Values(entry.shape, NAMES.get(entry.dtype, "float32"), read)


def _sizes(entry: TensorEntry) -> tuple[int, int] | None:
    """Elements and bytes of a block; None where the values cannot be begun in the middle."""
    if entry.dtype in _BLOCKS and not entry.count % _BLOCKS[entry.dtype][0]:
        return _BLOCKS[entry.dtype]
    return (1, entry.size // entry.count) if entry.dtype in NAMES and entry.count and not entry.opaque else None
