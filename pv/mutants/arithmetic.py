"""Edits of numbers and arithmetic."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pv.mutants.build import called, changed, literal, negated, number, operand, with_operand
from pv.mutants.site import Site
from pv.mutants.words import AXIS_KEYWORDS, DROPPABLE, ELEMENTWISE

_SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_ORDERED = (ast.Sub, ast.Div, ast.MatMult, ast.Pow, ast.FloorDiv, ast.Mod, ast.LShift, ast.RShift)
_NEIGHBOUR = 1.01  # a float off by one percent: far above any rounding, below what an eye sees


def constant(site: Site) -> Iterator[ast.expr]:
    """`2` → `3`, `1`, `0`, `4`; of a float also one percent more."""
    value = literal(site.node)
    signed = isinstance(site.parent, ast.UnaryOp) and literal(site.parent) is not None
    if value is None or signed or _is_axis_keyword(site):
        return
    near = (value * _NEIGHBOUR,) if isinstance(value, float) else ()
    for other in (*near, value + 1, value - 1, value * 0, value * 2):
        if other != value:
            yield number(abs(other) if other == 0 else other)


def named_constant(site: Site) -> Iterator[ast.expr]:
    """`EPSILON` → `EPSILON * 2`, `EPSILON + 1`, `0`."""
    node = site.node
    match node:
        case ast.Name(id=name):
            known = name in site.scope.numbers
        case ast.Attribute(value=ast.Name(id=holder), attr=name):
            known = holder in site.scope.imported and holder.islower() and name.isupper()  # of a module, not an enum
        case _:
            known = False
    holds = site.field == "value" and isinstance(site.parent, ast.Attribute | ast.Subscript | ast.Starred)
    if known and not holds and isinstance(node, ast.expr) and site.field not in ("func", "iter"):
        yield ast.BinOp(node, ast.Mult(), ast.Constant(2))
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield ast.Constant(0)


def arithmetic(site: Site) -> Iterator[ast.AST]:
    """`a + b` → `a - b`, `a * b` → `a / b`, `a | b` → `a & b`, and so on; `a += b` alike."""
    node = site.node
    numeric = isinstance(node, ast.AugAssign) or (isinstance(node, ast.BinOp) and _is_numeric(node))
    if numeric and isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _SWAPPED:
        yield changed(node, op=_SWAPPED[type(node.op)]())


def term_dropped(site: Site) -> Iterator[ast.expr]:
    """`a + b` → `a`, `b`; `a - b` → `a`, `-b`; `a / b` → `a`, `1 / b`."""
    match site.node:
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield from (left, negated(right))
        case ast.BinOp(left=left, op=ast.Div() as divided, right=right):
            yield from (left, ast.BinOp(ast.Constant(1), divided, right))
        case ast.BinOp(left=left, op=ast.Pow() | ast.FloorDiv() | ast.Mod() | ast.LShift() | ast.RShift()) as node:
            yield from (left,) if _is_numeric(node) else ()
        case ast.BinOp(left=left, right=right):
            yield from (left, right)


def operands_swapped(site: Site) -> Iterator[ast.expr]:
    """`a - b` → `b - a`, where the order matters."""
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, _ORDERED) and _is_numeric(node):
        yield changed(node, left=node.right, right=node.left)


def sign(site: Site) -> Iterator[ast.expr]:
    """`-x` → `x`; what is assigned, returned or put through a known function gets a minus."""
    node = site.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if literal(node) is None:
            yield node.operand
    elif isinstance(node, ast.expr) and _takes_a_sign(site):
        yield negated(node)


def term_moved_out(site: Site) -> Iterator[ast.expr]:
    """`sqrt(a + b)` → `sqrt(a) + b`: the epsilon that belongs inside."""
    node = site.node
    if not isinstance(node, ast.Call) or called(node) not in ELEMENTWISE:
        return
    match operand(node, site.scope):
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as joined, right=right):
            yield ast.BinOp(with_operand(node, site.scope, left), joined, right)


def _takes_a_sign(site: Site) -> bool:
    node = site.node
    result = isinstance(site.parent, ast.Assign | ast.Return | ast.AugAssign) and site.field == "value"
    if result and isinstance(node, ast.Call):
        return called(node) in DROPPABLE
    if result and isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow | ast.MatMult) and _is_numeric(node)
    return isinstance(site.parent, ast.Call) and node is _put_through(site.parent, site)


def _put_through(call: ast.Call, site: Site) -> ast.expr | None:
    return operand(call, site.scope) if called(call) in ELEMENTWISE | {"softmax", "log_softmax"} else None


def _is_numeric(node: ast.BinOp) -> bool:
    """Not text that is formatted or joined, nor a list that is."""
    joined = (ast.JoinedStr, ast.List, ast.Tuple, ast.ListComp)
    return not any(
        isinstance(side, joined) or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in (node.left, node.right)
    )


def _is_axis_keyword(site: Site) -> bool:
    """An axis has its own operator: most other integers name no axis at all."""
    return isinstance(site.parent, ast.keyword) and site.parent.arg in AXIS_KEYWORDS
