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


class Tracer:
    """Collects code objects and opened files below `root` while `watching()`."""

    def __init__(self, root: Path) -> None:
        self._root = str(root.resolve()) + "/" if str(root.resolve()) != "/" else "/"
        self._codes: dict[int, CodeType] = {}
        self._opened: set[tuple[str, str]] = set()
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
        sys.setprofile(None)
        threading.setprofile(None)
        self._watching = False

    def forget(self) -> None:
        """Start over: the next question is about what happens from now on."""
        self._codes.clear()
        self._opened.clear()

    def entered(self) -> set[tuple[str, str]]:
        """(path relative to the root, qualified name) of every function entered."""
        found = set()
        for code in self._codes.values():
            path = self._relative(code.co_filename)
            if path is not None and code.co_filename != __file__:  # its own `stop` is entered while it still watches
                found.add((path, code.co_qualname))
        return found

    def opened(self) -> set[str]:
        """Paths relative to the root of the files opened for reading."""
        return {path for _, path in self.opened_by()}

    def opened_by(self) -> set[tuple[str, str]]:
        """(path of the innermost file of the project that was running, path of the file it had opened)."""
        found = ((self._relative(opener), self._relative(name)) for opener, name in self._opened)
        return {(opener or "", path) for opener, path in found if path is not None}

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
        if self._watching and event == "open" and isinstance(arguments[0], (str, bytes)) and _reads(arguments[1]):
            self._opened.add((self._running(), os.fsdecode(arguments[0])))

    def _running(self) -> str:
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and not frame.f_code.co_filename.startswith(self._root):
            frame = frame.f_back
        return frame.f_code.co_filename if frame is not None else "<elsewhere>"


def _reads(mode: object) -> bool:
    """Of the mode in an audit event; `os.open` gives none there, and may read."""
    return mode is None or (isinstance(mode, str) and ("r" in mode or "+" in mode))
