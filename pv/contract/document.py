"""The located YAML document: plain values, the place of every value and key, and what is wrong with the text.

YAML 1.2 core scalars: `1e-5` is a number, `on` is text. What a contract has no use for (aliases, tags, merge keys, second
documents) is refused, so that no short text can stand for a large value; size, depth, nodes and scalars are bounded for the
same reason. Most contracts are read by rows (`pv.contract.rows`), everything else over PyYAML's events (`pv.contract.parser`).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pv.contract.bounds import MAX_BYTES, MAX_FINDINGS
from pv.contract.quote import shorten
from pv.contract.rows import read_rows
from pv.finding import Exit, Finding, Place, PvError, Severity

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # libyaml's line breaks


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One YAML file. `value` is what could be read of it; it is whole when `findings` holds nothing but PV102."""

    path: str
    value: Any
    findings: tuple[Finding, ...]
    marks: tuple[Any, ...] | None = None

    def place(self, pointer: Sequence[str | int], *, key: bool = False) -> Place:
        """Where the value at `pointer` begins, or its key; for what is not there, its nearest existing ancestor."""
        if self.marks is None:
            return Place(self.path)
        found = node = self.marks
        for step in pointer:
            below = node[2] if len(node) == 3 else None
            if type(below) is dict and step in below:
                found = below[step]
                node = found[2]
                if not key:
                    found = node
            elif type(below) is list and type(step) is int and 0 <= step < len(below):
                found = node = below[step]
            else:
                break
        return Place(self.path, found[0] + 1, found[1] + 1)


def read_document(path: Path, shown: str) -> Document:
    """The document in the file at `path`, called `shown` in findings.

    What cannot be read as text is a finding. Raises PvError (`Exit.ASK`) when there is nothing at `path`.
    """
    data = read_bytes(path, shown)
    if isinstance(data, Finding):
        return Document(shown, None, (data,))
    return parse_document(data, shown)


def parse_document(data: bytes, shown: str) -> Document:
    """The document in `data`, UTF-8 with or without a byte order mark; what is wrong with it becomes findings."""
    if len(data) > MAX_BYTES:
        hint = "split the file; a contract of the usual size has 10 KB"
        return Document(shown, None, (fault("PV105", Place(shown), f"more than {MAX_BYTES:,} bytes", hint),))
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return Document(shown, None, (_not_utf8(body, error.start, shown),))
    read = read_rows(text)
    if read is not None:
        return Document(shown, read[0], (), read[1])
    from pv.contract.parser import parse  # which loads PyYAML, for as long as a small contract takes to be judged

    value, marks, findings = parse(body, text, shown)
    return Document(shown, value, capped(findings), marks)


def capped(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """At most `MAX_FINDINGS` of one file; when there are more, the last one says so."""
    if len(findings) <= MAX_FINDINGS:
        return tuple(findings)
    kept = tuple(findings[: MAX_FINDINGS - 1])
    seen = f"more than {MAX_FINDINGS} findings: the rest of this file is not shown"
    return (*kept, fault("PV105", findings[len(kept)].place, seen, "mend those above first"))


def fault(code: str, place: Place, message: str, hint: str) -> Finding:
    """What is wrong with a document."""
    return Finding(code, Severity.ERROR, place, message, hint)


def read_bytes(path: Path, shown: str) -> bytes | Finding:
    """The bytes of the regular file at `path`, one over the bound at most, or why not.

    O_NONBLOCK: a FIFO must not make us wait. Raises PvError (`Exit.ASK`) when there is nothing at `path`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and path.is_symlink():
            return _unreadable(shown, f"is a link to {shorten(os.fspath(path.readlink()))}, where nothing is")
        hint = "name a contract file or a folder of contracts"
        raise PvError(f"there is no file {shorten(shown)}", exit=Exit.ASK, hint=hint) from error
    except OSError as error:
        return _unreadable(shown, f"cannot be opened: {error.strerror}")
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            return _unreadable(shown, "is no regular file")
        asked = min(state.st_size, MAX_BYTES) + 1  # a buffer for the largest file takes longer than reading a usual one
        data = os.read(descriptor, asked)
        while len(data) == asked <= MAX_BYTES:  # it grows, or its size is not told, as in /proc
            asked = MAX_BYTES + 1
            data += os.read(descriptor, asked - len(data))
        return data
    except OSError as error:
        return _unreadable(shown, f"cannot be read: {error.strerror}")
    finally:
        os.close(descriptor)


def _unreadable(shown: str, problem: str) -> Finding:
    return fault("PV104", Place(shown), f"{shorten(shown)} {problem}", "a contract is a regular file one may read")


def split_lines(text: str) -> list[str]:
    """The lines of `text` as places count them."""
    return _BREAK.split(text)


def locate(text: str, shown: str) -> Place:
    """The place just after `text`, which is all that precedes it in the file."""
    lines = split_lines(text)
    return Place(shown, len(lines), len(lines[-1]) + 1)


def _not_utf8(body: bytes, start: int, shown: str) -> Finding:
    place = locate(body[:start].decode("utf-8"), shown)
    return fault("PV104", place, f"byte 0x{body[start]:02x} is not UTF-8 text", "save the file as UTF-8")
