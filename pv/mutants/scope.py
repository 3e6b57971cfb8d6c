"""What the operators know of the names of a function: read from its module's text, nothing is run or imported."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from pv.source.names import Binding, free_names
from pv.source.syntax import Function, statements

_SAME_TENSOR = frozenset({"T", "mT", "H", "mH", "grad", "data", "real", "imag"})
_NOT_TENSORS = frozenset(
    {"item", "tolist", "numpy", "size", "dim", "numel", "stride", "is_floating_point", "is_complex", "new_tensor"}
)
_COUNTS = frozenset({"len", "int", "ord", "round"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Names of one function, by what they are taken to be.

    `imported`: bound by an import of the module; `numbers`: globals that hold a number; `plain`: functions of the
    module that say they return no tensor; `tensors` and `integers`: locals; `collections`: locals whose items are
    tensors. A guess that is wrong costs a mutant that crashes, or one that is not made.
    """

    imported: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    tensors: frozenset[str] = frozenset()
    collections: frozenset[str] = frozenset()
    integers: frozenset[str] = frozenset()

    def is_tensor(self, node: ast.AST) -> bool:
        """Whether the value of `node` is taken to be a tensor."""
        match node:
            case ast.Name(id=name):
                return name in self.tensors
            case ast.BinOp(left=left, right=right):
                return self.is_tensor(left) or self.is_tensor(right)
            case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
                return self.is_tensor(operand)
            case ast.Subscript(value=ast.Name(id=name)) if name in self.collections:
                return True
            case ast.Subscript(value=value):
                return self.is_tensor(value)
            case ast.Attribute(value=value, attr=attribute):
                return attribute in _SAME_TENSOR and self.is_tensor(value)
            case ast.Call(func=ast.Attribute(value=value, attr=attribute)) if self.is_tensor(value):
                return attribute not in _NOT_TENSORS
            case ast.Call(func=function, args=arguments):
                name = function.id if isinstance(function, ast.Name) else ""
                return not (hasattr(builtins, name) or name in self.plain) and any(map(self.is_tensor, arguments))
        return False

    def is_integer(self, node: ast.AST) -> bool:
        """Whether the value of `node` is taken to be an integer that counts or points at something."""
        match node:
            case ast.Constant(value=value):
                return type(value) is int
            case ast.Name(id=name):
                return name in self.integers
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.is_integer(operand)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.FloorDiv(), right=right):
                return self.is_integer(left) and self.is_integer(right)
            case ast.Call(func=ast.Name(id=name)):
                return name in _COUNTS
            case ast.Call(func=ast.Attribute(attr=attribute), args=arguments):
                return attribute in ("numel", "dim") or (attribute == "size" and len(arguments) == 1)
            case ast.Subscript(value=ast.Attribute(attr="shape"), slice=index):
                return self.is_integer(index)
        return False


def scope_of(function: Function, bound: Mapping[str, tuple[Binding, ...]]) -> Scope:
    """What is known in `function`, whose module binds the names `bound`."""
    free = {name: bound[name] for name in free_names(function) & set(bound)}
    scope = Scope(
        imported=_names(free, lambda binding: isinstance(binding.node, ast.alias)),
        numbers=_names(free, _is_number),
        plain=_names(free, _returns_no_tensor),
    )
    if "torch" in bound:
        scope = replace(scope, **_tensors(function))
    integers = {name for name, kind in _types(function) if kind == "int"}
    scope = replace(scope, integers=frozenset(integers))
    for _ in range(2):  # a second time, for what a loop carries round
        for statement in statements(function):
            scope = _with_names(scope, _taken_from(statement))
    return scope


def _names(bound: Mapping[str, tuple[Binding, ...]], holds: Callable[[Binding], bool]) -> frozenset[str]:
    return frozenset(name for name, bindings in bound.items() if all(map(holds, bindings)))


def _returns_no_tensor(binding: Binding) -> bool:
    returns = getattr(binding.node, "returns", None)
    return returns is not None and "Tensor" not in ast.unparse(returns)


def _is_number(binding: Binding) -> bool:
    """By the values it is assigned, or, where it is imported, by its name: a constant's is upper case."""
    statement = binding.within
    if isinstance(statement, ast.ImportFrom):
        return binding.name.isupper()
    return isinstance(statement, ast.Assign | ast.AnnAssign) and _is_arithmetic(statement.value)


def _is_arithmetic(node: ast.expr | None) -> bool:
    match node:
        case ast.Constant(value=value):
            return type(value) in (int, float)
        case ast.Attribute(value=ast.Name(id="math")):
            return True
        case ast.UnaryOp(operand=operand):
            return _is_arithmetic(operand)
        case ast.BinOp(left=left, right=right):
            sides = (left, right)
            return any(map(_is_arithmetic, sides)) and all(
                _is_arithmetic(side) or isinstance(side, ast.Name) for side in sides
            )
    return False


def _types(function: Function) -> list[tuple[str, str]]:
    """(name, annotation or "") of every argument."""
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return [
        (argument.arg, "" if argument.annotation is None else ast.unparse(argument.annotation))
        for argument in arguments
    ]


def _tensors(function: Function) -> dict[str, frozenset[str]]:
    """By their annotations; an argument without one is taken to be a tensor."""
    types = [(name, kind) for name, kind in _types(function) if name not in ("self", "cls")]
    tensors = {name for name, kind in types if not kind or _names_tensor(kind)}
    collections = {name for name, kind in types if "Tensor" in kind} - tensors
    return {"tensors": frozenset(tensors), "collections": frozenset(collections)}


def _names_tensor(annotation: str) -> bool:
    name = annotation.strip("'\"").removesuffix(" | None").rpartition(".")[2]
    return name in ("Tensor", "Parameter")


def _taken_from(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(name, value) for the names that `statement` assigns one by one; an item of a range stands for its start."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pairs(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.AugAssign(target=target, value=value):
            yield target, value
        case ast.For(target=target, iter=ast.Call(func=ast.Name(id="range"))):
            yield target, ast.Constant(0)
        case ast.For(target=ast.Tuple(elts=[target, *_]), iter=ast.Call(func=ast.Name(id="enumerate"))):
            yield target, ast.Constant(0)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _with_names(scope: Scope, assigned: Iterator[tuple[ast.expr, ast.expr]]) -> Scope:
    pairs = [(target.id, value) for target, value in assigned if isinstance(target, ast.Name)]
    tensors = {name for name, value in pairs if scope.is_tensor(value)}
    integers = {name for name, value in pairs if scope.is_integer(value)}
    return replace(scope, tensors=scope.tensors | tensors, integers=scope.integers | integers)
