"""The version of a contract file, replaced where it stands; every other byte is kept."""

from __future__ import annotations

import re
from pathlib import Path

from pv.contract.document import Document, parse_document
from pv.finding import Exit, PvError
from pv.write import write_whole

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what places count as a line break: libyaml's, see document.py
_BOM = b"\xef\xbb\xbf"


def with_version(data: bytes, shown: str, version: str) -> bytes:
    """`data` with `version` as its `metadata.version`, between the quotes that were there.

    Raises PvError when that would change anything else: the text has findings (a key that stands twice, say), or the
    version is not written out in one piece.
    """
    document = parse_document(data, shown)
    if document.findings:
        first = document.findings[0]
        hint = f"mend {first.place} first: {first.message}"
        raise PvError(f"{shown} cannot be bumped: its text has findings", exit=Exit.MEND, hint=hint)
    head = _BOM if data.startswith(_BOM) else b""
    text = data.removeprefix(_BOM).decode("utf-8")
    start, end = _span(document, text)
    changed = head + (text[:start] + version + text[end:]).encode("utf-8")
    if not _differs_in_version_only(document, parse_document(changed, shown), version):
        raise _refused(document)
    return changed


def replace_bytes(path: Path, before: bytes, after: bytes) -> None:
    """`after` instead of `before` in the file at `path`, whole or not at all; its mode is kept.

    Raises PvError when the file holds something else than `before` by now, or cannot be written.
    """
    target = path.resolve()  # a link goes on pointing to it
    try:
        if target.read_bytes() != before:
            raise PvError(f"{path} was changed while it was read", exit=Exit.MEND, hint="run it again")
        write_whole(target, after, mode=target.stat().st_mode & 0o7777)
    except OSError as error:
        raise PvError(
            f"cannot write {path}: {error.strerror or error}",
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error


def _span(document: Document, text: str) -> tuple[int, int]:
    """Where the characters of the version begin and end, quotes not counted."""
    written = document.value["metadata"]["version"]
    place = document.place(("metadata", "version"))
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    start = starts[place.line - 1] + place.column - 1
    start += text[start : start + 1] in ("'", '"')
    if not text.startswith(written, start):
        raise _refused(document)
    return start, start + len(written)


def _differs_in_version_only(before: Document, after: Document, version: str) -> bool:
    if after.findings:
        return False
    value = {**before.value, "metadata": {**before.value["metadata"], "version": version}}
    return bool(value == after.value)


def _refused(document: Document) -> PvError:
    place = document.place(("metadata", "version"))
    return PvError(
        f"{place}: the version is not written out in one piece, so pv cannot be sure of changing nothing else",
        exit=Exit.MEND,
        hint="write it as in `version: 1.4.0`",
    )
