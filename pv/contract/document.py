"""The located YAML document: plain values, the place of every value and key, and what is wrong with the text.

YAML 1.2 core scalars over PyYAML's event parser: `1e-5` is a number, `on` is text. What a contract has no use for
(aliases, tags, merge keys, second documents) is refused, so that no short text can stand for a large value; size,
depth, nodes and scalars are bounded for the same reason.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from pv.contract.nodes import build
from pv.contract.quote import shorten
from pv.contract.rows import read_rows
from pv.finding import Exit, Finding, Place, PvError, Severity

MAX_BYTES = 8 * 1024 * 1024
MAX_FINDINGS = 100
"""Per file, over all that is said of it; see `capped`."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # libyaml's line breaks
_BAD_ESCAPE = "found invalid Unicode character escape code"  # libyaml's words for "\ud800"


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
        return Document(shown, None, (_error("PV105", Place(shown), f"more than {MAX_BYTES:,} bytes", hint),))
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return Document(shown, None, (_not_utf8(body, error.start, shown),))
    read = read_rows(text)
    if read is not None:
        return Document(shown, read[0], (), read[1])
    findings: list[Finding] = []

    def note(code: str, mark: Any, message: str, hint: str) -> bool:
        findings.append(_error(code, Place(shown, mark.line + 1, mark.column + 1), message, hint))
        return len(findings) <= MAX_FINDINGS

    values: list[Any] = []
    marks: list[Any] = []
    try:
        build(_events(body, text), note, values, marks)
    except yaml.reader.ReaderError:
        findings.append(_unprintable(text, shown))
    except yaml.MarkedYAMLError as error:
        findings.append(_unparsed(error, text, shown))
    return Document(shown, next(iter(values), None), capped(findings), next(iter(marks), None))


def capped(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """At most `MAX_FINDINGS` of one file; when there are more, the last one says so."""
    if len(findings) <= MAX_FINDINGS:
        return tuple(findings)
    kept = tuple(findings[: MAX_FINDINGS - 1])
    seen = f"more than {MAX_FINDINGS} findings: the rest of this file is not shown"
    return (*kept, _error("PV105", findings[len(kept)].place, seen, "mend those above first"))


def _error(code: str, place: Place, message: str, hint: str) -> Finding:
    return Finding(code, Severity.ERROR, place, message, hint)


def read_bytes(path: Path, shown: str) -> bytes | Finding:
    """The bytes of the regular file at `path`, one over the bound at most, or why not.

    O_NONBLOCK: a FIFO must not make us wait. Raises PvError (`Exit.ASK`) when there is nothing at `path`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
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
    return _error("PV104", Place(shown), f"{shorten(shown)} {problem}", "a contract is a regular file one may read")


def _events(body: bytes, text: str) -> Callable[[], Any]:
    """The next event of libyaml, or of PyYAML's own parser (20 times slower) where PyYAML was built without it."""
    if yaml.__with_libyaml__:
        from yaml._yaml import CParser

        events: Callable[[], Any] = cast(Any, CParser(body)).get_event  # the stubs leave it untyped
        return events
    return pure_events(text)


def pure_events(text: str) -> Callable[[], Any]:
    """The next event of PyYAML's own parser, which libyaml's refusal of impossible characters is added to."""
    loader: Any = cast(Any, yaml.SafeLoader(text))  # the stubs leave its methods untyped

    def next_event() -> Any:
        try:
            event = loader.get_event()
        except (ValueError, OverflowError) as error:  # chr() of an escape beyond U+10FFFF
            raise yaml.scanner.ScannerError(None, None, _BAD_ESCAPE, loader.get_mark()) from error
        value = getattr(event, "value", None)
        if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            raise yaml.scanner.ScannerError(None, None, _BAD_ESCAPE, event.start_mark)
        return event

    return next_event


def split_lines(text: str) -> list[str]:
    """The lines of `text` as places count them."""
    return _BREAK.split(text)


def _locate(text: str, shown: str) -> Place:
    """The place just after `text`, which is all that precedes it in the file."""
    lines = split_lines(text)
    return Place(shown, len(lines), len(lines[-1]) + 1)


def _not_utf8(body: bytes, start: int, shown: str) -> Finding:
    place = _locate(body[:start].decode("utf-8"), shown)
    return _error("PV104", place, f"byte 0x{body[start]:02x} is not UTF-8 text", "save the file as UTF-8")


def _unprintable(text: str, shown: str) -> Finding:
    match = _UNPRINTABLE.search(text)
    at = match.start() if match else 0
    seen = f"character U+{ord(text[at]):04X} is not text" if match else "a character is not text"
    return _error("PV104", _locate(text[:at], shown), seen, "remove it; in a quoted scalar write it as an escape")


def _unparsed(error: yaml.MarkedYAMLError, text: str, shown: str) -> Finding:
    mark: Any = error.problem_mark or error.context_mark
    at_end = mark is None or mark.index >= len(text)  # libyaml marks the end of the last line as one line further
    place = _locate(text, shown) if at_end else Place(shown, mark.line + 1, mark.column + 1)
    problem = error.problem or "the text is no YAML"
    if problem == _BAD_ESCAPE:
        return _error("PV106", place, "an escape that stands for no character", "write the character itself")
    if not at_end and text[mark.index] == "\t":
        return _error("PV101", place, "a tab where YAML admits only spaces", "indent with spaces")
    context = f" {error.context}" if error.context else ""
    began = f" that begins in line {error.context_mark.line + 1}" if context and error.context_mark else ""
    return _error("PV101", place, f"does not parse: {problem}{context}{began}", "see https://yaml.org/spec/1.2.2/")
