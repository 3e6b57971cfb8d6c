"""What code a call enters and which files it opens, as seen while it runs.

Functions are seen through `sys.setprofile` in the calling thread and in those it starts: cheap enough to leave on for every
call, and it needs no co-operation. Files are seen through the interpreter's audit events.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

# What pv itself does around a call (an adapter, the end of tracing) is entered while it watches, and is no code under test.
_HERE = f"{Path(__file__).parent}{os.sep}"
_COMPILER = f"{os.sep}torch{os.sep}_dynamo{os.sep}"


class Tracer:
    """Collects code objects and opened files below `root` while `watching()`."""

    def __init__(self, root: Path) -> None:
        self._root = str(root.resolve()) + "/" if str(root.resolve()) != "/" else "/"
        self._codes: dict[int, CodeType] = {}
        self._opened: set[tuple[str, str]] = set()
        self._changed: set[str] = set()
        self._displaced = False
        self._watching = False
        sys.addaudithook(self._audit)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Trace the calling thread until the end of the block."""
        self.start()
        try:
            yield
        finally:
            self.stop()

    def start(self) -> None:
        """As `watching`, for a caller that cannot afford a context manager on every call."""
        self._watching = True
        threading.setprofile(self._profile)  # for threads that the call starts
        sys.setprofile(self._profile)

    def stop(self) -> None:
        """The end of `start`."""
        self._displaced |= sys.getprofile() != self._profile
        sys.setprofile(None)
        threading.setprofile(None)
        self._watching = False

    def forget(self) -> None:
        """Start over: the next question is about what happens from now on."""
        self._codes.clear()
        self._opened.clear()
        self._changed.clear()

    def entered(self) -> set[tuple[str, str]]:
        """(path relative to the root, qualified name) of every function entered."""
        found = set()
        for code in self._codes.values():
            path = self._relative(code.co_filename)
            if path is not None and not code.co_filename.startswith(_HERE):
                found.add((path, code.co_qualname))
        return found

    @property
    def blind(self) -> bool:
        """Whether torch compiled what was called: what runs then enters no function."""
        return any(_COMPILER in code.co_filename for code in self._codes.values())

    def opened(self) -> set[str]:
        """Paths relative to the root of the files opened for reading."""
        return {path for _, path in self.opened_by()}

    def opened_by(self) -> set[tuple[str, str]]:
        """(path of the innermost file of the project that was running, path of the file it had opened)."""
        found = ((self._relative(opener), self._relative(name)) for opener, name in self._opened)
        return {(opener or "", path) for opener, path in found if path is not None}

    def interfered(self) -> str:
        """What was done that keeps the rest from being believed, in words; empty when nothing was.

        Files below the root that were written or moved at any time since `forget`, and a profile function that somebody
        else put in the place of this one: what was entered after that has not been seen.
        """
        paths = {path for name in self._changed if (path := self._relative(name)) is not None}
        found = sorted(path for path in paths if not _CACHES & {*Path(path).parts})
        if found:
            return f"it wrote to, moved or removed {found[0]} of the project"
        return "it ended the tracing of its calls (sys.setprofile)" if self._displaced else ""

    def _relative(self, name: str) -> str | None:
        if name.startswith("<"):  # made at run time, as a dataclass makes its __init__: the class is in its module
            return None
        path = str(Path(name).resolve()) if not name.startswith(self._root) else name
        if not path.startswith(self._root) or "/site-packages/" in path or "/.venv/" in path:
            return None
        return Path(path[len(self._root) :]).as_posix()

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            self._codes[id(code)] = code  # kept alive, so the id stays its own

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            if self._watching and _reads(arguments[1]):
                self._opened.add((self._running(), os.fsdecode(arguments[0])))
            if _writes(*arguments[1:]):
                self._changed.add(os.fsdecode(arguments[0]))
        elif event in _CHANGING and not any(isinstance(number, int) and number != -1 for number in arguments):
            # Not with a descriptor of a folder: the names would be relative to that, as where a temporary one is removed.
            self._changed.update(os.fsdecode(name) for name in arguments if isinstance(name, (str, bytes)))

    def _running(self) -> str:
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and not frame.f_code.co_filename.startswith(self._root):
            frame = frame.f_back
        return frame.f_code.co_filename if frame is not None else "<elsewhere>"


_CACHES = {"__pycache__", ".hypothesis"}
# Audit events of the calls that change files by name.
_CHANGING = frozenset(("os.remove", "os.rename", "os.link", "os.symlink", "os.rmdir", "shutil.move"))


def _reads(mode: object) -> bool:
    """Of the mode in an audit event; `os.open` gives none there, and may read."""
    return mode is None or (isinstance(mode, str) and ("r" in mode or "+" in mode))


def _writes(mode: object, flags: object) -> bool:
    """Of the mode and the flags in an audit event; the mode says nothing where `os.open` was called."""
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
