"""The falsifiers folder as one text: what a name in one of its modules stands for, there or in a library."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pv.source.falsifiers import Parsed
from pv.source.imports import base_package
from pv.source.names import bindings
from pv.source.syntax import Function, statements

_MAX_STEPS = 16  # other names for the same thing: more are a loop


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """One module: what it defines at its top level, and the dotted names of what it imports, there or in a function."""

    parsed: Parsed
    own: Mapping[str, ast.AST]
    imported: Mapping[str, str]


class Definition(NamedTuple):
    """A function or a class, or the value that a name was given, and the module it stands in."""

    scope: Scope
    name: str
    node: ast.AST


class Folder:
    """The modules of a falsifiers folder, each looked through when it is first needed."""

    def __init__(self, modules: Mapping[str, Parsed]) -> None:
        self._names = {_module_name(path): path for path in modules}
        self._modules = modules
        self._scopes: dict[str, Scope] = {}

    def scope(self, path: str) -> Scope:
        """The names of the module at `path`. Raises KeyError when the folder has none."""
        if path not in self._scopes:
            parsed = self._modules[path]
            self._scopes[path] = Scope(parsed, _defined(parsed.tree), dict(_imported(parsed)))
        return self._scopes[path]

    def find(self, scope: Scope, node: ast.AST, hidden: Collection[str] = ()) -> Definition | str:
        """What `node`, a name or attributes of one, stands for: a definition of the folder, or the dotted name of something
        imported; empty where neither is known. `hidden` names are local to a function: of them only imports are followed."""
        names = dotted(node)
        if not names or (names[0] in hidden and names[0] not in scope.imported):
            return ""
        return self._find(scope, names, _MAX_STEPS)

    def _find(self, scope: Scope, names: list[str], steps: int) -> Definition | str:
        own = scope.own.get(names[0])
        if own is not None and steps:
            other = dotted(own)
            if other:
                return self._find(scope, [*other, *names[1:]], steps - 1)
            return "" if len(names) > 1 else Definition(scope, names[0], own)
        if names[0] not in scope.imported or not steps:
            return ""
        full = [*scope.imported[names[0]].split("."), *names[1:]]
        for kept in range(len(full) - 1, 0, -1):
            path = self._names.get(".".join(full[:kept]))
            if path is not None:
                return self._find(self.scope(path), full[kept:], steps - 1)
        return ".".join(full)


def dotted(node: ast.AST) -> list[str]:
    """`a.b.c` as its names; empty for any other expression."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _defined(tree: ast.Module) -> dict[str, ast.AST]:
    """The functions, classes and values of a module by name; the last binding of a name is the one that counts."""
    found: dict[str, ast.AST] = {}
    for name, bound in bindings(tree).items():
        for one in bound:
            match one.within:
                case _ if isinstance(one.node, Function | ast.ClassDef):
                    found[name] = one.node
                case ast.Assign(targets=targets, value=value) if one.node in targets:
                    found[name] = value
                case ast.AnnAssign(target=target, value=ast.expr() as value) if one.node is target:
                    found[name] = value
    return found


def _imported(parsed: Parsed) -> Iterator[tuple[str, str]]:
    module, is_package = _module_name(parsed.path), parsed.path.endswith("/__init__.py")
    for statement in statements(parsed.tree):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(statement, ast.ImportFrom):
            base = base_package(module, statement.level, is_package) if statement.level else ""
            origin = ".".join(part for part in (base, statement.module) if part)
            yield from ((alias.asname or alias.name, f"{origin}.{alias.name}") for alias in statement.names)
