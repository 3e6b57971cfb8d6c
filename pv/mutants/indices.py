"""Edits of indices, slices and ranges: off by one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pv.mutants.build import called, changed, literal, number, plus, receiver, with_argument
from pv.mutants.site import Site


def index(site: Site) -> Iterator[ast.expr]:
    """`x[i]` → `x[i + 1]`, `x[i - 1]`; of a tensor each index by itself."""
    if isinstance(site.node, ast.expr) and site.scope.is_integer(site.node) and _is_index(site):
        yield from (plus(site.node, 1), plus(site.node, -1))


def slice_bound(site: Site) -> Iterator[ast.expr]:
    """`x[1:n]` → `x[2:n]`, `x[0:n]`, `x[1:n + 1]`, `x[1:n - 1]`, `x[:n]`, `x[1:]`; `x[1:]` → `x[1:-1]`; a step dropped."""
    node = site.node
    if not isinstance(node, ast.Slice) or (node.lower, node.upper, node.step) == (None, None, None):
        return
    for field in ("lower", "upper"):
        bound: ast.expr | None = getattr(node, field)
        if bound is not None:
            yield changed(node, **{field: None})
            # a bound that becomes 0 takes nothing away, or everything
            yield from (
                changed(node, **{field: moved}) for moved in (plus(bound, 1), plus(bound, -1)) if literal(moved) != 0
            )
    if node.step is not None:
        yield changed(node, step=None)
    elif node.lower is None:
        yield changed(node, lower=number(1))
    elif node.upper is None:
        yield changed(node, upper=number(-1))


def range_bound(site: Site) -> Iterator[ast.expr]:
    """`range(n)` → `range(n + 1)`, `range(n - 1)`, `range(1, n)`; `range(a, b)` → either bound off by one."""
    node = site.node
    if not isinstance(node, ast.Call) or called(node) not in ("range", "arange") or not node.args:
        return
    if receiver(node, site.scope) is not None or any(isinstance(given, ast.Starred) for given in node.args):
        return
    for position, bound in enumerate(node.args[:2]):
        yield from (with_argument(node, position, plus(bound, step)) for step in (1, -1))
    if len(node.args) == 1:
        yield changed(node, args=[number(1), *node.args])


def _is_index(site: Site) -> bool:
    parent = site.parent
    if isinstance(parent, ast.Tuple):
        return isinstance(site.parents[-2], ast.Subscript) and site.steps[-2][0] == "slice"
    of_shape = (
        isinstance(parent, ast.Subscript) and isinstance(parent.value, ast.Attribute) and parent.value.attr == "shape"
    )
    return isinstance(parent, ast.Subscript) and site.field == "slice" and not of_shape
