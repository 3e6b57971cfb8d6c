"""How a falsifier attacks, as far as its text and that of its folder show: what it compares, asserts and leaves unused."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from pv.source.body import Bodies, Body
from pv.source.comparison import Comparisons
from pv.source.falsifiers import Attack, FalsifierEntry, FalsifierIndex, Seen
from pv.source.flow import matched, mentions
from pv.source.folder import Definition, Folder
from pv.source.names import parameters
from pv.source.syntax import Function, place_of
from pv.source.use import Uses, always_raises

SUBJECT, CHECK = "subject", "check"


def attack_reader(index: FalsifierIndex) -> Callable[[FalsifierEntry], Attack]:
    """What gives the attack of each falsifier of `index`; each is looked through when it is first asked for."""
    reader = _Reader(Folder(index.modules))
    read: dict[FalsifierEntry, Attack] = {}

    def attack(entry: FalsifierEntry) -> Attack:
        if entry not in read:
            read[entry] = reader.attack(entry)
        return read[entry]

    return attack


def brings_cases(index: FalsifierIndex, entry: FalsifierEntry) -> bool:
    """Whether the decorator of `entry` brings cases of its own, as far as its text shows."""
    _, mark = _marked(index.modules[entry.path].tree, entry)
    return _brings_cases(mark)


class _Reader:
    def __init__(self, folder: Folder) -> None:
        self._folder, self._bodies = folder, Bodies(folder)
        self._uses = Uses(self._bodies)
        self._distances: dict[int, bool] = {}
        self._compared: dict[Body, tuple[Seen, ...]] = {}

    def attack(self, entry: FalsifierEntry) -> Attack:
        scope = self._folder.scope(entry.path)
        node, mark = _marked(scope.parsed.tree, entry)
        falsifier = Definition(scope, entry.function, node)
        reached = list(self._reached(falsifier))
        comparisons = {seen for definition, body in reached for seen in self._comparisons(definition, body)}
        asserts = {
            _seen(definition, statement, what)
            for definition, body in reached
            for statement, what in _asserts(body, is_falsifier=definition == falsifier)
        }
        roles = () if always_raises(node) else (SUBJECT, CHECK)
        unused = tuple(role for role in roles if not self._uses.uses(falsifier, role))
        place = place_of(mark, scope.parsed.source, entry.path) if _is_unexplained(mark) else None
        return Attack(tuple(sorted(comparisons)), tuple(sorted(asserts)), unused, place)

    def _reached(self, falsifier: Definition) -> Iterator[tuple[Definition, Body]]:
        """The falsifier and what it uses of its folder, each with what the subject feeds in it."""
        pending, seen = [(falsifier, frozenset({SUBJECT}))], set[Body]()
        while pending:
            definition, names = pending.pop()
            body = self._bodies.of(definition, names)
            if body not in seen:
                seen.add(body)
                yield definition, body
                pending += _used(body)

    def _comparisons(self, definition: Definition, body: Body) -> tuple[Seen, ...]:
        if body not in self._compared:
            found = Comparisons(body, self._measures).found()
            self._compared[body] = tuple(_seen(definition, node, what) for node, what in found)
        return self._compared[body]

    def _measures(self, function: Definition) -> bool:
        key = id(function.node)
        if key not in self._distances:
            self._distances[key] = False  # for when it asks about itself
            if isinstance(function.node, Function | ast.Lambda):
                body = self._bodies.of(function, frozenset(parameters(function.node)))
                self._distances[key] = Comparisons(body, self._measures).gives_distance()
        return self._distances[key]


def _used(body: Body) -> Iterator[tuple[Definition, frozenset[str]]]:
    """The definitions that `body` refers to, with the parameters that get something of the subject's."""
    called: set[int] = set()
    given: set[int] = set()  # functions that are passed to something together with what is the subject's
    for node in body.nodes:
        if isinstance(node, ast.Call):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(mentions(value, body.fed) for value in values):
                given |= {id(value) for value in values}
            found = body.find(node.func)
            if isinstance(found, Definition) and isinstance(found.node, Function | ast.Lambda):
                called.add(id(node.func))
                passed = matched(node, found.node)
                yield found, frozenset(name for name, value in passed if mentions(value, body.fed))
    for node in body.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in called:
            found = body.find(node)
            if isinstance(found, Definition):
                yield from _members(found, everything=id(node) in given)


def _members(found: Definition, *, everything: bool) -> Iterator[tuple[Definition, frozenset[str]]]:
    """What may run when `found` is used other than by a call; of a class, its methods, on whatever they are given."""
    if isinstance(found.node, ast.ClassDef):
        methods = [node for node in found.node.body if isinstance(node, Function)]
        yield from ((Definition(found.scope, node.name, node), frozenset(parameters(node))) for node in methods)
        return
    takes = parameters(found.node) if isinstance(found.node, Function | ast.Lambda) and everything else ()
    yield found, frozenset(takes)


def _asserts(body: Body, *, is_falsifier: bool) -> Iterator[tuple[ast.stmt, str]]:
    """In the falsifier all; in what it uses those about the subject, for a helper may state what it takes for granted."""
    for node in body.nodes:
        match node:
            case ast.Assert(test=test) if is_falsifier or mentions(test, body.fed):
                yield node, "has an `assert`"
            case ast.Raise(exc=ast.Name(id="AssertionError") | ast.Call(func=ast.Name(id="AssertionError"))):
                if is_falsifier:
                    yield node, "raises AssertionError"


def _seen(definition: Definition, node: ast.stmt | ast.expr, what: str) -> Seen:
    parsed = definition.scope.parsed
    return Seen(place_of(node, parsed.source, parsed.path), definition.name, what)


def _marked(tree: ast.Module, entry: FalsifierEntry) -> tuple[ast.AST, ast.Call]:
    """The function that `entry` speaks of, and the decorator with its id."""
    for node in tree.body:
        if isinstance(node, Function) and node.name == entry.function:
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and mark.lineno <= entry.line <= (mark.end_lineno or mark.lineno):
                    return node, mark
    raise ValueError(f"{entry.path} does not hold {entry.function}")


def _brings_cases(mark: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in mark.keywords}
    match given.get("cases"):
        case None | ast.Constant(value=None):
            return False
    return True


def _is_unexplained(mark: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in mark.keywords}
    if not _brings_cases(mark):
        return False
    match given.get("because"):
        case ast.Constant(value=value):
            return not isinstance(value, str) or not value.strip()
        case None:
            return None not in given  # `**rest` may bring it
    return False
