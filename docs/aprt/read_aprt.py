"""Reads APRT files with Python's standard library alone; copy it to wherever numpy is not.

python read_aprt.py FILE… tells the layer, the number of values, and the first of them.
"""

import os
import struct
import sys
from array import array
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct("<4sII")
WHOLE_MODEL = 0xFFFFFFFF


class Aprt(NamedTuple):
    """The layer, None where the values are of the whole model, and the values: an array of float32, bit for bit."""

    layer: int | None
    values: array


def read_aprt(path: str | os.PathLike[str]) -> Aprt:
    """The APRT file at `path`. Raises ValueError for what is not a whole one, before anything of the size it claims is read."""
    with Path(path).open("rb") as file:
        header, size = file.read(HEADER.size), os.fstat(file.fileno()).st_size
        if len(header) < HEADER.size:
            raise ValueError(f"{path} has {len(header)} bytes; an APRT file has a header of {HEADER.size}")
        magic, layer, count = HEADER.unpack(header)
        if magic != b"APRT":
            raise ValueError(f"{path} begins with {magic!r}, not with b'APRT'")
        if size != HEADER.size + 4 * count:
            raise ValueError(f"{path} has {size} bytes; {count} values take {HEADER.size + 4 * count}")
        values = array("f")
        values.frombytes(file.read())
    if sys.byteorder == "big":
        values.byteswap()
    return Aprt(None if layer == WHOLE_MODEL else layer, values)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        found = read_aprt(name)
        whose = "whole model" if found.layer is None else f"layer {found.layer}"
        print(f"{name}: {whose}, {len(found.values)} values: {list(found.values[:4])}")
