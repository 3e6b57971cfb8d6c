"""Which names of a function may hold what came from some of them: by name, and whatever the order of its statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pv.source.names import local_names, parameters
from pv.source.syntax import Function, walk


class Feed(NamedTuple):
    """What may hold something of the values: names that are assigned, looped over, matched, appended to, passed to."""

    names: frozenset[str]
    values: tuple[ast.AST, ...]


def feeds(nodes: Sequence[ast.AST]) -> tuple[Feed, ...]:
    """Of all `nodes` of a function. A method called on a local name feeds it: `results.append(y)`."""
    inner = dict(_inner_functions(nodes))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    found = (feed for node in nodes for feed in (*_assigned(node), *_passed(node, inner, stored)))
    return tuple(Feed(frozenset(names), values) for names, values in found if names and values)


def mentions(node: ast.AST, names: Collection[str]) -> bool:
    """Whether one of `names` is read anywhere in `node`."""
    return any(name in names for name in _read(node))


def fed(
    flows: Sequence[Feed],
    names: Iterable[str],
    carries: Callable[[ast.AST, Collection[str]], bool] = mentions,
) -> frozenset[str]:
    """`names`, and those that may hold a value which carries something of names found before."""
    found, waiting, grown = set(names), list(flows), True
    while grown:
        before, tried, waiting = len(found), waiting[::-1], []  # every other time backwards: chains run either way
        for flow in tried:
            if flow.names <= found:
                continue
            if any(carries(value, found) for value in flow.values):
                found |= flow.names
            else:
                waiting.append(flow)
        grown = len(found) > before
    return frozenset(found)


def matched(call: ast.Call, function: Function | ast.Lambda) -> Iterator[tuple[str, ast.expr]]:
    """The parameters of `function` with the arguments of `call` that they take; `*` and `**` go to all they may fill."""
    given = function.args
    named = {arg.arg for arg in (*given.args, *given.kwonlyargs)}
    places = [arg.arg for arg in (*given.posonlyargs, *given.args)]
    for index, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            rest = [*places[index:], *([given.vararg.arg] if given.vararg else [])]
            yield from ((name, argument.value) for name in rest)
        elif index < len(places):
            yield places[index], argument
        elif given.vararg:
            yield given.vararg.arg, argument
    for keyword in call.keywords:
        if keyword.arg is None:
            yield from ((name, keyword.value) for name in sorted(parameters(function)))
        elif keyword.arg in named:
            yield keyword.arg, keyword.value
        elif given.kwarg:
            yield given.kwarg.arg, keyword.value


def hidden_names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are local to a function among `nodes`, or to a part of one."""
    functions = [node for node in nodes if isinstance(node, Function | ast.Lambda)]
    return frozenset(name for function in functions for name in local_names(function))


def _read(node: ast.AST) -> Iterator[str]:
    return (inner.id for inner in walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load))


def _assigned(node: ast.AST) -> Iterator[tuple[set[str], tuple[ast.AST, ...]]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield {name for target in targets for name in _bases(target)}, (value,)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            yield _bases(target), (value,)
        case ast.AugAssign(target=target, op=op, value=value):
            yield from (
                (_bases(target), (ast.BinOp(ast.Name(name, ast.Load()), op, value),)) for name in _bases(target)
            )
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            yield _bases(target), (value,)
        case ast.comprehension(target=target, iter=value):
            yield _bases(target), (value,)
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            yield _bases(target), (value,)
        case ast.Match(subject=value, cases=cases):
            patterns = [inner for case in cases for inner in walk(case.pattern)]
            names = {inner.name for inner in patterns if isinstance(inner, ast.MatchAs | ast.MatchStar) and inner.name}
            yield names, (value,)
        case ast.FunctionDef(name=name, body=body) | ast.AsyncFunctionDef(name=name, body=body):
            returned = [inner.value for part in body for inner in walk(part) if isinstance(inner, ast.Return)]
            yield {name}, (*(value for value in returned if value is not None), *body)


def _inner_functions(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Function | ast.Lambda]]:
    for node in nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, node
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as value):
                yield name, value


def _passed(
    node: ast.AST, inner: Mapping[str, Function | ast.Lambda], stored: set[str]
) -> Iterator[tuple[set[str], tuple[ast.AST, ...]]]:
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name) and node.func.id in inner:
        yield from (({name}, (value,)) for name, value in matched(node, inner[node.func.id]))
    if isinstance(node.func, ast.Attribute):
        owners = _bases(node.func.value) & stored
        yield owners, (*node.args, *(keyword.value for keyword in node.keywords))
    for argument in node.args:
        if isinstance(argument, ast.Lambda):
            yield parameters(argument), tuple(other for other in node.args if other is not argument)


def _bases(target: ast.AST) -> set[str]:
    """The names that are bound or changed by storing into `target`: x of `x`, `x[0]` and `x.a`, a and b of `a, b`."""
    found, pending = set[str](), [target]
    while pending:
        match pending.pop():
            case ast.Name(id=name):
                found.add(name)
            case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Starred(value=value):
                pending.append(value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                pending.extend(parts)
    return found
