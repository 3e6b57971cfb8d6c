"""GGUF files, versions 2 and 3: keys with values, then tensors; sizes innermost first in the file, outermost first here."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from pv.checkpoints.bounded import MAX_TENSORS, Cursor, Source
from pv.checkpoints.dtypes import GGML, blocks_size, count_of
from pv.checkpoints.layout import require_layout
from pv.checkpoints.model import Array, Checkpoint, TensorEntry
from pv.contract.quote import shorten

_ALIGNMENT = 32  # where general.alignment says nothing else
_MAX_DIMENSIONS = 8
_MAX_NESTING = 4
_MAX_KEYS = 10_000
_NESTED = 30  # steps that an array in an array takes, against one of a text that is passed over
_HEAD = 5  # items of an array that are kept to be shown

# number: (name, how it is packed); 8 is a text and 9 an array
_SCALARS: Mapping[int, tuple[str, str]] = {
    0: ("uint8", "B"), 1: ("int8", "b"), 2: ("uint16", "H"), 3: ("int16", "h"), 4: ("uint32", "I"), 5: ("int32", "i"),
    6: ("float32", "f"), 7: ("bool", "?"), 10: ("uint64", "Q"), 11: ("int64", "q"), 12: ("float64", "d"),
}  # fmt: skip
_STRING, _ARRAY = 8, 9

# general.file_type, as llama.cpp numbers the schemes; 4 to 6 and 33 to 35 were withdrawn
_FILE_TYPES: Mapping[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4", 39: "NVFP4", 40: "Q1_0",
}  # fmt: skip


def read(source: Source) -> Checkpoint:
    """The header of a GGUF file: all keys and all tensors. Raises PvError."""
    cursor = Cursor(source, 4)
    version = cursor.number("I", "the version")
    if version not in (2, 3):
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        seen = f"big-endian, version {swapped}" if swapped in (2, 3) else f"version {version:,}"
        raise source.refuse(f"this is GGUF, {seen}; little-endian versions 2 and 3 are read")
    tensors, keys = cursor.number("Q", "the number of tensors"), cursor.number("Q", "the number of keys")
    _require_count(cursor, tensors, 24, "tensors", MAX_TENSORS)  # name's length, number of sizes, type, offset
    _require_count(cursor, keys, 12, "keys", _MAX_KEYS)
    metadata = dict(_metadata(cursor, keys))
    described = [_described(cursor, position) for position in range(tensors)]
    alignment = metadata.get("general.alignment", _ALIGNMENT)
    if type(alignment) is not int or not 0 < alignment <= 2**20 or alignment % 8:
        raise source.refuse(f"general.alignment is {shorten(alignment)}; a multiple of 8 up to 2^20 is needed")
    start = -(-cursor.at // alignment) * alignment
    entries = tuple(_entries(source, described, start, alignment))
    require_layout(source, entries, start)
    facts = tuple(_facts(version, alignment, metadata, entries))
    return Checkpoint(source.path, "GGUF", source.size, metadata, entries, facts)


def _facts(
    version: int, alignment: int, metadata: Mapping[str, Any], entries: tuple[TensorEntry, ...]
) -> Iterator[tuple[str, str]]:
    yield "Version", str(version)
    yield "Alignment", str(alignment)
    scheme = metadata.get("general.file_type")
    if type(scheme) is int:
        yield "Quantization", f"{_FILE_TYPES.get(scheme, 'unknown')} (general.file_type {scheme})"
    if unknown := sorted({entry.dtype for entry in entries if entry.dtype.startswith("type ")}):
        yield "Unknown types", f"{', '.join(unknown)}: their sizes are up to the next tensor"


def _require_count(cursor: Cursor, count: int, least: int, what: str, most: int) -> None:
    """Refuse a number of things that the rest of the file has no room for."""
    room = (cursor.source.size - cursor.at) // least
    if count > min(room, most):
        limit = f"at most {most:,} are read" if room > most else f"the file has room for {room:,}"
        raise cursor.source.refuse(f"its header declares {count:,} {what}; {limit}")


def _metadata(cursor: Cursor, count: int) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for position in range(count):
        cursor.step()
        key = cursor.text(cursor.number("Q", f"the length of key {position}"), f"the name of key {position}")
        if key in seen:
            raise cursor.source.refuse(f"the key {shorten(key)} occurs twice")
        seen.add(key)
        yield key, _value(cursor, cursor.number("I", f"the type of {shorten(key)}"), f"the key {shorten(key)}", 0)


def _value(cursor: Cursor, kind: int, what: str, depth: int) -> Any:
    if kind in _SCALARS:
        return cursor.number(_SCALARS[kind][1], what)
    if kind == _STRING:
        return cursor.text(cursor.number("Q", what), what)
    if kind == _ARRAY and depth < _MAX_NESTING:
        return _array(cursor, what, depth)
    problem = f"nests arrays deeper than {_MAX_NESTING}" if kind == _ARRAY else f"has the type {kind:,}, which is none"
    raise cursor.source.refuse(f"{what} {problem}")


def _array(cursor: Cursor, what: str, depth: int) -> Array:
    kind, count = cursor.number("I", what), cursor.number("Q", what)
    if kind not in _SCALARS and kind not in (_STRING, _ARRAY):
        raise cursor.source.refuse(f"{what} has the type {kind:,}, which is none")
    least = struct.calcsize(f"<{_SCALARS[kind][1]}") if kind in _SCALARS else 8
    cursor.require(count * least, what)
    if kind not in _SCALARS:
        cursor.step(count * (_NESTED if kind == _ARRAY else 1))
    head = tuple(_value(cursor, kind, what, depth + 1) for _ in range(min(count, _HEAD)))
    rest = count - len(head)
    if kind in _SCALARS:
        cursor.skip(rest * least, what)
    elif kind == _STRING:
        cursor.skip_texts(rest, what)
    else:
        for _ in range(rest):
            _value(cursor, kind, what, depth + 1)
    return Array({_STRING: "text", _ARRAY: "array"}.get(kind) or _SCALARS[kind][0], count, head)


def _described(cursor: Cursor, position: int) -> tuple[str, tuple[int, ...], int, int]:
    """Name, shape, type and offset of the next tensor."""
    cursor.step()
    what = f"the name of tensor {position}"
    name = cursor.text(cursor.number("Q", what), what)
    what = f"the tensor {shorten(name)}"
    dimensions = cursor.number("I", what)
    if dimensions > _MAX_DIMENSIONS:
        raise cursor.source.refuse(f"{what} has {dimensions:,} dimensions; at most {_MAX_DIMENSIONS} are read")
    sizes = tuple(cursor.number("Q", what) for _ in range(dimensions))
    return name, sizes[::-1], cursor.number("I", what), cursor.number("Q", what)


def _entries(
    source: Source, described: list[tuple[str, tuple[int, ...], int, int]], start: int, alignment: int
) -> Iterator[TensorEntry]:
    ends = sorted({start + offset for *_, offset in described} | {source.size})
    after = dict(zip(ends, [*ends[1:], source.size], strict=True))
    for name, shape, kind, offset in described:
        what = f"the tensor {shorten(name)}"
        count = count_of(shape)
        if count is None:
            raise source.refuse(f"{what} has no shape that can be: {list(shape)}")
        if offset % alignment:
            raise source.refuse(f"{what} begins at {offset:,}, which is no multiple of {alignment}")
        if kind not in GGML:
            size = max(0, after[start + offset] - start - offset)
            yield TensorEntry(name, f"type {kind}", shape, source.path, start + offset, size)
            continue
        dtype, block, size = GGML[kind]
        if shape and shape[-1] % block:
            raise source.refuse(f"{what} has rows of {shape[-1]:,}; {dtype} has blocks of {block}")
        yield TensorEntry(name, dtype, shape, source.path, start + offset, blocks_size(count, block, size))
