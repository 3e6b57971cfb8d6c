"""APR v2 files: 64 bytes of header with a checksum of their own, JSON, an index sorted by name, tensors, a last checksum."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zlib import crc32

from pv.checkpoints.bounded import MAX_TENSORS, Cursor, Source
from pv.checkpoints.dtypes import APR, APR_Q8_SCALE, blocks_size, count_of
from pv.checkpoints.layout import require_layout
from pv.checkpoints.model import Checkpoint, TensorEntry
from pv.checkpoints.text import read_json
from pv.contract.quote import shorten

FLAGS: Mapping[int, str] = {
    0x1: "LZ4", 0x2: "ZSTD", 0x4: "ENCRYPTED", 0x8: "SIGNED", 0x10: "SHARDED", 0x20: "QUANTIZED", 0x40: "HAS_FILTERBANK",
    0x80: "HAS_MODEL_CARD", 0x100: "STREAMING", 0x200: "HAS_VOCAB", 0x400: "LAYOUT_ROW_MAJOR",
    0x800: "LAYOUT_COLUMN_MAJOR",
}  # fmt: skip
_OPAQUE = ("LZ4", "ZSTD", "ENCRYPTED")  # with one of them, tensors do not lie there as they are described
_ROW_MAJOR, _COLUMN_MAJOR = 0x400, 0x800
_HEADER, _ALIGNMENT, _FOOTER = 64, 64, 4
_MAX_NAME, _MAX_DIMENSIONS = 256, 8
_DAMAGED = "the file is truncated, or its header is damaged"


@dataclass(frozen=True, slots=True)
class Header:
    """The first 64 bytes."""

    version: tuple[int, int]
    flags: int
    tensors: int
    metadata: int
    metadata_size: int
    index: int
    data: int
    checksum: int
    valid: bool


def read(source: Source) -> Checkpoint:
    """Header, metadata and index of an APR v2 file. Raises PvError; a wrong checksum is a problem of what is returned."""
    header = _header(source)
    _require_order(source, header)
    metadata = read_json(source, header.metadata, header.metadata_size, "its metadata", last_wins=True)
    cursor = Cursor(source, header.index, header.data)
    if header.tensors > min(
        MAX_TENSORS, (header.data - header.index) // 20
    ):  # two lengths, type, no size, offset, size
        raise source.refuse(f"its header declares {header.tensors:,} tensors; its index has no room for them")
    entries = tuple(_entry(cursor, header, position) for position in range(header.tensors))
    require_layout(source, entries, header.data, source.size - _FOOTER)
    facts, problems = tuple(_facts(source, header)), tuple(_problems(header, entries))
    return Checkpoint(source.path, "APR v2", source.size, metadata, entries, facts, problems)


def _header(source: Source) -> Header:
    if (magic := source.read(0, 4, "the magic")) != b"APR\0":
        raise source.refuse(
            f"this is {magic.decode()}, a format before APR v2", "convert it to APR v2: only that is read"
        )
    data = source.read(0, _HEADER, "the header")
    _, major, minor, flags, tensors, metadata, size, index, start, checksum = struct.unpack_from("<4sBBHIQIQQI", data)
    if major != 2:
        raise source.refuse(f"this is APR, version {major}.{minor}; version 2 is read")
    if flags & _COLUMN_MAJOR:
        raise source.refuse("LAYOUT_COLUMN_MAJOR is set: its tensors are transposed, which APR v2 forbids")
    valid = crc32(data[44:], crc32(data[:40])) == checksum
    return Header((major, minor), flags, tensors, metadata, size, index, start, checksum, valid)


def _require_order(source: Source, header: Header) -> None:
    """Header, metadata, index, tensors, last checksum: each ends before the next begins."""
    end = source.size - _FOOTER
    ends = (_HEADER, header.metadata, header.metadata + header.metadata_size, header.index, header.data, end)
    names = ("metadata_offset", "the end of the metadata", "tensor_index_offset", "data_offset", "the end of the data")
    for name, before, after in zip(names, ends, ends[1:], strict=False):
        if after < before:
            raise source.refuse(f"{name} is {after:,}, where {before:,} or more is needed", _DAMAGED)


def _entry(cursor: Cursor, header: Header, position: int) -> TensorEntry:
    source, what = cursor.source, f"the name of tensor {position}"
    length = cursor.number("H", what)
    if length > _MAX_NAME:
        raise source.refuse(f"{what} has {length:,} bytes; APR v2 has names of at most {_MAX_NAME}")
    name = cursor.text(length, what)
    what = f"the tensor {shorten(name)}"
    kind, dimensions = cursor.number("B", what), cursor.number("B", what)
    if dimensions > _MAX_DIMENSIONS:
        raise source.refuse(f"{what} has {dimensions} dimensions; APR v2 has at most {_MAX_DIMENSIONS}")
    shape = tuple(cursor.number("Q", what) for _ in range(dimensions))
    offset, size = cursor.number("Q", what), cursor.number("Q", what)
    if (count := count_of(shape)) is None:
        raise source.refuse(f"{what} has no shape that can be: {list(shape)}")
    dtype = APR[kind][0] if kind in APR else f"type {kind}"
    opaque = " | ".join(name for name in _names(header) if name in _OPAQUE)
    if kind in APR and not opaque and size not in (sizes := _sizes(kind, shape, count)):
        needed = " or ".join(f"{size:,}" for size in sorted(sizes))
        raise source.refuse(f"{what} takes {size:,} bytes; {count:,} elements of {dtype} are {needed}")
    return TensorEntry(name, dtype, shape, source.path, header.data + offset, size, opaque=opaque)


def _sizes(kind: int, shape: tuple[int, ...], count: int) -> set[int]:
    """How many bytes a tensor may take: blocks may be counted over all of it or row by row."""
    dtype, block, size = APR[kind]
    last = shape[-1] if shape else 1
    rows = count // last if count else 0
    scale = APR_Q8_SCALE if dtype == "AprQ8" else 0
    return {blocks_size(count, block, size) + scale, rows * blocks_size(last, block, size) + scale}


def _facts(source: Source, header: Header) -> Iterator[tuple[str, str]]:
    names = _names(header)
    if unknown := header.flags & ~sum(FLAGS):
        names.append(f"unknown {unknown:#x}")
    yield "Version", ".".join(map(str, header.version))
    yield "Checksum", "VALID (of the header)" if header.valid else "INVALID"
    yield "Data checksum", "not checked (what it covers is not specified)"
    yield "Flags", " | ".join(names) or "(none)"
    yield "Data Offset", f"{header.data:#x} ({header.data:,} bytes)"


def _names(header: Header) -> list[str]:
    return [name for bit, name in FLAGS.items() if header.flags & bit]


def _problems(header: Header, entries: tuple[TensorEntry, ...]) -> Iterator[str]:
    if not header.valid:
        yield f"the header's checksum is {header.checksum:#010x}, which is not that of its bytes: nothing in it can be believed"
    if not header.flags & _ROW_MAJOR:
        yield "LAYOUT_ROW_MAJOR is not set, which APR v2 requires"
    names = [entry.name.encode() for entry in entries]
    if names != sorted(names):
        yield "the index is not sorted by name, as APR v2 requires"
    if any(entry.offset - header.data & (_ALIGNMENT - 1) for entry in entries):
        yield f"tensors begin at offsets that are no multiples of {_ALIGNMENT}, as APR v2 requires"
