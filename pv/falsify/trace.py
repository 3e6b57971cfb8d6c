"""What code a call enters and which files it opens, as seen while it runs.

Functions are seen through `sys.setprofile` in the calling thread and in those it starts: cheap enough to leave on for every
call, and it needs no co-operation. Files and other processes are seen through the interpreter's audit events; what a library
opens without the interpreter, where it is still mapped or open afterwards (`pv.falsify.native`).
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from pv.falsify.native import held_files

# What pv itself does around a call (an adapter, the end of tracing) is entered while it watches, and is no code under test.
_HERE = f"{Path(__file__).parent}{os.sep}"
_COMPILER = f"{os.sep}torch{os.sep}_dynamo{os.sep}"
_SCRIPT = f"{os.sep}torch{os.sep}jit{os.sep}"
_SCRIPTING = frozenset(("script", "script_method", "trace", "trace_module", "load"))


class Tracer:
    """Collects code objects and opened files below `root` while `watching()`."""

    def __init__(self, root: Path) -> None:
        self._root = str(root.resolve()) + "/" if str(root.resolve()) != "/" else "/"
        self._codes: dict[int, CodeType] = {}
        self._later: dict[int, CodeType] = {}
        self._scripting: set[str] = set()
        self._opened: set[tuple[str, str]] = set()
        self._commands: set[tuple[str, ...]] = set()
        self._changed: set[str] = set()
        self._displaced = False
        self._watching = False
        _hear_for(self)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Trace the calling thread until the end of the block; whoever traced it before goes on then."""
        before = sys.getprofile()
        self.start()
        try:
            yield
        finally:
            self.stop()
            sys.setprofile(before)
            threading.setprofile(before)

    def start(self) -> None:
        """As `watching`, for a caller that cannot afford a context manager on every call."""
        self._watching = True
        threading.setprofile(self._profile)  # for threads that the call starts
        sys.setprofile(self._profile)

    def stop(self) -> None:
        """The end of `start`."""
        self._displaced |= sys.getprofile() not in (self._profile, self._profile_later)
        sys.setprofile(None)
        threading.setprofile(None)
        self._watching = False

    def linger(self) -> None:
        """The end of the call, not of what it may have left to be run: until `stop`, functions go to `entered_later`."""
        self._displaced |= sys.getprofile() != self._profile
        self._watching = False
        threading.setprofile(self._profile_later)
        sys.setprofile(self._profile_later)

    def forget(self) -> None:
        """Start over: the next question is about what happens from now on."""
        self._codes.clear()
        self._later.clear()
        self._scripting.clear()
        self._opened.clear()
        self._commands.clear()
        self._changed.clear()

    def entered(self) -> set[tuple[str, str]]:
        """(path relative to the root, qualified name) of every function entered."""
        return self._functions(self._codes)

    def entered_later(self) -> set[tuple[str, str]]:
        """The same of what was entered after a call, while `linger`: a hook of its, and whatever else ran then."""
        return self._functions(self._later)

    def _functions(self, codes: dict[int, CodeType]) -> set[tuple[str, str]]:
        found = set()
        for code in codes.values():
            path = self._relative(code.co_filename)
            if path is not None and not code.co_filename.startswith(_HERE):
                found.add((path, code.co_qualname))
        return found

    @property
    def blind(self) -> bool:
        """Whether torch compiled what was called: what runs then enters no function."""
        return any(_COMPILER in code.co_filename for code in self._codes.values())

    def scripting(self) -> set[str]:
        """Paths of the project's modules that had torch script or load something: what runs then enters no function."""
        return {path for name in self._scripting if (path := self._relative(name)) is not None}

    def commands(self) -> set[tuple[str, ...]]:
        """The commands of other processes that were started, what they name below the root by its path relative to that."""
        return {tuple(item.removeprefix(self._root) for item in command) for command in self._commands}

    def opened(self) -> set[str]:
        """Paths relative to the root of the files opened for reading."""
        return {path for _, path in self.opened_by()}

    def held(self) -> set[str]:
        """Paths relative to the root of the files that this process has mapped or open now, whoever opened them."""
        return {path for name in held_files(self._root) if (path := self._relative(name)) is not None}

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
            if code.co_name in _SCRIPTING and _SCRIPT in code.co_filename:
                self._scripting.add(self._running())

    def _profile_later(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self._later[id(frame.f_code)] = frame.f_code

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit event of this process, from the one hook that hears them."""
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            if self._watching and _reads(arguments[1]) and not _is_own_reading(arguments[0]):
                self._opened.add((self._running(), os.fsdecode(arguments[0])))
            if _writes(*arguments[1:]):
                self._changed.add(os.fsdecode(arguments[0]))
        elif event in _READING and self._watching and isinstance(arguments[0], (str, bytes, os.PathLike)):
            self._opened.add((self._running(), os.fsdecode(arguments[0])))
        elif event == "subprocess.Popen" and self._watching:
            self._commands.add(_placed(arguments[1], arguments[2]))
        elif event in _CHANGING and not any(isinstance(number, int) and number != -1 for number in arguments):
            # Not with a descriptor of a folder: the names would be relative to that, as where a temporary one is removed.
            self._changed.update(os.fsdecode(name) for name in arguments if isinstance(name, (str, bytes)))

    def _running(self) -> str:
        frame: FrameType | None = sys._getframe(3)
        while frame is not None and not frame.f_code.co_filename.startswith(self._root):
            frame = frame.f_back
        return frame.f_code.co_filename if frame is not None else "<elsewhere>"


_HEARING: list[weakref.ref[Tracer]] = []


def _hear_for(tracer: Tracer) -> None:
    """Let `tracer` hear what happens for as long as somebody holds it."""
    _listen()
    _HEARING.append(weakref.ref(tracer, _HEARING.remove))


@cache
def _listen() -> None:
    """One hook for all: it stays until the process ends, and one for each tracer would slow every later call of it."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS:
        for reference in tuple(_HEARING):
            if (tracer := reference()) is not None:
                tracer.heard(event, arguments)


_CACHES = {"__pycache__", ".hypothesis"}
# Audit events of the calls that change files by name.
_CHANGING = frozenset(("os.remove", "os.rename", "os.link", "os.symlink", "os.rmdir", "shutil.move"))
# Those of a library of the interpreter that is given the name of a file and opens it by itself.
_READING = frozenset(("sqlite3.connect", "ctypes.dlopen"))
_EVENTS = _CHANGING | _READING | {"open", "subprocess.Popen"}


def _is_own_reading(name: str | bytes) -> bool:
    """Whether it is the text of a module that is imported, or a line of one for a message: those count by what they mean."""
    if not os.fsdecode(name).endswith((".py", ".pyc")):
        return False
    opener: FrameType | None = sys._getframe(3)
    near: list[str] = []
    while opener is not None and len(near) < 4:
        near.append(opener.f_code.co_filename)
        opener = opener.f_back
    return near[0].startswith("<frozen importlib") or any(file.endswith(f"{os.sep}linecache.py") for file in near)


def _placed(command: object, folder: object) -> tuple[str, ...]:
    """The words of a command line, those that name a file as seen from `folder`, where it runs, by their whole path."""
    words = command if isinstance(command, (list, tuple)) else [command]
    home = os.path.realpath(folder if isinstance(folder, (str, bytes, os.PathLike)) else ".")
    named = [os.fsdecode(word) for word in words if isinstance(word, (str, bytes, os.PathLike))]
    places = [os.path.normpath(os.path.join(os.fsdecode(home), word)) for word in named]  # noqa: PTH118 -- any text at all
    return tuple(
        place if os.path.isfile(place) else word  # noqa: PTH113 -- which raises for a text that is no name
        for place, word in zip(places, named, strict=True)
    )


def _reads(mode: object) -> bool:
    """Of the mode in an audit event; `os.open` gives none there, and may read."""
    return mode is None or (isinstance(mode, str) and ("r" in mode or "+" in mode))


def _writes(mode: object, flags: object) -> bool:
    """Of the mode and the flags in an audit event; the mode says nothing where `os.open` was called."""
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
