"""Whether a function does anything with a parameter: calls it, or gives it to something that may."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from pv.source.body import Bodies, Body
from pv.source.flow import matched
from pv.source.folder import Definition
from pv.source.names import parameters
from pv.source.syntax import Function, children, walk

_INERT = frozenset({"bool", "callable", "hash", "id", "isinstance", "len", "print", "repr", "str", "type"})
_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class Uses:
    """What the functions of a folder do with their parameters, each looked at once."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._known: dict[tuple[int, str], bool] = {}

    def uses(self, function: Definition, parameter: str) -> bool:
        """Whether `function` may call `parameter`, or something of it; what nothing leads to does not count."""
        key = (id(function.node), parameter)
        if key not in self._known:
            self._known[key] = False  # should it ask about itself, that alone is no use
            self._known[key] = self._is_used(function, parameter)
        return self._known[key]

    def _is_used(self, function: Definition, parameter: str) -> bool:
        code = function.node
        if not isinstance(code, Function | ast.Lambda) or parameter not in parameters(code):
            return False
        body = self._bodies.of(function)
        nodes = list(live(code.body) if isinstance(code, Function) else walk(code.body))
        idle = {id(name) for node in nodes for name in self._idle(node, body, parameter)}
        return any(_reads(node, parameter) and id(node) not in idle for node in nodes)

    def _idle(self, node: ast.AST, body: Body, parameter: str) -> Iterator[ast.AST]:
        """Parts of `node` that lead to no call if they are the parameter."""
        match node:
            case ast.Expr(value=value) | ast.FormattedValue(value=value):
                yield value
            case ast.Assign(targets=[ast.Name(id="_")], value=value):
                yield from (value.elts if isinstance(value, ast.Tuple | ast.List) else [value])
            case ast.Compare(left=left, comparators=others):
                yield from (left, *others)
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in _INERT:
                yield from arguments
            case ast.Call(func=function) if isinstance(found := body.find(function), Definition):
                if isinstance(found.node, Function | ast.Lambda):
                    passed = [(to, value) for to, value in matched(node, found.node) if _reads(value, parameter)]
                    if not any(self.uses(found, to) for to, _ in passed):
                        yield from (value for _, value in passed)


def always_raises(code: ast.AST) -> bool:
    """Whether a function can end in no other way, as one that is not written yet."""
    if not isinstance(code, Function):
        return False
    *_, last = _reachable(code.body)
    return isinstance(last, ast.Raise) and not any(isinstance(node, ast.Return) for node in live(code.body))


def live(block: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of `block` but for what no run can come to: after a return, below a condition that is written as false."""
    for statement in _reachable(block):
        yield statement
        dead = _dead(statement)
        for part in children(statement):
            if isinstance(part, ast.stmt):
                continue
            inside = part.body if isinstance(part, ast.ExceptHandler | ast.match_case) else []
            yield from (node for child in children(part) if not isinstance(child, ast.stmt) for node in walk(child))
            yield part
            yield from live(inside)
        for name in ("body", "orelse", "finalbody"):
            if name != dead:
                yield from live(getattr(statement, name, ()))


def _reachable(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in block:
        yield statement
        if isinstance(statement, _ENDS):
            return


def _dead(statement: ast.stmt) -> str:
    """The block of `statement` that never runs."""
    match statement:
        case ast.If(test=ast.Constant(value=value)) | ast.While(test=ast.Constant(value=value)):
            return "orelse" if value else "body"
        case ast.For(iter=ast.List(elts=[]) | ast.Tuple(elts=[])):
            return "body"
    return ""


def _reads(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
