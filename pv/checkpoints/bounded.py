"""The one way the header of a file is read: every length is held against the file and a limit before anything is allocated.

The limits let the largest published models through; what a reader keeps within them stays below 100 MB.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pv.finding import PvError

MAX_JSON = 16 * 1024 * 1024
MAX_JSON_VALUES = 300_000
MAX_JSON_DEPTH = 64
MAX_TENSORS = 65_536
MAX_TEXT = 8 * 1024 * 1024  # of all names, keys and texts of one header
MAX_STEPS = 1_500_000  # values and strings that one header makes us look at, one by one
_WINDOW = 1024 * 1024
_LENGTH = struct.Struct("<Q")


class Source:
    """A regular file that is open for reading, and its size when it was opened."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.size = os.fstat(stream.fileno()).st_size
        self._stream = stream

    def read(self, offset: int, count: int, what: str) -> bytes:
        """The `count` bytes at `offset`, which are `what`. Raises PvError when the file does not have them."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise self.refuse(f"{what} would be bytes {offset:,} to {offset + count:,}; the file has {self.size:,}")
        self._stream.seek(offset)
        data = self._stream.read(count)
        if len(data) != count:
            raise self.refuse(f"the file became shorter while {what} was read")
        return data

    def refuse(self, problem: str, hint: str = "fetch it again, or name another file") -> PvError:
        """The error that says why this file cannot be read."""
        return PvError(f"{self.path}: {problem}", hint=hint)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """`path`, opened. Raises PvError for what is not there, may not be read, or is no regular file."""
    # Without O_NONBLOCK a FIFO would be waited for, and a device might do something when it is opened.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise PvError(f"{path} is no regular file", hint="name a file of tensors, or the folder it lies in")
        with os.fdopen(os.open(path, flags), "rb", buffering=0) as stream:
            yield Source(path, stream)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise PvError(
            f"{path} cannot be read: {reason}", hint="see that it is there, and that you may read it"
        ) from error


class Cursor:
    """Reads a header from one end to the other, little-endian, a window at a time."""

    def __init__(self, source: Source, at: int, end: int | None = None) -> None:
        self.source = source
        self.at = at
        self.end = source.size if end is None else end
        self._window = b""
        self._start = at
        self._text = MAX_TEXT
        self._steps = MAX_STEPS

    def number(self, form: str, what: str) -> Any:
        """The next number, packed as `form` says (see `struct`)."""
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}"), what))[0]

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes."""
        self.require(count, what)
        offset = self.at - self._start
        if offset < 0 or offset + count > len(self._window):
            self._fill(count, what)
            offset = 0
        self.at += count
        return self._window[offset : offset + count]

    def _fill(self, count: int, what: str) -> None:
        self._window = self.source.read(self.at, min(max(count, _WINDOW), self.end - self.at), what)
        self._start = self.at

    def text(self, count: int, what: str) -> str:
        """The next `count` bytes as UTF-8."""
        self.require(count, what)
        self._text -= count
        if self._text < 0:
            raise self.source.refuse(f"{what} has {count:,} bytes; its header may hold {MAX_TEXT:,} bytes of text")
        try:
            return self.take(count, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.source.refuse(f"{what} is not UTF-8 (byte {error.start:,} of it)") from error

    def skip(self, count: int, what: str) -> None:
        """Go `count` bytes on without reading them."""
        self.require(count, what)
        self.at += count

    def skip_texts(self, count: int, what: str) -> None:
        """Go on over `count` texts, each behind its length: a tokenizer has hundreds of thousands."""
        while count:
            self.require(_LENGTH.size, what)
            if not self._start <= self.at <= self._start + len(self._window) - _LENGTH.size:
                self._fill(_LENGTH.size, what)
            begin = at = self.at - self._start
            window, last = self._window, len(self._window) - _LENGTH.size
            while count and at <= last:
                at += _LENGTH.size + _LENGTH.unpack_from(window, at)[0]
                count -= 1
            self.require(at - begin, what)
            self.at += at - begin

    def require(self, count: int, what: str) -> None:
        """Refuse a length that the rest of the header does not have."""
        if count > self.end - self.at:
            raise self.source.refuse(f"{what} has {count:,} bytes; {max(0, self.end - self.at):,} are left of the file")

    def step(self, count: int = 1) -> None:
        """Account for `count` things that are looked at one by one."""
        self._steps -= count
        if self._steps < 0:
            raise self.source.refuse(f"its header has more than {MAX_STEPS:,} values, or arrays that take as long")
