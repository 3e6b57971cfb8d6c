"""The places of a function that an edit may replace, and trees with one of them replaced."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from pv.mutants.scope import Scope
from pv.source.syntax import Function

Step = tuple[str, int | None]
Code = ast.expr | ast.stmt
_Tree = TypeVar("_Tree", bound=ast.AST)

_ENTERED = (ast.expr, ast.stmt, ast.comprehension, ast.excepthandler, ast.withitem, ast.match_case, ast.keyword)
# Not what the function computes: types, what runs when it is defined, texts of errors, and how a field is printed.
_LEFT_OUT = frozenset(
    {"annotation", "returns", "decorator_list", "type_params", "msg", "format_spec", "pattern", "type"}
)
_NOT_ENTERED = (ast.Raise, ast.Import, ast.ImportFrom)


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A node that may be replaced: `parents` around it, the function first; `steps` lead from there to it."""

    node: Code
    parents: tuple[ast.AST, ...]
    steps: tuple[Step, ...]
    scope: Scope

    @property
    def parent(self) -> ast.AST:
        """The node directly above."""
        return self.parents[-1]

    @property
    def field(self) -> str:
        """The field of `parent` that holds the node."""
        return self.steps[-1][0]

    @property
    def index(self) -> int | None:
        """The position in that field, where it is a list."""
        return self.steps[-1][1]

    @property
    def name(self) -> str:
        """The way from the function, as `body[1].value.right`: nothing in it depends on layout."""
        return ".".join(field if index is None else f"{field}[{index}]" for field, index in self.steps)


def sites(function: Function, scope: Scope) -> Iterator[Site]:
    """Every place of the function's body that an edit may replace, nested functions included, outer before inner.

    Left out: docstrings, annotations, decorators, default arguments, and what only makes the text of an error.
    """
    pending: list[tuple[ast.AST, tuple[ast.AST, ...], tuple[Step, ...]]] = [(function, (), ())]
    while pending:
        node, parents, steps = pending.pop()
        if parents and isinstance(node, ast.expr | ast.stmt) and _is_read(node):
            yield Site(node, parents, steps, scope)
        inner = [(child, (*parents, node), (*steps, step)) for step, child in _children(node)]
        pending.extend(reversed(inner))


def replaced(root: _Tree, steps: tuple[Step, ...], new: ast.AST) -> _Tree:
    """`root` with `new` at the end of `steps` (at least one); whatever lies off that way is shared, nothing is changed."""
    (field, index), *further = steps
    changed = copy.copy(root)
    held = getattr(root, field)
    old = held if index is None else held[index]
    inner = replaced(old, tuple(further), new) if further else new
    setattr(changed, field, inner if index is None else [*held[:index], inner, *held[index + 1 :]])
    return changed


def at(root: ast.AST, steps: tuple[Step, ...]) -> ast.AST:
    """The node at the end of `steps`."""
    for field, index in steps:
        held = getattr(root, field)
        root = held if index is None else held[index]
    return root


def only_raises(block: list[ast.stmt]) -> bool:
    """Whether `block` raises and does nothing before that but assign to names, which make the text of the error."""
    return isinstance(block[-1], ast.Raise) and all(map(_is_local, block[:-1]))


def _is_read(node: Code) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load | None)


def _children(node: ast.AST) -> Iterator[tuple[Step, ast.AST]]:
    if isinstance(node, _NOT_ENTERED):
        return
    for field in node._fields:
        held = getattr(node, field, None)
        if field in _LEFT_OUT or isinstance(held, ast.arguments):
            continue
        for index, child in enumerate(held) if isinstance(held, list) else ((None, held),):
            if isinstance(child, _ENTERED) and not _makes_no_value(child, node, held):
                yield (field, index), child


def _makes_no_value(child: ast.AST, parent: ast.AST, block: object) -> bool:
    """Whether `child` is only text: a docstring, a literal part of an f-string, what is told when an error is raised."""
    if isinstance(parent, ast.JoinedStr):
        return isinstance(child, ast.Constant)
    if isinstance(child, ast.Expr):
        return isinstance(child.value, ast.Constant)
    return isinstance(child, ast.Assign) and isinstance(block, list) and only_raises(block)


def _is_local(statement: ast.stmt) -> bool:
    names = (ast.Name, ast.Tuple, ast.expr_context)
    targets = statement.targets if isinstance(statement, ast.Assign) else ()
    return bool(targets) and all(isinstance(node, names) for target in targets for node in ast.walk(target))
