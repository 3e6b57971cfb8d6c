"""Where the target of a binding stands: `module:function` or `module:Class.method`, found by parsing."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pv.contract.quote import nearest, shorten
from pv.finding import PvError
from pv.source.files import project_file
from pv.source.imports import base_package, module_path
from pv.source.syntax import Function, Unparsed, read_source, try_parse

_MAX_STEPS = 16  # re-exports and base classes followed: more are a loop


class TargetFound(NamedTuple):
    """Where a target is defined (`path` relative to the root), or, in `problem`, why it is not found."""

    path: str
    line: int
    problem: str = ""
    hint: str = ""


class _Module(NamedTuple):
    name: str
    path: str
    tree: ast.Module


def find_target(root: Path, sources: Sequence[str], target: str) -> TargetFound:
    """Where `target` is defined in the Python files below the folders `sources` of `root`."""
    return target_finder(root, sources)(target)


def find_command(root: Path, command: Sequence[str]) -> TargetFound:
    """The first file of the project at `root` that `command` names, or the module of the project that it runs (`-m`)."""
    for path, _ in command_files(root, command):
        return TargetFound(path, 1)
    hint = "name the script or the program as a file below the project's root"
    return _not_there(f"{shorten(' '.join(command))} names no file of the project", hint)


def command_files(root: Path, command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The project's files that `command`, run in `root`, names, relative to it, in the order of the command.

    Each comes with the folder in which Python looks first for what it imports. Of a package after `-m` it is `__main__.py`.
    """
    before = ""
    for item in command:
        module = (run_as_main(root, item) if before == "-m" else None) or ""
        path = module or posixpath.normpath(item)
        if project_file(root, path):
            yield path, "." if module else posixpath.dirname(path) or "."
        before = item


def run_as_main(root: Path, module: str) -> str | None:
    """The path of the file that `python -m module`, run in `root`, runs; None when it is not in the project."""
    return module_path(root, ["."], f"{module}.__main__") or module_path(root, ["."], module)


def target_finder(root: Path, sources: Sequence[str]) -> Callable[[str], TargetFound]:
    """`find_target` for many targets: each file is parsed once, as it was when it was first needed."""
    read: dict[str, _Module | TargetFound] = {}

    def module(name: str) -> _Module | TargetFound:
        if name not in read:
            read[name] = _read(root, sources, name)
        return read[name]

    def find(target: str) -> TargetFound:
        name, _, qualified = target.partition(":")
        found = module(name)
        if isinstance(found, TargetFound) or not qualified:
            return found if isinstance(found, TargetFound) else _not_there(f"{shorten(target)} names no function")
        return _find(module, found, qualified.split("."), _MAX_STEPS)

    return find


def _not_there(problem: str, hint: str = "", path: str = "") -> TargetFound:
    return TargetFound(path, 1, problem, hint)


def _read(root: Path, sources: Sequence[str], name: str) -> _Module | TargetFound:
    path = module_path(root, sources, name)
    if path is None:
        hint = f"looked below {', '.join(sources)} ([tool.pv] source); {nearest(name, _modules(root, sources, name))}"
        return _not_there(f"there is no module {shorten(name)} in the project", hint)
    try:
        source = read_source(root / path, path)
    except PvError as error:
        return _not_there(error.message, path=path)
    tree = try_parse(source, path)
    if isinstance(tree, Unparsed):
        return _not_there(f"{tree.place}: {tree.message}", "mend the syntax of this file", path)
    return _Module(name, path, tree)


def _modules(root: Path, sources: Sequence[str], name: str) -> Iterator[str]:
    """The modules beside the one that `name` would be, in the deepest of its packages that exists."""
    package = name.split(".")[:-1]
    for kept in range(len(package), -1, -1):
        folders = [root.joinpath(source, *package[:kept]) for source in sources]
        if found := [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]:
            stems = (path.stem for path in found if path.suffix == ".py" or path.is_dir())
            yield from (".".join((*package[:kept], stem)) for stem in stems if stem.isidentifier())
            return


_Modules = Callable[[str], "_Module | TargetFound"]


def _find(module: _Modules, home: _Module, names: list[str], steps: int) -> TargetFound:
    """The definition of `names` (a function; or a class, and what stands in it) from the module `home` on."""
    if steps == 0:
        return _not_there(f"{'.'.join(names)} is re-exported in a circle", path=home.path)
    bound = dict(_bound(home.tree.body))
    node = bound.get(names[0])
    if node is None:
        own = [name for name, what in bound.items() if not isinstance(what, ast.ImportFrom)]
        return _not_there(f"{home.path} defines no {names[0]!r}", nearest(names[0], own), home.path)
    if isinstance(node, ast.ImportFrom):
        return _find_imported(module, home, node, names, steps)
    if len(names) > 1 and isinstance(node, ast.ClassDef):
        return _find_member(module, home, node, names, steps)
    if len(names) > 1 and not isinstance(node, ast.Assign | ast.AnnAssign):
        return _not_there(f"{names[0]!r} in {home.path} is no class: it has no {names[1]!r}", path=home.path)
    return TargetFound(home.path, node.lineno)


def _find_imported(module: _Modules, home: _Module, node: ast.ImportFrom, names: list[str], steps: int) -> TargetFound:
    package = base_package(home.name, node.level, home.path.endswith("__init__.py")) if node.level else ""
    origin = ".".join(part for part in (package, node.module) if part)
    found = module(origin)
    if isinstance(found, TargetFound):  # a library's: it is outside the project, and here is where it comes in
        return TargetFound(home.path, node.lineno) if not found.path else found
    original = next(alias.name for alias in node.names if (alias.asname or alias.name) == names[0])
    return _find(module, found, [original, *names[1:]], steps - 1)


def _find_member(module: _Modules, home: _Module, owner: ast.ClassDef, names: list[str], steps: int) -> TargetFound:
    members = dict(_bound(owner.body))
    if names[1] in members:
        inner = members[names[1]]
        if len(names) > 2 and isinstance(inner, ast.ClassDef):
            return _find_member(module, home, inner, names[1:], steps)
        return TargetFound(home.path, inner.lineno)
    for base in owner.bases:
        if isinstance(base, ast.Name) and base.id != owner.name:
            found = _find(module, home, [base.id, *names[1:]], steps - 1)
            if not found.problem:
                return found
    hint = nearest(names[1], members)
    return _not_there(f"class {owner.name} in {home.path} defines no {names[1]!r}", hint, home.path)


_Bound = Function | ast.ClassDef | ast.ImportFrom | ast.Assign | ast.AnnAssign


def _bound(body: Sequence[ast.stmt]) -> Iterator[tuple[str, _Bound]]:
    """What a body defines, conditional definitions included; the last of a name is the one that counts."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            yield node.target.id, node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _bound([inner for part in ("body", "orelse", "finalbody") for inner in getattr(node, part, ())])
