"""The falsifiers and faults of a project, found by their decorators in the syntax tree."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pv.finding import Finding, Place, PvError, Severity
from pv.source.syntax import Function, Unparsed, place_of, read_source, try_parse


@dataclass(frozen=True, slots=True)
class FalsifierEntry:
    """A function marked `@falsifier("FALSIFY-…")`; `contract` is what its module's `CONTRACT` names, if anything.

    The place is that of the id in the decorator, its path relative to the project's root.
    """

    id: str
    path: str
    line: int
    column: int
    function: str
    contract: str | None

    @property
    def place(self) -> Place:
        """Where the id is written."""
        return Place(self.path, self.line, self.column)


@dataclass(frozen=True, slots=True)
class FaultEntry:
    """A function marked `@fault("equation/invariant")`; otherwise as `FalsifierEntry`."""

    invariant: str
    path: str
    line: int
    column: int
    function: str
    contract: str | None

    @property
    def place(self) -> Place:
        """Where the invariant is written."""
        return Place(self.path, self.line, self.column)


@dataclass(frozen=True, slots=True)
class FalsifierIndex:
    """Every falsifier and fault below a folder, in the order of paths and lines; `findings` on files that hide some."""

    falsifiers: tuple[FalsifierEntry, ...] = ()
    faults: tuple[FaultEntry, ...] = ()
    findings: tuple[Finding, ...] = ()

    def falsifiers_of(self, contract: str, test: str) -> tuple[FalsifierEntry, ...]:
        """The falsifiers of `test`; those of a module that names another contract are not."""
        return tuple(entry for entry in self.falsifiers if entry.id == test and entry.contract in (None, contract))

    def faults_of(self, contract: str) -> tuple[FaultEntry, ...]:
        """The faults that may be meant for `contract`: its own, and those of modules that name no contract."""
        return tuple(entry for entry in self.faults if entry.contract in (None, contract))


def index_falsifiers(root: Path, folder: Path) -> FalsifierIndex:
    """What every `.py` file below `folder` marks; paths are relative to `root`. Parses, never imports."""
    found = [item for path in _modules(folder) for item in _marks(path, path.relative_to(root).as_posix())]
    return FalsifierIndex(
        tuple(item for item in found if isinstance(item, FalsifierEntry)),
        tuple(item for item in found if isinstance(item, FaultEntry)),
        tuple(item for item in found if isinstance(item, Finding)),
    )


def _modules(folder: Path) -> Iterator[Path]:
    """In order of their paths; symlinked folders, hidden ones and caches are not entered."""
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        yield from (Path(directory, name) for name in sorted(files) if name.endswith(".py"))


def _marks(path: Path, shown: str) -> Iterator[FalsifierEntry | FaultEntry | Finding]:
    hint = "until it parses, its falsifiers and faults do not count"
    try:
        source = read_source(path, shown) if path.is_file() else ""
    except PvError as error:
        yield Finding("PV310", Severity.ERROR, Place(shown), error.message, hint)
        return
    tree = try_parse(source, shown)
    if isinstance(tree, Unparsed):
        yield Finding("PV310", Severity.ERROR, tree.place, tree.message, hint)
        return
    contract = _contract(tree)
    for statement in tree.body:
        if isinstance(statement, Function):
            for decorator in statement.decorator_list:
                yield from _mark(decorator, statement.name, contract, source, shown)


def _contract(tree: ast.Module) -> str | None:
    """The text that the module assigns to `CONTRACT`."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="CONTRACT")], value=ast.Constant(value=str(name))):
                return name
            case ast.AnnAssign(target=ast.Name(id="CONTRACT"), value=ast.Constant(value=str(name))):
                return name
    return None


def _mark(
    decorator: ast.expr, function: str, contract: str | None, source: str, shown: str
) -> Iterator[FalsifierEntry | FaultEntry | Finding]:
    match decorator:
        case ast.Call(func=ast.Name(id="falsifier" | "fault" as kind)):
            pass
        case ast.Call(func=ast.Attribute(attr="falsifier" | "fault" as kind)):
            pass
        case _:
            return
    values = {given.arg: given.value for given in decorator.keywords}
    first = (
        decorator.args[0] if decorator.args else values.get("test" if kind == "falsifier" else "invariant", decorator)
    )
    place = place_of(first, source, shown)
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        seen = f"@{kind} of {function} names nothing that can be read without running it"
        yield Finding("PV310", Severity.ERROR, place, seen, f"write the name as a literal text: @{kind}(…)")
        return
    match values.get("contract"):
        case ast.Constant(value=str(own)):
            contract = own
    entry = FalsifierEntry if kind == "falsifier" else FaultEntry
    yield entry(first.value, shown, place.line, place.column, function, contract)
