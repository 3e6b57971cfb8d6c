"""Constants of Python files, folded from their syntax trees; nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeGuard

from pv.finding import Place, PvError
from pv.source.arithmetic import Value, bounded, compute, item, negate
from pv.source.files import leaves, project_file
from pv.source.imports import module_path
from pv.source.names import Binding, bindings, free_names
from pv.source.syntax import Unparsed, place_of, read_source, try_parse

_STEPS = 10_000  # nodes visited for one constant: bounds the time, and the size of what comes out
_DEPTH = 100
_REBINDING = ("exec", "globals")


class Folded(NamedTuple):
    """The value of a constant, and the assignment that gives it, in whichever file that stands."""

    value: Value
    place: Place


@dataclass(frozen=True, slots=True)  # no tuple, which a constant may be
class Unfolded:
    """Why a constant has no value that can be read; `place` is None when the source has nothing to point at."""

    message: str
    place: Place | None = None
    hint: str = ""


class _Module(NamedTuple):
    path: str
    source: str
    bound: dict[str, tuple[Binding, ...]]

    def place(self, node: ast.stmt | ast.expr) -> Place:
        return place_of(node, self.source, self.path)


class _Reading(NamedTuple):
    """One question: where it may look, what it has read, the steps it has left."""

    root: Path
    sources: tuple[str, ...]
    modules: dict[str, _Module]
    steps: Iterator[int]


class _Scope(NamedTuple):
    """Where an expression stands: its module and line, the constants folded on the way to it, the depth."""

    reading: _Reading
    module: _Module
    line: int
    trail: tuple[tuple[str, str], ...]
    depth: int

    def refuse(self, node: ast.stmt | ast.expr, message: str, hint: str = "") -> Unfolded:
        return Unfolded(message, self.module.place(node), hint)


def fold_constant(root: Path, path: str, name: str, *, sources: Sequence[str] = (".",)) -> Folded | Unfolded:
    """The value of the constant `name` at the top level of the Python file `path`, or why it cannot be told.

    `Class.name` is the default of a class' attribute, `name[0]` an item of a tuple. `path` is relative to `root`; `sources`
    are the folders, relative to `root`, that absolute imports are looked up in. Folded are literals, tuples and their items,
    + - * / // % ** with bounded operands, other constants of the file, and constants imported from files of the project.
    A constant must be bound once and unconditionally, and no star import may come after it.
    """
    reading = _Reading(root, tuple(sources), {}, iter(range(_STEPS)))
    stem, *indices = name.removesuffix("]").replace("]", "").split("[")
    folded = _fold_name(reading, path, stem, (), 0)
    try:
        for index in indices:
            folded = folded._replace(value=item(folded.value, int(index))) if isinstance(folded, Folded) else folded
    except ValueError as error:
        return Unfolded(str(error), folded.place)
    return folded


def _fold_name(
    reading: _Reading, path: str, name: str, trail: tuple[tuple[str, str], ...], depth: int
) -> Folded | Unfolded:
    module = _read(reading, path)
    if isinstance(module, Unfolded):
        return module
    owner, _, attribute = name.rpartition(".")
    binding = _only_binding(module, owner or name)
    if isinstance(binding, Unfolded):
        return binding
    if owner and isinstance(binding.statement, ast.ClassDef):
        own = _only_default(module, binding.statement, attribute)
        if isinstance(own, Unfolded):
            return own
        binding = own
    elif owner and not isinstance(binding.statement, ast.ImportFrom):
        return Unfolded(f"{owner} in {path} is no class", module.place(binding.statement), "name a class of the file")
    statement = binding.statement
    scope = _Scope(reading, module, statement.lineno, (*trail, (path, name)), depth)
    if (path, name) in trail:
        circle = " → ".join(step for _, step in scope.trail[trail.index((path, name)) :])
        return scope.refuse(statement, f"{name} is defined by itself: {circle}")
    if depth > _DEPTH:
        return scope.refuse(statement, f"{name} is more than {_DEPTH} steps away")
    return _fold_binding(binding, scope)


def _read(reading: _Reading, path: str) -> _Module | Unfolded:
    if path in reading.modules:
        return reading.modules[path]
    hint = "name a Python file of the project, relative to its root"
    file = project_file(reading.root, path)
    if file is None:
        why = f"{path!r} leads out of the project" if leaves(reading.root, path) else f"there is no file {path!r}"
        return Unfolded(why, hint=hint)
    try:
        source = read_source(file, path)
    except PvError as error:
        return Unfolded(error.message, Place(path), error.hint)
    module = _parsed(path, source)
    return module if isinstance(module, Unfolded) else reading.modules.setdefault(path, module)


@lru_cache(maxsize=256)  # many constants stand in one file
def _parsed(path: str, source: str) -> _Module | Unfolded:
    tree = try_parse(source, path)
    if isinstance(tree, Unparsed):
        return Unfolded(tree.message, tree.place, "mend the syntax of this file")
    named = not source.isascii() or any(name in source for name in _REBINDING)  # 𝖾𝗑𝖾𝖼 is `exec` to Python
    if named and (rebinding := next(filter(_rebinds_unseen, ast.walk(tree)), None)):
        place = place_of(rebinding, source, path)
        hint = "assign its constants plainly"
        return Unfolded(f"{path} may bind any name there, which is not followed", place, hint)
    return _Module(path, source, bindings(tree))


def _rebinds_unseen(node: ast.AST) -> TypeGuard[ast.Name]:
    """Whether `node` is what assigns names that no statement shows."""
    return isinstance(node, ast.Name) and node.id in _REBINDING


def _only_binding(module: _Module, name: str) -> Binding | Unfolded:
    found = [binding for binding in module.bound.get(name, ()) if not _only_declares(binding.within)]
    if not found:
        unknown = "; its star imports are not followed" if "*" in module.bound else ""
        from difflib import get_close_matches

        near = get_close_matches(name, list(module.bound), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "name a constant that the file assigns"
        return Unfolded(f"{module.path} has no constant {name!r}{unknown}", hint=hint)
    last = found[-1]
    place = module.place(last.within)
    if len(found) > 1:
        lines = ", ".join(str(binding.within.lineno) for binding in found)
        return Unfolded(f"{name} is bound more than once (lines {lines})", place, f"assign {name} in one place")
    shadow = next((star for star in module.bound.get("*", ()) if star.within.lineno > last.within.lineno), None)
    if shadow is not None:
        message = f"{name} may be bound again by the star import on line {shadow.within.lineno}, which is not followed"
        return Unfolded(message, module.place(shadow.within), "import names, or assign below the star import")
    if last.within is not last.statement:
        message = f"{name} is assigned under a condition or in a block"
        return Unfolded(message, place, f"assign {name} at the top level of the file")
    return last


def _only_default(module: _Module, owner: ast.ClassDef, name: str) -> Binding | Unfolded:
    """The one assignment in the body of a class that gives `name`; a class that others may change has none."""
    place = module.place(owner)
    decorators = [row.func if isinstance(row, ast.Call) else row for row in owner.decorator_list]
    if owner.keywords or any(ast.unparse(row) not in ("dataclass", "dataclasses.dataclass") for row in decorators):
        what = "a metaclass" if owner.keywords else "a decorator"
        return Unfolded(f"{owner.name} has {what}, which may change {name}", place, "name a plain constant")
    bound = bindings(ast.Module(owner.body, []))
    found = bound.get(name, ())
    given = [row for row in found if not _only_declares(row.within)]
    if not given:
        return Unfolded(f"class {owner.name} of {module.path} gives {name!r} no value of its own", place)
    if len(given) > 1 or given[0].within is not given[0].statement:
        message = f"{owner.name}.{name} is bound more than once, or under a condition"
        return Unfolded(message, module.place(given[-1].within), f"assign {name} once in the body of the class")
    value = getattr(given[0].statement, "value", None)
    inside = sorted(free_names(value) & bound.keys()) if isinstance(value, ast.expr) else []
    if inside:
        message = f"{owner.name}.{name} is made of {inside[0]}, which the class binds too"
        return Unfolded(message, module.place(given[0].within), "write the value out, or name it outside of the class")
    return given[0]


def _only_declares(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) and statement.value is None


def _fold_binding(binding: Binding, scope: _Scope) -> Folded | Unfolded:
    statement, node = binding.statement, binding.node
    if isinstance(statement, ast.ImportFrom) and isinstance(node, ast.alias):
        path = _imported_file(statement, (), scope)
        if path is None:
            return scope.refuse(statement, f"{binding.name} comes from {_origin(statement)}, no file of the project")
        rest = scope.trail[-1][1].partition(".")[2]
        return _fold_name(scope.reading, path, ".".join(filter(None, [node.name, rest])), scope.trail, scope.depth + 1)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        what = type(statement).__name__
        hint = f"give {binding.name} its value by a plain assignment"
        return scope.refuse(statement, f"{binding.name} is bound by {what}, not by an assignment", hint)
    value = _fold(statement.value, scope)
    if isinstance(value, Unfolded):
        return value
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    for target in targets:
        names = target.elts if isinstance(target, ast.Tuple | ast.List) else []
        if target is node:
            return Folded(value, scope.module.place(statement))
        if node in names and isinstance(value, tuple) and len(value) == len(names):
            return Folded(value[names.index(node)], scope.module.place(statement))
    return scope.refuse(statement, f"{binding.name} is assigned in a way that is not followed")


def _fold(node: ast.expr, scope: _Scope) -> Value | Unfolded:
    if scope.depth > _DEPTH or next(scope.reading.steps, None) is None:
        return scope.refuse(node, f"too long to fold: deeper than {_DEPTH} or more than {_STEPS:,} steps")
    deeper = scope._replace(depth=scope.depth + 1)
    operands = [_fold(operand, deeper) for operand in _operands(node)]
    failed = next((operand for operand in operands if isinstance(operand, Unfolded)), None)
    if failed is not None:
        return failed
    try:
        return _evaluate(node, [operand for operand in operands if not isinstance(operand, Unfolded)], deeper)
    except ValueError as error:
        return scope.refuse(node, str(error))


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.Tuple():
            return node.elts
        case ast.UnaryOp():
            return [node.operand]
        case ast.BinOp():
            return [node.left, node.right]
        case ast.Subscript():
            return [node.value, node.slice]
    return []


def _evaluate(node: ast.expr, operands: list[Value], scope: _Scope) -> Value | Unfolded:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return bounded(value)
        case ast.Tuple():
            return bounded(tuple(operands))
        case ast.UnaryOp():
            return negate(node.op, *operands)
        case ast.BinOp():
            return compute(node.op, *operands)
        case ast.Subscript():
            return item(*operands)
        case ast.Name():
            return _value(_fold_local(node, scope))
        case ast.Attribute():
            return _value(_fold_attribute(node, scope))
    what = "this constant" if isinstance(node, ast.Constant) else type(node).__name__
    raise ValueError(f"{what} is not folded: only numbers, text, tuples, arithmetic and other constants are")


def _value(folded: Folded | Unfolded) -> Value | Unfolded:
    return folded.value if isinstance(folded, Folded) else folded


def _fold_local(node: ast.Name, scope: _Scope) -> Folded | Unfolded:
    binding = _only_binding(scope.module, node.id)
    if isinstance(binding, Unfolded):
        return replace(binding, place=binding.place or scope.module.place(node))
    folded = _fold_name(scope.reading, scope.module.path, node.id, scope.trail, scope.depth)
    if isinstance(folded, Folded) and binding.statement.lineno > scope.line:
        return scope.refuse(node, f"{node.id} is assigned only below, on line {binding.statement.lineno}")
    return folded


def _fold_attribute(node: ast.Attribute, scope: _Scope) -> Folded | Unfolded:
    names: list[str] = []
    owner: ast.expr = node
    while isinstance(owner, ast.Attribute):
        names.insert(0, owner.attr)
        owner = owner.value
    path = _module_of([owner.id, *names], scope) if isinstance(owner, ast.Name) else None
    if path is None:
        return scope.refuse(node, f"….{'.'.join(names)} is not a constant of a module of the project")
    return _fold_name(scope.reading, path, names[-1], scope.trail, scope.depth)


def _module_of(names: list[str], scope: _Scope) -> str | None:
    """The file that holds the attribute `names`, whose first name an import must have bound."""
    bound = scope.module.bound.get(names[0], ())
    last = max((row.within.lineno for row in bound), default=0)
    if any(star.within.lineno > last for star in scope.module.bound.get("*", ())):
        return None
    if any(binding.within is not binding.statement or not isinstance(binding.node, ast.alias) for binding in bound):
        return None
    for binding in bound:
        if isinstance(binding.statement, ast.ImportFrom) and len(bound) == 1 and isinstance(binding.node, ast.alias):
            return _imported_file(binding.statement, (binding.node.name, *names[1:-1]), scope)
        if isinstance(binding.node, ast.alias):
            head = binding.node.name if binding.node.asname else names[0]
            return module_path(scope.reading.root, scope.reading.sources, ".".join([head, *names[1:-1]]))
    return None


def _imported_file(statement: ast.ImportFrom, below: Sequence[str], scope: _Scope) -> str | None:
    """The project file of the module that `from … import` names, or of a module `below` it."""
    module = ".".join([*filter(None, [statement.module]), *below])
    if not statement.level:
        return module_path(scope.reading.root, scope.reading.sources, module)
    folders = PurePosixPath(scope.module.path).parents
    if statement.level > len(folders):
        return None
    folder = folders[statement.level - 1].as_posix()
    if module:
        return module_path(scope.reading.root, (folder,), module)
    return PurePosixPath(folder, "__init__.py").as_posix()


def _origin(statement: ast.ImportFrom) -> str:
    return "." * statement.level + (statement.module or "")
