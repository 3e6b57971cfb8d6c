"""Names of a module: which statements bind them, and which of them a definition refers to."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from pv.source.syntax import Function, add_children, children, parse, statements, walk

# As tuples: `isinstance` takes several times as long with a union.
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_SCOPES = (*_FUNCTIONS, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# As sets of what is asked of every node; the parser makes nodes of just these classes.
_OF_ITS_OWN = frozenset((*_SCOPES, ast.ClassDef, *_COMPREHENSIONS))
_OPENING = frozenset((*_SCOPES, *_COMPREHENSIONS))
_BINDING = frozenset(  # beside names
    (*_DEFINITIONS, ast.alias, ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping)
)
_OWNED = (ast.Attribute, ast.Subscript)


class Binding(NamedTuple):
    """One place that binds a name of the module: `node` does so, inside `statement` of the module's body.

    `within` is the innermost statement around `node`: it is `statement` itself when no condition, loop or function
    stands between.
    """

    name: str
    node: ast.AST
    within: ast.stmt
    statement: ast.stmt


def bindings(tree: ast.Module) -> dict[str, tuple[Binding, ...]]:
    """Every binding of every name of the module, in source order; `*` stands for what a star import brings.

    To assign to an item or an attribute of a name binds it too, and so does a function that declares it global.
    """
    found: dict[str, list[Binding]] = {}
    for statement in tree.body:
        for node, within in _own_scope(statement):
            for name in (*_binds(node), *_changes(node)):
                found.setdefault(name, []).append(Binding(name, node, within or statement, statement))
    return {name: tuple(bound) for name, bound in found.items()}


def names_used_by(source: str, name: str) -> tuple[str, ...]:
    """The names of the module that the definition of `name` refers to, transitively, itself included, sorted.

    Functions, classes, imports and assigned names count. `Class.method` stands for its class. A name that is neither
    bound in the module nor a builtin stands for a star import, `*`, where there is one. Reference is by name:
    what is reached through `globals()` or a registry is not seen. Empty when the module does not bind `name`.
    Raises PvError (mend) when the text is not Python.
    """
    return used_names(bindings(parse(source, "<source>")), name, {})


def used_names(
    bound: Mapping[str, tuple[Binding, ...]], name: str, free_of: dict[ast.stmt, set[str]]
) -> tuple[str, ...]:
    """As `names_used_by`, for the bindings of a module; `free_of` remembers the free names of its statements."""
    pending, used = [name.partition(".")[0]], set[str]()
    while pending:
        current = pending.pop()
        if current in used or current not in bound:
            continue
        used.add(current)
        for statement in {binding.statement for binding in bound[current]}:
            free = free_of.get(statement)
            if free is None:
                free = free_of[statement] = free_names(statement)
            pending.extend(free)
            if any(unknown not in bound and not hasattr(builtins, unknown) for unknown in free):
                pending.append("*")
    return tuple(sorted(used))


def global_names(node: ast.AST) -> set[str]:
    """The names that some function in `node` declares global."""
    return {name for statement in statements(node) if isinstance(statement, ast.Global) for name in statement.names}


def free_names(root: ast.AST) -> set[str]:
    """The names that `root` may look up in the scope around it: read or stored, and not local to a scope inside."""
    free: set[str] = set()
    pending: list[tuple[list[ast.AST], Set[str]]] = [([root], frozenset())]
    while pending:
        found, hidden = pending.pop()
        for node in found:  # which grows meanwhile
            if type(node) is ast.Name:
                if node.id not in hidden:
                    free.add(node.id)
            elif type(node) not in _OPENING:
                add_children(node, found)
            else:
                inner = _inner(node)
                pending.append((inner, _hidden_inside(node, hidden)))
                own = {id(part) for part in inner}
                found += [part for part in _parts(node) if id(part) not in own]
    return free


def _hidden_inside(node: ast.AST, hidden: Set[str]) -> Set[str]:
    """The names that a function or comprehension does not look up around it, or that are `hidden` there."""
    if isinstance(node, _SCOPES):
        return (hidden | local_names(node)) - global_names(node)
    assert isinstance(node, _COMPREHENSIONS)
    return hidden | _stored([clause.target for clause in node.generators])


def _inner(node: ast.AST) -> list[ast.AST]:
    """The parts of a function or comprehension that are evaluated in its own scope."""
    if isinstance(node, ast.Lambda):
        return [node.body]
    if isinstance(node, _FUNCTIONS):
        return list(node.body)
    if isinstance(node, _COMPREHENSIONS):
        return [part for part in _parts(node) if part is not node.generators[0].iter]
    return []


def _parts(node: ast.AST) -> list[ast.AST]:
    """The children of `node`; of a comprehension's clauses, theirs, since the first of them begins outside."""
    parts = children(node)
    if not isinstance(node, _COMPREHENSIONS):
        return parts
    return [part for child in parts for part in (children(child) if isinstance(child, ast.comprehension) else [child])]


def local_names(function: Function | ast.Lambda) -> set[str]:
    """The parameters of `function` and the names that its body binds."""
    return parameters(function) | _stored(_inner(function))


def parameters(function: Function | ast.Lambda) -> set[str]:
    """The names of all parameters."""
    arguments = function.args
    single = (arguments.vararg, arguments.kwarg)
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *(arg for arg in single if arg))
    return {arg.arg for arg in named}


def _stored(roots: Iterable[ast.AST]) -> set[str]:
    """The names that the nodes of `_own_scope` bind, of each of `roots`."""
    found: set[str] = set()
    nodes = list(roots)
    for node in nodes:  # which grows meanwhile
        if type(node) is ast.Name:
            if type(node.ctx) is not ast.Load:
                found.add(node.id)
            continue
        if type(node) in _BINDING:
            found.update(_binds(node))
        _add_own_scope(node, nodes)
    return found


def _own_scope(root: ast.AST) -> Iterator[tuple[ast.AST, ast.stmt | None]]:
    """(node, innermost statement around it) of every node of the scope that `root` belongs to."""
    pending: list[tuple[ast.AST, ast.stmt | None]] = [(root, None)]
    while pending:
        node, around = pending.pop()
        within = node if isinstance(node, ast.stmt) else around
        yield node, within
        below: list[ast.AST] = []
        _add_own_scope(node, below)
        pending += [(child, within) for child in reversed(below)]


def _add_own_scope(node: ast.AST, found: list[ast.AST]) -> None:
    """Add what is directly below `node` and belongs to its scope: of a comprehension what it assigns outside of itself."""
    if type(node) in _OF_ITS_OWN:
        if isinstance(node, _COMPREHENSIONS):
            found += [inner.target for inner in walk(node) if isinstance(inner, ast.NamedExpr)]
    else:
        add_children(node, found)


def _binds(node: ast.AST) -> tuple[str, ...]:
    if type(node) is ast.Name:
        return () if type(node.ctx) is ast.Load else (node.id,)
    if type(node) not in _BINDING:
        return ()
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return (node.name,)
        case ast.alias():
            return (node.asname or node.name.partition(".")[0],)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.MatchMapping(rest=str(name)):
            return (name,)
    return ()


def _changes(node: ast.AST) -> Iterator[str]:
    """Names that `node` changes without binding them in its own scope."""
    if isinstance(node, _DEFINITIONS):
        yield from sorted(global_names(node))
    elif isinstance(node, _OWNED) and type(node.ctx) is not ast.Load:
        owner: ast.expr = node
        while isinstance(owner, _OWNED):
            owner = owner.value
        if isinstance(owner, ast.Name):
            yield owner.id
