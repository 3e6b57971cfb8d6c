"""Which files of the project a module imports, by its text alone."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from pv.source.files import project_file
from pv.source.syntax import blocks, parse, read_source, statements

_CHECKING = "TYPE_CHECKING"


def imported_modules(source: str, module: str, is_package: bool, path: str = "<source>") -> tuple[str, ...]:
    """The absolute names of the modules that `module`'s import statements may import, wherever they stand, sorted; those
    under `if TYPE_CHECKING:` are never run, unless the module itself says that it is anything but false.

    `from a.b import c` may import `a.b` and `a.b.c`; relative names are resolved; those that leave the top are left
    out. What `importlib` imports by a computed name is not seen. Raises PvError (mend) when the text is not Python.
    """
    tree = parse(source, path)
    return tuple(sorted({name for statement in _running(tree) for name in _imports(statement, module, is_package)}))


def module_path(root: Path, sources: Sequence[str], module: str) -> str | None:
    """The root-relative path of the file that `module` is imported from, by the folders `sources`; None when there is
    none in the project. A package is found before a module of the same name, as in Python."""
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    stem = module.replace(".", "/")
    for folder in sources:
        for candidate in (f"{stem}/__init__.py", f"{stem}.py"):
            path = PurePosixPath(folder, candidate).as_posix()
            if project_file(root, path):
                return path
    return None


def import_closure(root: Path, sources: Sequence[str], module: str) -> tuple[str, ...]:
    """The root-relative paths of the project files that importing `module` may run, sorted: its own, those it imports,
    transitively, and the `__init__.py` of every package on the way. Modules that are not files of the project are
    left out. Raises PvError (mend), naming the file, when one of them is not Python.
    """
    return Imports(root, sources).closure(module)


class Imports:
    """Who imports whom in one project, as `import_closure` has it; each file is read once, however often it is asked for."""

    def __init__(
        self, root: Path, sources: Sequence[str], names: Callable[[str, str], tuple[str, ...]] | None = None
    ) -> None:
        """`names` tells what the module at a path imports, called so and so, where somebody has read it already."""
        self._root = root
        self._sources = tuple(sources)
        self._names = names or self._read
        self._files: dict[str, dict[str, str]] = {}
        self._direct: dict[str, dict[str, str]] = {}

    def closure(self, module: str) -> tuple[str, ...]:
        """As `import_closure`."""
        found: set[str] = set()
        pending = self._files_of(module)
        while pending:
            path, name = pending.popitem()
            if path not in found:
                found.add(path)
                pending.update(self._imported(path, name))
        return tuple(sorted(found))

    def _imported(self, path: str, name: str) -> dict[str, str]:
        """The files that the module `name` at `path` imports itself, with their packages', and what they are called."""
        if path not in self._direct:
            names = self._names(path, name)
            self._direct[path] = {file: called for other in names for file, called in self._files_of(other).items()}
        return self._direct[path]

    def _read(self, path: str, name: str) -> tuple[str, ...]:
        text = read_source(self._root / path, path)
        return imported_modules(text, name, path.endswith("/__init__.py"), path)

    def _files_of(self, module: str) -> dict[str, str]:
        """The project's files of `module` and of every package it is in."""
        if module not in self._files:
            places = ((module_path(self._root, self._sources, name), name) for name in _with_parents(module))
            self._files[module] = {path: name for path, name in places if path is not None}
        return dict(self._files[module])


def base_package(module: str, level: int, is_package: bool) -> str | None:
    """The package that `level` leading dots stand for in `module`; None when they lead out of the top package."""
    parts = module.split(".")
    kept = len(parts) - level + (1 if is_package else 0)
    return ".".join(parts[:kept]) if kept > 0 else None


def _running(tree: ast.Module) -> Iterator[ast.stmt]:
    """Every statement but those that only type checkers read."""
    pending: list[ast.AST] = [tree]
    kept = _rebinds(tree)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.stmt):
            yield node
        pending += reversed(node.orelse if isinstance(node, ast.If) and not kept and _asks(node.test) else blocks(node))


def _asks(test: ast.expr) -> bool:
    """Whether it is `TYPE_CHECKING` or `typing.TYPE_CHECKING`."""
    return (test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")) == _CHECKING


def _rebinds(tree: ast.Module) -> bool:
    """Whether the name is bound here to anything but false."""
    for node in statements(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is False:
            continue
        bound = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(name, ast.Name) and name.id == _CHECKING for name in bound):
            return True
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            origin = getattr(node, "module", None)
            if origin != "typing" and any(_CHECKING in (alias.name, alias.asname) for alias in node.names):
                return True
    return False


def _imports(statement: ast.stmt, module: str, is_package: bool) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        base = base_package(module, statement.level, is_package) if statement.level else ""
        if base is None:
            return
        origin = ".".join(part for part in (base, statement.module) if part)
        yield origin
        yield from (f"{origin}.{alias.name}" for alias in statement.names if alias.name != "*")


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
