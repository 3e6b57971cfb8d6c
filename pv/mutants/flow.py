"""Edits of conditions and statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from pv.mutants.build import changed
from pv.mutants.site import Site, only_raises
from pv.source.syntax import Function

_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_LOSSY = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)  # turning one of these is not the same as negating it


def boundary(site: Site) -> Iterator[ast.expr]:
    """`a < b` → `a <= b`, and back."""
    yield from _compared(site, _BOUNDARY)


def turned(site: Site) -> Iterator[ast.expr]:
    """`a < b` → `a > b`, `a == b` → `a != b`, `a in b` → `a not in b`."""
    yield from _compared(site, _TURNED)


def condition(site: Site) -> Iterator[ast.expr]:
    """The condition of an `if` negated; `not x` and `~x` → `x` anywhere."""
    node = site.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.expr) and (_is_test(site) or site.field == "ifs"):
        exact = isinstance(node, ast.Compare) and len(node.ops) == 1 and not isinstance(node.ops[0], _LOSSY)
        if not exact:
            yield ast.UnaryOp(ast.Not(), node)


def logic(site: Site) -> Iterator[ast.expr]:
    """`a and b` → `a or b`, and without each of them."""
    node = site.node
    if isinstance(node, ast.BoolOp):
        yield changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for dropped in range(len(node.values)):
            left = [value for index, value in enumerate(node.values) if index != dropped]
            yield changed(node, values=left) if len(left) > 1 else left[0]


def branch(site: Site) -> Iterator[ast.expr]:
    """An `if` never taken, or always where it does not only raise; the filter of a comprehension off."""
    node = site.node
    if isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif site.field == "test" and isinstance(site.parent, ast.If | ast.While):
        yield ast.Constant(False)
        if isinstance(site.parent, ast.If) and not isinstance(site.parent.body[-1], ast.Raise):
            yield ast.Constant(True)
    elif site.field == "ifs":
        yield ast.Constant(True)


def deleted(site: Site) -> Iterator[ast.stmt]:
    """A statement without which every name is still defined: a call, a `raise`, a second assignment."""
    match site.node:
        case ast.AugAssign() | ast.Assert() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Raise() if not _is_guard(site):
            yield ast.Pass()
        case ast.Break() | ast.Continue() if _innermost_loop_ends(site):
            yield ast.Pass()
        case ast.Assign(targets=targets) if _stay_defined(site, targets):
            yield ast.Pass()
        case ast.AnnAssign(target=target, value=ast.expr()) if _stay_defined(site, [target]):
            yield ast.Pass()


def accumulation(site: Site) -> Iterator[ast.stmt]:
    """`total += x` → `total = x`."""
    node = site.node
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value)


def returned(site: Site) -> Iterator[ast.expr]:
    """What is returned replaced by what was there before: the value assigned last, the first argument."""
    if not isinstance(site.parent, ast.Return) or isinstance(site.node, ast.Constant | ast.Tuple):
        return
    block = getattr(site.parents[-2], site.steps[-2][0])
    before = block[: site.steps[-2][1]] if isinstance(block, list) else []
    for statement in reversed(before):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield ast.Name(statement.targets[0].id, ast.Load())
            break
    for name in [name for name in _parameters(site) if name not in ("self", "cls")][:1]:
        yield ast.Name(name, ast.Load())


def elements_swapped(site: Site) -> Iterator[ast.expr]:
    """`return a, b` → `return b, a`: neighbours of a tuple that is returned or assigned."""
    node = site.node
    if isinstance(node, ast.Tuple) and isinstance(site.parent, ast.Return | ast.Assign):
        for index, (one, other) in enumerate(zip(node.elts, node.elts[1:], strict=False)):
            yield changed(node, elts=[*node.elts[:index], other, one, *node.elts[index + 2 :]])


def _compared(site: Site, swapped: dict[type[ast.cmpop], type[ast.cmpop]]) -> Iterator[ast.expr]:
    node = site.node
    for index, sign in enumerate(node.ops) if isinstance(node, ast.Compare) else ():
        if type(sign) in swapped and isinstance(node, ast.Compare):
            yield changed(node, ops=[*node.ops[:index], swapped[type(sign)](), *node.ops[index + 1 :]])


def _is_test(site: Site) -> bool:
    return site.field == "test" and isinstance(site.parent, ast.If | ast.IfExp)


def _is_guard(site: Site) -> bool:
    """All that an `if` does: to delete it is never to take that branch, which is another operator's edit."""
    parent = site.parent
    return isinstance(parent, ast.If) and site.field == "body" and only_raises(parent.body) and not parent.orelse


def _innermost_loop_ends(site: Site) -> bool:
    """A `for` ends by itself; a `while` may need its `break`."""
    loops = [parent for parent in site.parents if isinstance(parent, ast.For | ast.AsyncFor | ast.While)]
    return bool(loops) and not isinstance(loops[-1], ast.While)


def _stay_defined(site: Site, targets: Sequence[ast.expr]) -> bool:
    nodes = [node for target in targets for node in ast.walk(target)]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names <= {*_parameters(site), *_assigned_before(site)}


def _assigned_before(site: Site) -> Iterator[str]:
    """Names bound on every way to the site: in a statement before it, or before a block that it is in."""
    for parent, (field, index) in reversed(list(zip(site.parents, site.steps, strict=True))):
        block = getattr(parent, field)
        for statement in block[:index] if isinstance(block, list) else ():
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
                yield from (node.id for node in stored if isinstance(node.ctx, ast.Store))
        if isinstance(parent, Function):
            return


def _parameters(site: Site) -> list[str]:
    """The arguments of the innermost function around the site."""
    function = [parent for parent in site.parents if isinstance(parent, Function | ast.Lambda)][-1]
    arguments = function.args
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
