"""Importing the code under test: from this project, from source as it is on disk now, and traced.

A byte-code cache is keyed by modification time in whole seconds, so an edit may run as the code before it; and a process
that judged another project may still hold a module of the same name. Both would be evidence about the wrong code.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from pv.digest import sha256
from pv.falsify.trace import Tracer
from pv.finding import Exit, PvError


class Loader:
    """Imports modules of one project while its block (`with Loader(…).active()`) is open."""

    def __init__(self, root: Path, sources: Sequence[str], tracer: Tracer) -> None:
        self.root = root.resolve()
        self._inside = f"{self.root}{os.sep}"
        self._paths = [str((self.root / source).resolve()) for source in sources]
        self._tracer = tracer
        self._as_loaded: dict[str, str] = {}
        self._tops: frozenset[str] = frozenset()
        self.entered_at_import: set[tuple[str, str]] = set()
        self.opened_at_import: set[tuple[str, str]] = set()
        self.scripting: set[str] = set()
        self.commands: set[tuple[str, ...]] = set()
        self.closing = ExitStack()  # what ends with a trial: another process, say

    @contextmanager
    def active(self) -> Iterator[None]:
        """The project's sources come first on the path, and its modules are compiled from their source."""
        path, finder = list(sys.path), _FromSource(self._inside, self._paths, self._tops)
        sys.path[:0] = self._paths
        sys.meta_path.insert(0, finder)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            self.closing.close()
            sys.path[:] = path
            sys.meta_path.remove(finder)

    def fresh(self, tops: Sequence[str]) -> None:
        """Forget modules imported earlier under these top-level names, and find them in the project (never `pv`'s own)."""
        self._tops = frozenset(tops) - {"pv"}
        for name in list(sys.modules):
            if name.partition(".")[0] in self._tops:
                del sys.modules[name]

    def module(self, name: str) -> ModuleType:
        """Import `name`; raises PvError when it cannot be imported or does not come from this project."""
        known = set(sys.modules)
        self._tracer.forget()
        try:
            with self._tracer.watching():
                module = importlib.import_module(name)
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {error}"
            raise PvError(f"cannot import {name}: {said}", exit=_exit_of(error), hint=_hint(error)) from error
        self.entered_at_import |= self._tracer.entered()
        self.opened_at_import |= self._tracer.opened_by()
        self.scripting |= self._tracer.scripting()
        self.commands |= self._tracer.commands()
        for added in set(sys.modules) - known:
            self.remember(getattr(sys.modules[added], "__file__", None))
        self.remember(module.__file__)
        if not str(module.__file__).startswith(self._inside):
            raise PvError(
                f"{name} was imported from {module.__file__}, which is outside the project",
                exit=Exit.MEND,
                hint="give the module of the project another name, or mend [tool.pv] source",
            )
        return module

    def target(self, target: str) -> Callable[..., Any]:
        """The function a binding calls `module:function` or `module:Class.method`."""
        name, _, attribute = target.partition(":")
        found: Any = self.module(name)
        for part in attribute.split("."):
            if not hasattr(found, part):
                raise PvError(
                    f"{target}: {found!r:.80} has no {part!r}",
                    exit=Exit.MEND,
                    hint="mend the target in contracts/binding.yaml",
                )
            found = getattr(found, part)
        if not callable(found):
            raise PvError(
                f"{target} is no function: {found!r:.80}",
                exit=Exit.MEND,
                hint="mend the target in contracts/binding.yaml",
            )
        return found  # type: ignore[no-any-return] # callable was just checked

    def as_loaded(self) -> dict[str, str]:
        """The digest of every file of the project that was imported, as it was then."""
        return dict(self._as_loaded)

    def remember(self, file: str | None) -> None:
        """Note what the project's file `file` holds now, as evidence will say it was."""
        if file and file.startswith(self._inside) and "/site-packages/" not in file and file not in self._as_loaded:
            self._as_loaded[file] = _content(file)


class _Uncached(SourceFileLoader):
    """Compiles the source as it is now; neither reads nor writes byte-code."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


class _FromSource(MetaPathFinder):
    """Finds what the path holds, and gives modules below `inside` (and not installed there) a loader without a cache.

    The top-level names `tops` are the project's own: a folder of it without an __init__.py would otherwise give way to
    a package of that name anywhere on the path.
    """

    def __init__(self, inside: str, paths: list[str], tops: frozenset[str]) -> None:
        self._inside, self._paths, self._tops = inside, paths, tops

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, self._paths if fullname in self._tops else path, target)
        if spec is None:
            return None
        if spec.origin is None:  # a folder without an __init__.py
            return spec if fullname in self._tops else None
        if not spec.origin.startswith(self._inside):
            return None
        if "/site-packages/" not in spec.origin and type(spec.loader) is SourceFileLoader:
            spec.loader = _Uncached(fullname, spec.origin)
        return spec


def _content(path: str) -> str:
    try:
        return sha256(Path(path).read_bytes())
    except OSError:
        return "gone"


def _exit_of(error: BaseException) -> Exit:
    """A library that is not installed is for the caller to install (3); code that does not import is to be mended (1)."""
    missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _LIBRARIES
    return Exit.RUN if missing else Exit.MEND


def _hint(error: BaseException) -> str:
    return "pip install 'pv-contracts[torch]'" if _exit_of(error) is Exit.RUN else ""


_LIBRARIES = ("torch", "hypothesis", "numpy", "safetensors")
