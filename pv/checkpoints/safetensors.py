"""Safetensors files: a length, JSON that names every tensor with its place, and then nothing but their bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from pv.checkpoints.bounded import MAX_TENSORS, Source
from pv.checkpoints.dtypes import SAFETENSORS, count_of
from pv.checkpoints.layout import require_layout
from pv.checkpoints.model import Checkpoint, TensorEntry
from pv.checkpoints.text import mapping, read_json
from pv.contract.quote import nearest, shorten


def read(source: Source) -> Checkpoint:
    """The header of a safetensors file. Raises PvError where the format's own library would refuse it too."""
    size = struct.unpack("<Q", source.read(0, 8, "the length of the header"))[0]
    if size > source.size - 8:
        raise source.refuse(f"its header would have {size:,} bytes; the file has {source.size:,}")
    header = read_json(source, 8, size, "its header")
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in mapping(source, metadata, "__metadata__").values()):
        raise source.refuse("__metadata__ has values that are no texts")
    if len(header) > MAX_TENSORS:
        raise source.refuse(f"it has {len(header):,} tensors; at most {MAX_TENSORS:,} are read")
    entries = tuple(_entries(source, header, 8 + size))
    require_layout(source, entries, 8 + size, whole=True)
    return Checkpoint(source.path, "safetensors", source.size, metadata, entries)


def _entries(source: Source, header: Mapping[str, Any], start: int) -> Iterator[TensorEntry]:
    for name, fields in header.items():
        what = f"the tensor {shorten(name)}"
        row = mapping(source, fields, what)
        dtype, shape, offsets = row.get("dtype"), row.get("shape"), row.get("data_offsets")
        if not isinstance(dtype, str) or dtype not in SAFETENSORS:
            raise source.refuse(f"{what} has the dtype {shorten(dtype)}; {nearest(str(dtype), SAFETENSORS)}")
        if not _are_sizes(shape) or (count := count_of(shape)) is None:
            raise source.refuse(f"{what} has no shape that can be: {str(shape)[:80]}")
        if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
            raise source.refuse(f"{what} has no data_offsets that can be: {str(offsets)[:80]}")
        size = offsets[1] - offsets[0]
        if size * 8 != count * SAFETENSORS[dtype]:
            needed = f"{count:,} elements of {dtype} are {count * SAFETENSORS[dtype] / 8:,.10g} bytes"
            raise source.refuse(f"{what} takes {size:,} bytes; {needed}")
        yield TensorEntry(name, dtype, tuple(shape), source.path, start + offsets[0], size)


def _are_sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 2**63 for size in value)
