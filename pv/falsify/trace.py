"""What code a call enters and which files it opens, as seen while it runs.

Functions are seen through `sys.setprofile` in the calling thread: cheap enough to leave on for every call, and it needs no
co-operation. Files are seen through the interpreter's audit events.
"""

from __future__ import annotations

import sys
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
        self._opened: set[str] = set()
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
        sys.setprofile(self._profile)

    def stop(self) -> None:
        """The end of `start`."""
        sys.setprofile(None)
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
            if path is not None:
                found.add((path, code.co_qualname))
        return found

    def opened(self) -> set[str]:
        """Paths relative to the root of the files opened for reading."""
        return {path for name in self._opened if (path := self._relative(name)) is not None}

    def _relative(self, name: str) -> str | None:
        path = str(Path(name).resolve()) if not name.startswith(self._root) else name
        if not path.startswith(self._root) or "/site-packages/" in path or "/.venv/" in path:
            return None
        return Path(path[len(self._root) :]).as_posix()

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            self._codes[id(code)] = code  # kept alive, so the id stays its own

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._watching and event == "open" and isinstance(arguments[0], str) and arguments[1] in (None, "r", "rb"):
            self._opened.add(arguments[0])
