"""Edits of calls: what tensor code gets wrong most."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Iterator

from pv.mutants.build import called, changed, literal, method, number, operand, receiver, with_argument
from pv.mutants.site import Site
from pv.mutants.words import (
    AXIS_AT,
    AXIS_KEYWORDS,
    CASTS,
    CLAMPS,
    COARSER,
    DROPPABLE,
    ORDERED,
    TRANSPOSED,
    TRANSPOSITIONS,
    TWINS,
)


def axis(site: Site) -> Iterator[ast.expr]:
    """`dim=-1` → `dim=0`, any other axis → `0` and `-1`; by keyword, by position, in `shape[…]`."""
    value = literal(site.node)
    if type(value) is int and _names_axis(site):
        yield from (number(other) for other in (0, -1) if other != value)


def keyword_dropped(site: Site) -> Iterator[ast.expr]:
    """`sum(x, dim=1)` → `sum(x)`. Not a boolean, which is flipped, nor a device: on one machine they are all the same."""
    node = site.node
    for index, given in enumerate(node.keywords) if isinstance(node, ast.Call) else ():
        flipped = isinstance(given.value, ast.Constant) and isinstance(given.value.value, bool)
        if given.arg != "device" and not flipped and isinstance(node, ast.Call):
            yield changed(node, keywords=[*node.keywords[:index], *node.keywords[index + 1 :]])


def boolean(site: Site) -> Iterator[ast.expr]:
    """`keepdim=True` → `keepdim=False`, and every other `True` and `False`."""
    if isinstance(site.node, ast.Constant) and isinstance(site.node.value, bool):
        yield ast.Constant(not site.node.value)


def call_dropped(site: Site) -> Iterator[ast.expr]:
    """`x.exp()` → `x`, `torch.sqrt(e)` → `e`, `norm(x)` → `x` for a function of the project."""
    node = site.node
    if isinstance(node, ast.Call) and not isinstance(site.parent, ast.Expr):
        own = isinstance(node.func, ast.Name) and node.func.id[0].islower() and not hasattr(builtins, node.func.id)
        held = operand(node, site.scope)
        if held is not None and (own or called(node) in DROPPABLE):
            yield held


def cast_dropped(site: Site) -> Iterator[ast.expr]:
    """`x.to(torch.float64)` → `x`, `x.double()` → `x`, `int(x)` → `x`."""
    node = site.node
    if not isinstance(node, ast.Call):
        return
    held = receiver(node, site.scope)
    if held is not None and called(node) in CASTS:
        yield held
    elif isinstance(node.func, ast.Name) and node.func.id in ("int", "float", "bool") and len(node.args) == 1:
        yield from (node.args[0],) if site.field != "test" else ()  # a test is one whether it is cast or not


def dtype(site: Site) -> Iterator[ast.expr]:
    """`torch.float64` → `torch.float32`, and each other type to the next coarser, where it is an argument."""
    node = site.node
    if isinstance(node, ast.Attribute) and isinstance(site.parent, ast.Call | ast.keyword) and site.field != "func":
        known = isinstance(node.value, ast.Name) and node.value.id in site.scope.imported
        if known and node.attr in COARSER:
            yield changed(node, attr=COARSER[node.attr])


def transposition(site: Site) -> Iterator[ast.expr]:
    """`x.T` → `x`, `x.transpose(0, 1)` → `x`."""
    node = site.node
    if isinstance(node, ast.Attribute) and node.attr in TRANSPOSED:
        yield node.value
    elif isinstance(node, ast.Call) and called(node) in TRANSPOSITIONS:
        held = operand(node, site.scope)
        yield from () if held is None else (held,)


def einsum(site: Site) -> Iterator[ast.expr]:
    """`einsum("ij,jk->ik", …)` → `"ij,jk->ki"`: the last two letters of the result change places."""
    if called(site.parent) == "einsum" and isinstance(site.node, ast.Constant) and isinstance(site.node.value, str):
        rule, arrow, result = site.node.value.partition("->")
        if arrow and len(result.strip()) > 1:
            yield ast.Constant(f"{rule}->{result[:-2]}{result[-1]}{result[-2]}")


def clamp(site: Site) -> Iterator[ast.expr]:
    """`x.clamp(a, b)` → `x.clamp(None, b)`, `x.clamp(a)`; without its only bound, `x`."""
    node = site.node
    if not isinstance(node, ast.Call) or called(node) not in CLAMPS:
        return
    held, first = operand(node, site.scope), int(receiver(node, site.scope) is None)
    bounds = len(node.args) - first
    if held is not None and bounds + len(node.keywords) == 1:
        yield held
    elif bounds == 2:
        yield with_argument(node, first, ast.Constant(None))
        yield changed(node, args=node.args[:-1])


def function_swapped(site: Site) -> Iterator[ast.expr]:
    """`sum` → `mean`, `amax` → `amin`, `exp` → `expm1`, `triu` → `tril`, and so on, both ways."""
    node = site.node
    if not isinstance(node, ast.Call) or called(node) not in TWINS:
        return
    twin = TWINS[called(node)]
    match node.func:
        case ast.Name(id=name) as function if hasattr(builtins, name) and hasattr(builtins, twin):
            yield changed(node, func=changed(function, id=twin))
        case ast.Attribute(value=ast.Name(id="math")) as function if hasattr(math, twin):
            yield changed(node, func=changed(function, attr=twin))
        case ast.Attribute(value=holder) as function if not (isinstance(holder, ast.Name) and holder.id == "math"):
            yield changed(node, func=changed(function, attr=twin))


def arguments_swapped(site: Site) -> Iterator[ast.expr]:
    """`where(c, a, b)` → `where(c, b, a)`, `sub(a, b)` → `sub(b, a)`, `f(a, b)` → `f(b, a)` for a function of the project."""
    node = site.node
    if not isinstance(node, ast.Call) or receiver(node, site.scope) is not None:
        return
    own = isinstance(node.func, ast.Name) and not hasattr(builtins, node.func.id)
    plain = (ast.Name, ast.Attribute, ast.Subscript)
    for index, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
        alike = own and isinstance(one, plain) and isinstance(other, plain)
        if alike or (called(node), index) in {("where", 1)} or (called(node) in ORDERED and index == 0):
            yield with_argument(with_argument(node, index, other), index + 1, one)


def detached(site: Site) -> Iterator[ast.expr]:
    """A tensor `x` → `x.detach()` where its gradient passes, and what is assigned or returned where several meet."""
    node = site.node
    cut = any(_stops_gradient(parent) for parent in site.parents) or _is_detached(node)
    if isinstance(node, ast.expr) and site.scope.is_tensor(node) and not cut and _passes_gradient(site):
        yield method(node, "detach")


def detach_dropped(site: Site) -> Iterator[ast.expr]:
    """`x.detach()` → `x`."""
    if isinstance(site.node, ast.Call) and called(site.node) == "detach":
        held = operand(site.node, site.scope)
        yield from () if held is None else (held,)


def text(site: Site) -> Iterator[ast.expr]:
    """A text of one character → its neighbours; an empty one → a space. Longer ones name things, mostly."""
    value = site.node.value if isinstance(site.node, ast.Constant) else None
    key = isinstance(site.parent, ast.Subscript) and site.field == "slice"
    if value == "":
        yield ast.Constant(" ")
    elif isinstance(value, str) and len(value) == 1 and value.isprintable() and not key:
        yield from (ast.Constant(chr(ord(value) + step)) for step in (1, -1))


def _names_axis(site: Site) -> bool:
    match site.parent:
        case ast.keyword(arg=name):
            return name in AXIS_KEYWORDS
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return site.field == "slice"
        case ast.Call(func=ast.Name(id=name)) if hasattr(builtins, name):
            return False
        case ast.Call() as call if site.field == "args" and called(call) in AXIS_AT:
            return site.index == AXIS_AT[called(call)] + (receiver(call, site.scope) is None)
    return False


def _passes_gradient(site: Site) -> bool:
    node, parent = site.node, site.parent
    if not isinstance(node, ast.Name):
        known = site.scope.tensors | site.scope.collections
        met = sum(isinstance(inner, ast.Name) and inner.id in known for inner in ast.walk(node))
        return (
            isinstance(parent, ast.Assign | ast.Return) and met > 1
        )  # of one tensor alone: the same as cutting it there
    match parent:
        case ast.BinOp() | ast.Return():
            return True
        case ast.Call():
            return site.field == "args" and site.scope.is_tensor(parent) and not isinstance(site.parents[-2], ast.Expr)
        case ast.Attribute():
            call = site.parents[-2]
            return isinstance(call, ast.Call) and call.func is parent and site.scope.is_tensor(call)
        case ast.Tuple():
            return isinstance(site.parents[-2], ast.Return)
    return False


def _is_detached(node: ast.AST) -> bool:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "detach":
            return True
        node = node.func.value
    return False


def _stops_gradient(parent: ast.AST) -> bool:
    """A comparison has none, nor has what stands under `no_grad` or is detached as a whole."""
    if isinstance(parent, ast.With):
        return any(called(item.context_expr) == "no_grad" for item in parent.items)
    return isinstance(parent, ast.Compare) or called(parent) in (
        "detach",
        "item",
        "tolist",
        "no_grad",
        "int",
        "float",
        "len",
    )
