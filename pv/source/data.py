"""Files of a project that its code names: the second way to know of data, where no run tells what was opened.

A library may open a file by itself, without the interpreter seeing it, and what a falsifier reads is known by its text alone.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

from pv.source.syntax import every_node

_NAME = re.compile(r"[^\s:*?\"<>|{}]*[^\s:*?\"<>|{}/\\.]\.[A-Za-z][A-Za-z0-9_]{0,15}")
_CODE = (".py", ".pyc", ".pyi")
_NOT_ENTERED = frozenset(("__pycache__", "node_modules", "site-packages"))


def names_in(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The texts in `nodes` that look like the name or the path of a file."""
    texts = {node.value for node in every_node(nodes) if type(node) is ast.Constant}
    return frozenset(
        text for text in texts if type(text) is str and "." in text and len(text) < 256 and _NAME.fullmatch(text)
    )


class DataFiles:
    """The files of the project at `root` by their names; hidden folders and environments are none of it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def called(self, name: str) -> set[str]:
        """Paths relative to the root of the files that `name` may be a path of: all that end in it, wherever they lie."""
        wanted = PurePosixPath(name.replace("\\", "/"))
        tail = tuple(part for part in wanted.parts if part not in ("/", ".", ".."))
        return {path.as_posix() for path in self._by_name.get(wanted.name, ()) if path.parts[-len(tail) :] == tail}

    @cached_property
    def _by_name(self) -> dict[str, tuple[PurePosixPath, ...]]:
        found: dict[str, tuple[PurePosixPath, ...]] = {}
        for folder, inner, files in os.walk(self._root):
            inner[:] = [name for name in inner if name not in _NOT_ENTERED and not name.startswith(".")]
            if "pyvenv.cfg" in files:
                inner.clear()
                continue
            home = PurePosixPath(Path(folder).relative_to(self._root).as_posix())
            for name in files:
                if not name.endswith(_CODE):
                    found[name] = (*found.get(name, ()), home / name)
        return found
