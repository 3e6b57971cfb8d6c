"""Whether the tensors of a file lie in it, each in bytes of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pv.checkpoints.bounded import Source
from pv.checkpoints.model import TensorEntry
from pv.contract.quote import shorten


def require_layout(
    source: Source, entries: Sequence[TensorEntry], start: int, end: int | None = None, *, whole: bool = False
) -> None:
    """Refuse a name that occurs twice, a tensor outside `start` … `end` (of the file), and two in the same bytes.

    With `whole`, also bytes from `start` on that belong to no tensor.
    """
    last = source.size if end is None else end
    names: set[str] = set()
    for entry in entries:
        if entry.name in names:
            raise source.refuse(f"the tensor {shorten(entry.name)} occurs twice")
        names.add(entry.name)
        after = entry.offset + entry.size
        if not start <= entry.offset or after > last:
            raise source.refuse(
                f"the tensor {shorten(entry.name)} would be bytes {entry.offset:,} to {after:,}; "
                f"tensors are bytes {start:,} to {last:,}",
                hint="the file is truncated, or its header is damaged: fetch it again",
            )
    _require_apart(source, entries, start, whole)


def _require_apart(source: Source, entries: Sequence[TensorEntry], start: int, whole: bool) -> None:
    at, before = start, ""
    for entry in sorted((entry for entry in entries if entry.size), key=lambda entry: entry.offset):
        if entry.offset < at:
            raise source.refuse(f"the tensors {shorten(before)} and {shorten(entry.name)} overlap")
        if whole and entry.offset > at:
            raise source.refuse(f"bytes {at:,} to {entry.offset:,} belong to no tensor")
        at, before = entry.offset + entry.size, entry.name
    if whole and at != source.size:
        raise source.refuse(f"bytes {at:,} to {source.size:,}, the last ones, belong to no tensor")
