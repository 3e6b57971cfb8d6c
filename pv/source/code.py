"""Digests of Python code: what a function, a module's top level or a whole module means, hashed. Format "pv-code-1".

A tree is written as a flat list that can be read back in one way only: a node as its class with the names of the fields
that follow, a list as its length, a value as its type and its text. A field that is absent, None or an empty list is
left out, so that a field that a newer Python adds with its default changes nothing. The list is hashed as canonical
JSON. It is flat because Python's limit of recursion must not decide what can be hashed.

Not part of the meaning: positions, comments, blank lines, how a literal is spelled, and docstrings, unless the module
reads `__doc__`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from types import EllipsisType
from typing import Any

from pv.digest import digest, hex_float
from pv.finding import Exit, PvError
from pv.source.imports import import_closure, imported_modules, module_path
from pv.source.names import Binding, bindings, global_names, names_used_by, used_names
from pv.source.syntax import FIELDS, WITHOUT_MEANING, Function, blocks, outside_functions, parse, statements, walk

__all__ = [
    "TAG",
    "TOP_LEVEL",
    "ModuleParts",
    "encode",
    "import_closure",
    "imported_modules",
    "module_parts",
    "module_path",
    "names_used_by",
    "part_of_qualname",
]

TAG = "pv-code-1"
TOP_LEVEL = "<module>"

_LITERALS = frozenset({"Constant", "MatchSingleton"})  # their None is a value, not an absence
_DOCUMENTED = frozenset({"Module", "ClassDef", "FunctionDef", "AsyncFunctionDef"})
_FUNCTIONS = frozenset({"FunctionDef", "AsyncFunctionDef"})
_JOINED = frozenset({"JoinedStr", "TemplateStr"})
_SPECIAL = _LITERALS | _DOCUMENTED | _JOINED

Token = str | int


@dataclass(frozen=True, slots=True, eq=False)
class ModuleParts:
    """A module cut into the parts that evidence can speak of: each of its functions, and its top level."""

    tree: ast.Module
    docstrings: bool
    functions: Mapping[str, tuple[Function, ...]]
    bindings: Mapping[str, tuple[Binding, ...]]
    _free: dict[ast.stmt, set[str]] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """`f`, `Class.method`, `A.B.method`: every function that is not inside another one, in source order."""
        return tuple(self.functions)

    def digest(self, name: str) -> str | None:
        """Of the function called `name`, all its definitions, with decorators and defaults; None when there is none.

        `TOP_LEVEL` gives the digest of the top level.
        """
        if name == TOP_LEVEL:
            return self.top_level_digest()
        found = self.functions.get(name)
        return self._hash("function", list(found)) if found else None

    def top_level_digest(self) -> str:
        """Of the module without the bodies of its functions; signatures, decorators, defaults and classes remain."""
        return digest([TAG, "top level", encode(self.tree, docstrings=self.docstrings, bodies=False)])

    def whole_digest(self) -> str:
        """Of the whole module."""
        return self._hash("module", self.tree)

    def definition_digest(self, name: str) -> str | None:
        """Of all statements of the module's top level that bind `name`, whole; None when it is not bound there.

        A statement counts as binding when it defines, imports, assigns or deletes the name, assigns to an item or an
        attribute of it, does so under a condition, or is a function that declares the name global.
        """
        found = {id(binding.statement): binding.statement for binding in self.bindings.get(name, ())}
        return self._hash("definition", list(found.values())) if found else None

    def nodes(self, name: str) -> tuple[ast.AST, ...]:
        """What the part called `name` is made of: of the top level all statements but functions, else whole definitions."""
        if name == TOP_LEVEL:
            return tuple(outside_functions(self.tree))
        definitions = self.functions.get(name, ())
        return definitions or tuple(row.statement for row in self.bindings.get(name, ())) or (self.tree,)

    def names_used_by(self, name: str) -> tuple[str, ...]:
        """See `pv.source.names.names_used_by`."""
        return used_names(self.bindings, name, self._free)

    def part_of(self, qualname: str) -> str:
        """The part that covers the code object with this `co_qualname`: a function of `names`, or `TOP_LEVEL`."""
        part = part_of_qualname(qualname)
        return part if part in self.functions else TOP_LEVEL

    def _hash(self, what: str, value: object) -> str:
        return digest([TAG, what, encode(value, docstrings=self.docstrings)])


def module_parts(source: str, path: str = "<source>") -> ModuleParts:
    """The parts of a module's text; `path` is for messages.

    Raises PvError (mend), naming the line, when the text is not Python. The digests raise PvError (mend) for a
    construct that this version of pv does not know.
    """
    tree = parse(source, path)
    return ModuleParts(tree, _reads_docstrings(source, tree), _functions(tree), bindings(tree))


def part_of_qualname(qualname: str) -> str:
    """The part that covers a code object, by its `co_qualname` alone: what is inside a function belongs to it.

    `f.<locals>.inner` → `f`; `C.m` → `C.m`; `C.<lambda>`, `<listcomp>` and `<module>` → `TOP_LEVEL`. The body of a
    class C is called `C` as a function would be: `ModuleParts.part_of` knows which it is.
    """
    outermost = qualname.partition(".<locals>")[0]
    return TOP_LEVEL if "<" in outermost else outermost


def encode(value: object, *, docstrings: bool = True, bodies: bool = True) -> list[Token]:
    """`value` (a node, a list of nodes, or what a field may hold) as the flat list of "pv-code-1".

    `docstrings=False` leaves docstrings out, `bodies=False` the bodies of functions. Raises PvError (mend) for a node
    or a field that the format does not know: what cannot be read must not be hashed as if it were not there.
    """
    tokens: list[Token] = []
    pending: list[object] = [value]
    while pending:
        current = pending.pop()
        if type(current) is ast.Name:  # every third node
            tokens.append("Name:id")
            tokens += _scalar(current.id)
        elif type(current) is ast.Constant:
            tokens.append("Constant:value")
            tokens += _scalar(current.value)
        elif type(current) is list:
            tokens += ["list", len(current)]
            pending += current[::-1]
        elif isinstance(current, ast.AST):
            if _unread(type(current)):  # type: ignore[arg-type] # a class is hashable, whatever mypy makes of its __hash__
                _refuse_unknown(current)
            names, items = _present(current, docstrings=docstrings, bodies=bodies)
            tokens.append(f"{type(current).__name__}:{','.join(names)}")
            pending += items[::-1]
        else:
            tokens += _scalar(current)
    return tokens


@cache
def _unread(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a node class that the format does not read; of a class that it does not know, `?` too."""
    meaning = FIELDS.get(kind.__name__)
    return ("?",) if meaning is None else tuple(sorted(set(kind._fields) - set(meaning) - WITHOUT_MEANING))


def _refuse_unknown(node: ast.AST) -> None:
    name, unread = type(node).__name__, _unread(type(node))  # type: ignore[arg-type] # as above
    held = [field for field in unread if field == "?" or getattr(node, field, None)]
    if held:
        what = name if held == ["?"] else f"{name}.{held[0]}"
        running = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        message = f"the syntax node {what} of {running} is not part of the digest format {TAG!r} (Python 3.11 to 3.14)"
        raise PvError(message, exit=Exit.MEND, hint="run pv with a Python that it supports, or update pv")


def _present(node: ast.AST, *, docstrings: bool, bodies: bool) -> tuple[list[str], list[object]]:
    """The fields that hold something, and what."""
    name = type(node).__name__
    names: list[str] = []
    items: list[object] = []
    if name not in _SPECIAL:  # nearly all
        for part in FIELDS[name]:
            value: Any = getattr(node, part, None)
            if value is not None and (type(value) is not list or value):
                names.append(part)
                items.append(value)
        return names, items
    for part in FIELDS[name]:
        value = getattr(node, part, None)
        if part == "body" and name in _DOCUMENTED:
            value = _body(node, value, docstrings=docstrings, bodies=bodies)
        elif part == "values" and name in _JOINED:
            value = _merged(value)
        if name in _LITERALS or not (value is None or value == []):
            names.append(part)
            items.append(value)
    return names, items


def _body(node: ast.AST, body: list[ast.stmt], *, docstrings: bool, bodies: bool) -> list[ast.stmt]:
    if type(node).__name__ in _FUNCTIONS and not bodies:
        return []
    return body[1:] if not docstrings and _is_text(body[:1]) else body


def _is_text(body: list[ast.stmt]) -> bool:
    return any(
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
        for statement in body
    )


def _merged(values: Iterable[ast.expr]) -> list[ast.expr]:
    """Neighbouring constants as one and empty ones dropped: Python 3.12 leaves an empty text after a nested field."""
    merged: list[ast.expr] = []
    for constant, run in groupby(values, key=lambda value: isinstance(value, ast.Constant)):
        if not constant:
            merged += run
        elif text := "".join(str(value.value) for value in run if isinstance(value, ast.Constant)):
            merged.append(ast.Constant(text))
    return merged


def _scalar(value: object) -> list[Token]:
    if type(value) is str and value.isascii():  # names, nearly all
        return ["str", value]
    match value:
        case None | bool():
            return [repr(value)]
        case EllipsisType():
            return ["Ellipsis"]
        case int():
            return ["int", hex(value)]
        case float():
            return ["float", hex_float(value)]
        case complex():
            return ["complex", hex_float(value.real), hex_float(value.imag)]
        case bytes():
            return ["bytes", value.hex()]
        case str() if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            # JSON writes one astral character and its two surrogates alike
            return ["surrogates", value.encode("utf-8", "surrogatepass").hex()]
        case str():
            return ["str", value]
    raise PvError(
        f"a constant of type {type(value).__name__} is not part of {TAG!r}",
        exit=Exit.MEND,
        hint="give the module constants that Python code can spell",
    )


def _reads_docstrings(source: str, tree: ast.Module) -> bool:
    return "__doc__" in source and any(
        "__doc__" in (getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "value", None))
        for node in walk(tree)
    )


def _functions(tree: ast.Module) -> dict[str, tuple[Function, ...]]:
    found: dict[str, tuple[Function, ...]] = {}
    pending: list[tuple[str, ast.AST]] = [("", tree)]
    while pending:
        prefix, node = pending.pop()
        if isinstance(node, Function):
            for name in (prefix + node.name, *_leaked(node)):
                found[name] = (*found.get(name, ()), node)
            continue
        inner = f"{prefix}{node.name}." if isinstance(node, ast.ClassDef) else prefix
        pending.extend((inner, child) for child in reversed(blocks(node)))
    return found


def _leaked(function: Function) -> list[str]:
    """Functions defined inside under a name declared global: their `co_qualname` does not say where they are."""
    declared = global_names(function)
    if not declared:
        return []
    return sorted({node.name for node in statements(function) if isinstance(node, Function) and node.name in declared})
