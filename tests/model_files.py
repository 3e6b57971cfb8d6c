"""Files of tensors for tests, written byte by byte from the published tables, so that each byte can be made wrong."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

Row = tuple[str, int, Sequence[int], bytes]  # name, number of the dtype, sizes, values


def safetensors_bytes(header: Mapping[str, Any] | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """Length of the header, the header, the values."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def floats(*values: float) -> bytes:
    """As float32."""
    return struct.pack(f"<{len(values)}f", *values)


def apr_bytes(
    rows: Sequence[Row], metadata: Mapping[str, Any] | bytes = b"{}", *, flags: int = 0x400, magic: bytes = b"APR\0",
    version: tuple[int, int] = (2, 0), **wrong: int,
) -> bytes:  # fmt: skip
    """An APR v2 file. `wrong` puts other numbers where the header has count, meta, size, index, data, checksum."""
    text = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
    index, data = b"", b""
    for name, dtype, sizes, values in rows:
        data += bytes(-len(data) % 64)
        index += struct.pack("<H", len(name.encode())) + name.encode() + struct.pack("<BB", dtype, len(sizes))
        index += struct.pack(f"<{len(sizes)}Q", *sizes) + struct.pack("<QQ", len(data), len(values))
        data += values
    at = 64 + len(text) + -len(text) % 64
    start = at + len(index) + -(at + len(index)) % 64
    fields = {"count": len(rows), "meta": 64, "size": len(text), "index": at, "data": start, **wrong}
    head = magic + struct.pack("<BBH", *version, flags) + struct.pack("<I", fields["count"])
    head += struct.pack("<QI", fields["meta"], fields["size"]) + struct.pack("<QQ", fields["index"], fields["data"])
    reserved = bytes(20)
    head += struct.pack("<I", wrong.get("checksum", crc32(head + reserved))) + reserved
    body = (head + text).ljust(at, b"\0") + index
    return body.ljust(start, b"\0") + data + bytes(4)


def gguf_text(text: str | bytes) -> bytes:
    """A text as GGUF has it: length and bytes."""
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_key(name: str | bytes, kind: int, value: bytes) -> bytes:
    """A key with the number of its type and its value."""
    return gguf_text(name) + struct.pack("<I", kind) + value


def gguf_tensor(name: str | bytes, sizes: Sequence[int], kind: int, offset: int) -> bytes:
    """What GGUF says of one tensor; `sizes` innermost first."""
    dimensions = struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)
    return gguf_text(name) + dimensions + struct.pack("<IQ", kind, offset)


def gguf_bytes(
    keys: Sequence[bytes] = (), tensors: Sequence[bytes] = (), data: bytes = b"", *, version: int = 3,
    counts: tuple[int, int] | None = None, alignment: int = 32,
) -> bytes:  # fmt: skip
    """A GGUF file; `counts` declares other numbers of tensors and keys than there are."""
    declared = (len(tensors), len(keys)) if counts is None else counts
    head = b"GGUF" + struct.pack("<IQQ", version, *declared) + b"".join(keys) + b"".join(tensors)
    return head + bytes(-len(head) % alignment) + data
