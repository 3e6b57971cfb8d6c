"""One function of the falsifiers folder: what its names stand for, which of them the subject feeds, what values come from."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from pv.source.flow import fed, feeds, hidden_names
from pv.source.folder import Definition, Folder, Scope
from pv.source.syntax import Function, walk

_WHOLE = frozenset({"len", "int", "index", "numel", "ord"})


class Text:
    """The code of a function, or of a value that a module gives a name.

    `nodes` are all that run when it does (its decorators and annotations do not), `results` what it may return.
    """

    def __init__(self, code: ast.AST) -> None:
        self.nodes = [node for part in _parts(code) for node in walk(part)]
        returned = [node.value for node in self.nodes if isinstance(node, ast.Return) and node.value is not None]
        self.results: list[ast.expr] = [code.body] if isinstance(code, ast.Lambda) else returned
        self.hidden = hidden_names((code, *self.nodes))
        self.flows = feeds(self.nodes)


class Bodies:
    """The functions of a falsifiers folder, each looked through once."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._texts: dict[int, Text] = {}
        self._bodies: dict[tuple[int, frozenset[str]], Body] = {}

    def of(self, definition: Definition, names: frozenset[str] = frozenset()) -> Body:
        """The body of `definition` when the subject feeds `names` of its parameters."""
        key = id(definition.node)
        if (key, names) not in self._bodies:
            if key not in self._texts:
                self._texts[key] = Text(definition.node)
            self._bodies[key, names] = Body(self._folder, definition.scope, self._texts[key], names)
        return self._bodies[key, names]


class Body:
    """A text in its module, and the names in it that the subject feeds."""

    def __init__(self, folder: Folder, scope: Scope, text: Text, names: frozenset[str]) -> None:
        self._folder, self._scope, self._hidden = folder, scope, text.hidden
        self.nodes, self.results, self.flows = text.nodes, text.results, text.flows
        self.fed = fed(self.flows, names)

    def find(self, node: ast.AST) -> Definition | str:
        """What `node` stands for, as `Folder.find`."""
        return self._folder.find(self._scope, node, self._hidden)

    def sources(self, node: ast.AST) -> Iterator[ast.AST]:
        """`node`, and the expressions that its value is computed from."""
        pending = [node]
        while pending:
            current = pending.pop()
            yield current
            pending.extend(self.operands(current))

    def operands(self, node: ast.AST) -> list[ast.expr]:
        """What the value of `node` is computed from; a function that is no library's and no builtin may do anything."""
        match node:
            case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
                return [left, right]
            case ast.UnaryOp(operand=value) | ast.Starred(value=value) | ast.NamedExpr(value=value):
                return [value]
            case ast.Subscript(value=value) | ast.Attribute(value=value) | ast.Lambda(body=value):
                return [value]
            case ast.GeneratorExp(elt=value) | ast.ListComp(elt=value) | ast.SetComp(elt=value):
                return [value]
            case ast.Tuple(elts=values) | ast.List(elts=values):
                return values
            case ast.Call(func=function, args=arguments) if self.is_foreign(function):
                return arguments
            case ast.Call(func=ast.Attribute(value=owner)):
                return [owner]
        return []

    def is_foreign(self, function: ast.expr) -> bool:
        """Whether `function` is a library's or a builtin."""
        found = self.find(function)
        if found:
            return isinstance(found, str)
        return isinstance(function, ast.Name) and function.id not in self._hidden and hasattr(builtins, function.id)

    def number(self, node: ast.AST) -> int | float | None:
        """The value of a number that is written out, here or where a module names it."""
        found = self.find(node) if isinstance(node, ast.Name) else ""
        return _literal(found.node if isinstance(found, Definition) else node)

    def is_whole(self, node: ast.AST) -> bool:
        """Whether the text shows that `node` is a whole number."""
        pending = [node]
        while pending:
            match pending.pop():
                case ast.BinOp(
                    op=ast.Add() | ast.Sub() | ast.Mult() | ast.FloorDiv() | ast.Mod(), left=left, right=right
                ):
                    pending += left, right
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _WHOLE:
                    pass
                case other if not isinstance(self.number(other), int):
                    return False
        return True


def _literal(node: ast.AST) -> int | float | None:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
    return None


def _parts(code: ast.AST) -> list[ast.AST]:
    if isinstance(code, Function):
        defaults = [value for value in (*code.args.defaults, *code.args.kw_defaults) if value is not None]
        return [*defaults, *code.body]
    return [code.body] if isinstance(code, ast.Lambda) else [code]
