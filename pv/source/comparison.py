"""Comparisons of floats with a tolerance of their own, in one function: by what they are called, and by their shape.

Exact comparisons are not meant: they allow nothing. Nor are those of whole numbers, as far as the text shows what they are,
nor those of what was drawn: which part of the domain a check is about is for the falsifier to say.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator

from pv.contract.quote import shorten
from pv.source.body import Body
from pv.source.flow import fed, mentions
from pv.source.folder import Definition, dotted

_COMPARERS = frozenset({
    "allclose", "isclose", "assert_close", "assert_allclose", "assert_almost_equal", "assert_array_almost_equal",
    "assert_approx_equal", "assert_array_almost_equal_nulp", "assert_array_max_ulp", "assertAlmostEqual",
})  # fmt: skip
_APPROX = "pytest.approx"  # a word too common to go by without its library
_SIZES = frozenset({"abs", "fabs", "absolute", "norm", "vector_norm", "matrix_norm", "square", "pow"})
_DISTANCES = frozenset({"dist", "cdist", "pairwise_distance", "mse_loss", "l1_loss"})
_DIFFERENCES = frozenset({"sub", "subtract"})
_ROUNDINGS = frozenset({"round", "around"})
_ORDERS = frozenset({"lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal"})
_EQUALS = frozenset({"equal", "eq", "ne", "array_equal"})
_ORDERING = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SLACK = 0.01  # a larger number that is added is most likely no tolerance


class Comparisons:
    """Those of `body`. `measures` says of another function whether what it returns is a distance between its arguments."""

    def __init__(self, body: Body, measures: Callable[[Definition], bool]) -> None:
        self._body, self._measures = body, measures
        self._differences = fed(body.flows, (), self._differs)
        self._distances = fed(body.flows, (), self._is_far)
        self._rounded = fed(body.flows, (), self._is_rounded)

    def found(self) -> Iterator[tuple[ast.expr, str]]:
        """Each with what is wrong with it."""
        for node in self._body.nodes:
            if isinstance(node, ast.expr) and (what := self._called(node) or self._shaped(node)):
                yield node, what

    def gives_distance(self) -> bool:
        """Whether what the function returns is a distance between something that the subject feeds and something else."""
        return any(self._is_far(value, self._distances) for value in self._body.results)

    def _called(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            return ""
        found = self._body.find(node)
        if isinstance(found, Definition):
            return ""
        name = found.rpartition(".")[2] or (node.attr if isinstance(node, ast.Attribute) else "")
        if name not in _COMPARERS and found != _APPROX:
            return ""
        written = ".".join(dotted(node)) or f"….{name}"
        return f"compares with {shorten(written)}, whose tolerance is not that of the clause"

    def _shaped(self, node: ast.expr) -> str:
        match node:
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides, ordered = [left, *others], any(isinstance(op, _ORDERING) for op in ops)
            case ast.Call(func=function, args=others) if _last(function) in _ORDERS | _EQUALS:
                sides, ordered = [*self._owner(function), *others], _last(function) in _ORDERS
            case _:
                return ""
        if not ordered:
            rounded = any(self._is_rounded(side, self._rounded) for side in sides)
            return "compares what it rounded first" if rounded else ""
        if self._limits_distance(sides) or self._limits_difference(sides):
            return "puts a limit of its own on a difference"
        slack = mentions(node, self._body.fed) and any(map(self._has_slack, sides))
        return "allows a slack of its own" if slack else ""

    def _owner(self, function: ast.expr) -> list[ast.expr]:
        """What a method is called on."""
        return [function.value] if isinstance(function, ast.Attribute) and not self._body.is_foreign(function) else []

    def _limits_distance(self, sides: list[ast.expr]) -> bool:
        far = [side for side in sides if self._is_far(side, self._distances)]
        return bool(far) and not all(self._body.is_whole(side) for side in sides if side not in far)

    def _limits_difference(self, sides: list[ast.expr]) -> bool:
        """−limit < a − b < limit."""
        if len(sides) != 3 or not isinstance(sides[0], ast.UnaryOp) or not isinstance(sides[0].op, ast.USub):
            return False
        return self._differs(sides[1], self._differences) and not self._body.is_whole(sides[2])

    def _has_slack(self, side: ast.expr) -> bool:
        if not isinstance(side, ast.BinOp) or not isinstance(side.op, ast.Add | ast.Sub):
            return False
        numbers = (self._body.number(side.left), self._body.number(side.right))
        return any(number is not None and 0 < abs(number) <= _SLACK for number in numbers)

    def _differs(self, node: ast.AST, names: Collection[str]) -> bool:
        """Whether `node` comes from a difference; `names` hold one."""
        return any(self._is_difference(source, names) for source in self._body.sources(node))

    def _is_difference(self, node: ast.AST, names: Collection[str]) -> bool:
        match node:
            case ast.Name(id=name):
                return name in names
            case ast.BinOp(op=ast.Sub(), left=left, right=right):
                return mentions(node, self._body.fed) and not all(map(self._body.is_whole, (left, right)))
            case ast.Call(func=ast.Attribute(attr=name)):
                return name in _DIFFERENCES and mentions(node, self._body.fed)
        return False

    def _is_far(self, node: ast.AST, names: Collection[str]) -> bool:
        """Whether `node` comes from a distance; `names` hold one, or give one when they are called."""
        return any(self._is_distance(source, names) for source in self._body.sources(node))

    def _is_distance(self, node: ast.AST, names: Collection[str]) -> bool:
        match node:
            case ast.Name(id=name):
                return name in names
            case ast.BinOp(op=ast.Pow(), left=left):
                return self._differs(left, self._differences)
            case ast.Call(func=function):
                found, name = self._body.find(function), _last(function)
                if isinstance(found, Definition):
                    return mentions(node, self._body.fed) and self._measures(found)
                if name in _SIZES:
                    return any(self._differs(operand, self._differences) for operand in self._body.operands(node))
                return name in names or (name in _DISTANCES and mentions(node, self._body.fed))
        return False

    def _is_rounded(self, node: ast.AST, names: Collection[str]) -> bool:
        """Whether `node` comes from a number rounded to some digits; `names` hold one."""
        return any(self._rounds(source, names) for source in self._body.sources(node))

    def _rounds(self, node: ast.AST, names: Collection[str]) -> bool:
        match node:
            case ast.Name(id=name):
                return name in names
            case ast.Call(func=function, args=arguments, keywords=keywords) if _last(function) in _ROUNDINGS:
                digits = len(arguments) > (1 if self._body.is_foreign(function) else 0)
                named = any(keyword.arg in ("ndigits", "decimals") for keyword in keywords)
                return (digits or named) and mentions(node, self._body.fed)
        return False


def _last(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
