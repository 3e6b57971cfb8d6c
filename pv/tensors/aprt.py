"""APRT files: the values of one stage as float32 behind twelve bytes of header. No shape, no dtype, no name of the stage.

0-3   b"APRT"
4-7   u32 little-endian: the layer, or 0xFFFFFFFF where the values are of the whole model
8-11  u32 little-endian: how many values follow
12-   float32 little-endian, row by row: NaN payloads, signed zeros and denormals bit for bit; nothing after them
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.checkpoints.bounded import open_source
from pv.finding import PvError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MAGIC = b"APRT"
HEADER = struct.Struct("<4sII")
WHOLE_MODEL = 0xFFFFFFFF
MOST_VALUES = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, eq=False)
class Aprt:
    """An APRT file: its layer, None where it is of the whole model, and its values, [n] float32 that cannot be written to."""

    layer: int | None
    values: NDArray[numpy.float32]


def encode(values: NDArray[numpy.float32], layer: int) -> NDArray[numpy.uint8]:
    """The bytes of the file that holds `values`, [n] float32, of `layer` (`WHOLE_MODEL`: of none).

    Raises ValueError, naming it, for another dtype or rank, a layer that is no u32, and more values than a u32 counts.
    """
    import numpy

    if values.dtype.newbyteorder("=") != numpy.float32 or values.ndim != 1:
        raise ValueError(f"APRT holds float32 in one row, not {values.dtype.name} of shape {list(values.shape)}")
    if not 0 <= layer <= WHOLE_MODEL:
        raise ValueError(f"the layer {layer} does not fit: 0 … {WHOLE_MODEL - 1}, or {WHOLE_MODEL} for the whole model")
    if values.size > MOST_VALUES:
        raise ValueError(f"{values.size} values do not fit: APRT counts at most {MOST_VALUES}")
    size, (room, copy) = encoded_size(values.size), _room.get() or (None, numpy.copyto)
    data = numpy.empty(size, numpy.uint8) if room is None or room.size < size else room[:size]
    data[: HEADER.size] = numpy.frombuffer(HEADER.pack(MAGIC, layer, values.size), numpy.uint8)
    copy(data[HEADER.size :].view("<f4"), values)
    return data


def encoded_size(count: int) -> int:
    """How many bytes the file of `count` values has."""
    return HEADER.size + 4 * count


Copy = Callable[[Any, Any], None]
"""`copy(into, values)`: float32 of one array [n] into another, bit for bit, as `numpy.copyto` does."""

_room: ContextVar[tuple[NDArray[numpy.uint8], Copy] | None] = ContextVar("room", default=None)


@contextmanager
def encoded_in(room: NDArray[numpy.uint8], copy: Copy) -> Iterator[None]:
    """In the block, what `encode` gives lies at the beginning of `room`, [m] bytes, if it is no longer than that, and `copy`
    puts the values there.

    Memory that is new takes several times as long to fill as what is used again. No arguments of `encode`: its bytes do not
    depend on them.
    """
    token = _room.set((room, copy))
    try:
        yield
    finally:
        _room.reset(token)


def decode(data: NDArray[numpy.uint8]) -> tuple[int, NDArray[numpy.float32]]:
    """The layer (`WHOLE_MODEL`: none) and the values, [n] float32, of the file with these bytes; the values share its memory.

    Raises ValueError that says what was seen and expected: fewer bytes than the header has, another magic, another size than
    the count asks for. Nothing is allocated by what the header says.
    """
    layer, count = read_header(data[: HEADER.size].tobytes())
    if data.size != HEADER.size + 4 * count:
        raise ValueError(
            f"its header counts {count} values, which takes {HEADER.size + 4 * count} bytes; it has {data.size}"
        )
    return layer, data[HEADER.size :].view("<f4")


def read_header(data: bytes) -> tuple[int, int]:
    """The layer (`WHOLE_MODEL`: none) and the count in the first bytes of a file; raises ValueError as `decode` does."""
    if len(data) < HEADER.size:
        raise ValueError(f"it has {len(data)} bytes; the header of an APRT file takes {HEADER.size}")
    magic, layer, count = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ValueError(f"it begins with {magic!r}; an APRT file begins with {MAGIC!r}")
    return layer, count


def layer_number(layer: int | None) -> int:
    """How a header writes a layer, None standing for the whole model. Raises ValueError for what no layer can be."""
    if layer is None:
        return WHOLE_MODEL
    if not 0 <= layer < WHOLE_MODEL:
        raise ValueError(f"the layer {layer} does not fit: 0 … {WHOLE_MODEL - 1}")
    return layer


def write_aprt(path: Path, values: NDArray[numpy.float32], layer: int | None) -> None:
    """Put `values`, float32 of any shape, row by row into the APRT file at `path`, whole or not at all.

    Raises ValueError as `encode` does, OSError where the file cannot be written.
    """
    from pv.write import write_whole

    write_whole(path, encode(values.reshape(-1), layer_number(layer)).data)


def read_aprt(path: Path) -> Aprt:
    """The APRT file at `path`, its values mapped and not read.

    Raises PvError for what is not there, is no regular file, or is not what its header says.
    """
    try:
        layer, values = decode(map_bytes(path))
    except ValueError as error:
        raise PvError(f"{path} is no APRT file: {error}", hint="docs/aprt.md has the layout; capture again") from error
    return Aprt(None if layer == WHOLE_MODEL else layer, values)


def map_bytes(path: Path) -> NDArray[numpy.uint8]:
    """The bytes of the regular file at `path`, [n], mapped for reading; raises PvError for what is none."""
    import numpy

    with open_source(path) as source:
        # A file of no bytes cannot be mapped.
        return numpy.memmap(path, numpy.uint8, "r") if source.size else numpy.empty(0, numpy.uint8)
