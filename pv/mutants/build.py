"""Pieces of syntax trees that operators read and make."""

from __future__ import annotations

import ast
import copy
import math
from typing import Any, TypeVar

from pv.mutants.scope import Scope

_Tree = TypeVar("_Tree", bound=ast.AST)


def literal(node: ast.AST | None) -> int | float | None:
    """The number that `node` spells out, its sign included; None when it is anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = literal(node.operand) if isinstance(node.operand, ast.Constant) else None
        return None if value is None else -value
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return None


def number(value: int | float) -> ast.expr:
    """`value` as the parser would read it: a minus sign stands before the number, it is no part of it."""
    if value < 0 or math.copysign(1.0, value) < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def plus(node: ast.expr, step: int) -> ast.expr:
    """`node + step`, folded where `node` is a number, `node - 1` where `step` is -1."""
    value = literal(node)
    if value is not None:
        return number(value + step)
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def method(receiver: ast.expr, name: str) -> ast.Call:
    """`receiver.name()`."""
    return ast.Call(ast.Attribute(receiver, name, ast.Load()), [], [])


def negated(node: ast.expr) -> ast.expr:
    """`-node`."""
    return ast.UnaryOp(ast.USub(), node)


def changed(node: _Tree, **fields: Any) -> _Tree:
    """`node` with other `fields`; the rest is shared."""
    new = copy.copy(node)
    for field, value in fields.items():
        setattr(new, field, value)
    return new


def with_argument(call: ast.Call, index: int, value: ast.expr) -> ast.Call:
    """`call` with another positional argument at `index`."""
    return changed(call, args=[*call.args[:index], value, *call.args[index + 1 :]])


def called(node: ast.AST) -> str:
    """The last name of what is called: `sqrt` of `torch.sqrt(x)` and of `x.sqrt()`; "" when `node` is no such call."""
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
    return ""


def receiver(call: ast.Call, scope: Scope) -> ast.expr | None:
    """`x` of the method call `x.exp()`; None for a function, whose dots lead back to an import: `torch.nn.f(x)`."""
    if not isinstance(call.func, ast.Attribute):
        return None
    root: ast.expr = call.func.value
    while isinstance(root, ast.Attribute):
        root = root.value
    imported = isinstance(root, ast.Name) and root.id in scope.imported
    return None if imported else call.func.value


def operand(call: ast.Call, scope: Scope) -> ast.expr | None:
    """What a call works on: its receiver or else its first argument."""
    held = receiver(call, scope)
    if held is None and call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return held


def with_operand(call: ast.Call, scope: Scope, value: ast.expr) -> ast.Call:
    """`call` on another operand."""
    if receiver(call, scope) is None:
        return with_argument(call, 0, value)
    return changed(call, func=changed(call.func, value=value))
