"""A function in the text of its module, and the code object that it has there.

It is compiled from a module that holds the file's imports, the classes around it, and nothing else. Its free variables,
mangled names, `__future__` and instructions are those of the whole file, at a cost that does not grow with the file.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType

from pv.digest import digest
from pv.finding import PvError
from pv.mutants.build import changed
from pv.mutants.site import Step, replaced
from pv.mutants.text import lines_of
from pv.source.code import TAG, ModuleParts, Token, encode, module_parts
from pv.source.syntax import Function, blocks


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """Where a function stands: the module's `imports`, the `classes` around it, outermost first."""

    path: str
    qualname: str
    function: Function
    imports: tuple[ast.stmt, ...]
    classes: tuple[ast.ClassDef, ...]
    parts: ModuleParts
    lines: tuple[str, ...]


def find_home(path: str, source: str, qualname: str, line: int | None) -> Home:
    """The function `qualname` of the module text `source`: the one that begins on `line` (decorators included), or the last.

    Raises PvError when `source` is not Python or defines no such function outside of other functions.
    """
    parts = module_parts(source, path)
    found = [(classes, function) for name, classes, function in _functions(parts.tree) if name == qualname]
    if line is not None:
        found = [(classes, function) for classes, function in found if _first_line(function) == line]
    if not found:
        at = "" if line is None else f" that begins on line {line}"
        hint = f"it defines {', '.join(parts.names) or 'none'}; a function inside a function belongs to the outer one"
        raise PvError(f"{path} defines no function {qualname!r}{at}", hint=hint)
    classes, function = found[-1]
    return Home(path, qualname, function, _imports(parts), classes, parts, tuple(lines_of(source)))


def compiled(home: Home, function: Function, filename: str) -> CodeType:
    """The code object that `function` has in place of the one of `home`.

    Raises SyntaxError when it cannot be compiled, and PvError when its name is declared global in a class around it.
    """
    inner: ast.stmt = function
    for owner in reversed(home.classes):
        inner = changed(owner, bases=[], keywords=[], decorator_list=[], body=[inner])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a mutant looks odd is what it is for
        module = compile(ast.Module([*home.imports, inner], []), filename, "exec", dont_inherit=True)
    found = _code_of(module, home.qualname)
    if found is None:
        raise PvError(f"{home.path}: {home.qualname!r} has no code object of that name", hint="is it declared global?")
    return found


def digest_of(home: Home, function: Function) -> str:
    """The digest of the module's part `home.qualname`, as `ModuleParts.digest` has it, if `function` were that part."""
    return _hash(encode([function], docstrings=home.parts.docstrings))


def digester(home: Home, steps: tuple[Step, ...]) -> Callable[[ast.AST], str]:
    """`digest_of` the function with another node at the end of `steps`, for one node after another."""
    mark = ast.Name(f"here {steps}")  # no name of the program has a space
    around = encode([replaced(home.function, steps, mark)], docstrings=home.parts.docstrings)
    behind = around.index(mark.id) + 1
    before = behind - len(encode(mark))
    return lambda new: _hash([*around[:before], *encode(new), *around[behind:]])


def signature(code: CodeType) -> dict[str, object]:
    """What two code objects have in common if either can be the code of one function."""
    named = code.co_argcount + code.co_kwonlyargcount
    return {
        "name": code.co_qualname,
        "first line": code.co_firstlineno,
        "flags": code.co_flags,
        "arguments": (code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames[:named]),
        "free variables": code.co_freevars,
    }


def _hash(tokens: list[Token]) -> str:
    return digest([TAG, "function", tokens])


def _functions(tree: ast.Module) -> Iterator[tuple[str, tuple[ast.ClassDef, ...], Function]]:
    """(qualified name, classes around it, function) of every function that is not inside another one."""
    pending: list[tuple[str, tuple[ast.ClassDef, ...], ast.AST]] = [("", (), tree)]
    while pending:
        prefix, classes, node = pending.pop()
        if isinstance(node, Function):
            yield prefix + node.name, classes, node
            continue
        if isinstance(node, ast.ClassDef):
            prefix, classes = f"{prefix}{node.name}.", (*classes, node)
        pending.extend((prefix, classes, child) for child in reversed(list(blocks(node))))


def _first_line(function: Function) -> int:
    return min(node.lineno for node in (function, *function.decorator_list))


def _imports(parts: ModuleParts) -> tuple[ast.stmt, ...]:
    """In source order, `__future__` first: how `a.b()` is compiled depends on whether `a` is imported."""
    found = {
        binding.within for bound in parts.bindings.values() for binding in bound if isinstance(binding.node, ast.alias)
    }
    return tuple(sorted(found, key=lambda statement: (statement.lineno, statement.col_offset)))


def _code_of(code: CodeType, qualname: str) -> CodeType | None:
    if code.co_qualname == qualname:
        return code
    inner = (_code_of(constant, qualname) for constant in code.co_consts if isinstance(constant, CodeType))
    return next((found for found in inner if found is not None), None)
