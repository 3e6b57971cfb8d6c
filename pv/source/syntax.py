"""Python source as a syntax tree: how it is read, and which nodes and fields of it carry meaning.

The table is ours and not the running Python's, so that a digest or a closure does not depend on who computes it.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from pv.finding import Exit, Place, PvError

# One node class of Python 3.11 to 3.14 a line, with its fields that carry meaning. The order of the fields belongs to
# the digest format "pv-code-1": classes and fields may be added at the end, never moved.
# Left out everywhere: positions, ctx, type_comment, type_ignores, kind.
_TABLE = """
Module body
Interactive body
Expression body
FunctionType argtypes returns
FunctionDef name args body decorator_list returns type_params
AsyncFunctionDef name args body decorator_list returns type_params
ClassDef name bases keywords body decorator_list type_params
Return value
Delete targets
Assign targets value
TypeAlias name type_params value
AugAssign target op value
AnnAssign target annotation value simple
For target iter body orelse
AsyncFor target iter body orelse
While test body orelse
If test body orelse
With items body
AsyncWith items body
Match subject cases
Raise exc cause
Try body handlers orelse finalbody
TryStar body handlers orelse finalbody
Assert test msg
Import names
ImportFrom module names level
Global names
Nonlocal names
Expr value
Pass
Break
Continue
BoolOp op values
NamedExpr target value
BinOp left op right
UnaryOp op operand
Lambda args body
IfExp test body orelse
Dict keys values
Set elts
ListComp elt generators
SetComp elt generators
DictComp key value generators
GeneratorExp elt generators
Await value
Yield value
YieldFrom value
Compare left ops comparators
Call func args keywords
FormattedValue value conversion format_spec
Interpolation value str conversion format_spec
JoinedStr values
TemplateStr values
Constant value
Attribute value attr
Subscript value slice
Starred value
Name id
List elts
Tuple elts
Slice lower upper step
Load
Store
Del
And
Or
Add
Sub
Mult
MatMult
Div
Mod
Pow
LShift
RShift
BitOr
BitXor
BitAnd
FloorDiv
Invert
Not
UAdd
USub
Eq
NotEq
Lt
LtE
Gt
GtE
Is
IsNot
In
NotIn
comprehension target iter ifs is_async
ExceptHandler type name body
arguments posonlyargs args vararg kwonlyargs kw_defaults kwarg defaults
arg arg annotation
keyword arg value
alias name asname
withitem context_expr optional_vars
match_case pattern guard body
MatchValue value
MatchSingleton value
MatchSequence patterns
MatchMapping keys patterns rest
MatchClass cls patterns kwd_attrs kwd_patterns
MatchStar name
MatchAs pattern name
MatchOr patterns
TypeIgnore
TypeVar name bound default_value
ParamSpec name default_value
TypeVarTuple name default_value
"""
FIELDS = {name: tuple(fields) for name, *fields in map(str.split, _TABLE.strip().splitlines())}
# Fields that hold no node in any class: most nodes are names and constants, and every walk asks each of them.
_PLAIN = frozenset(
    {"id", "attr", "arg", "asname", "module", "level", "is_async", "simple", "conversion", "rest", "kwd_attrs"}
)
WITHOUT_MEANING = frozenset({"ctx", "type_comment", "type_ignores", "kind", "lineno", "tag"})

Function = ast.FunctionDef | ast.AsyncFunctionDef
_HOLDS_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)


class Unparsed(NamedTuple):
    """Why a text is not Python, and where."""

    message: str
    place: Place


def parse(source: str, path: str) -> ast.Module:
    """The tree of `source`; `path` is for messages. Raises PvError (mend), naming the line, when it is not Python."""
    tree = try_parse(source, path)
    if isinstance(tree, Unparsed):
        raise PvError(f"{tree.place}: {tree.message}", exit=Exit.MEND, hint="mend the syntax of this file")
    return tree


@lru_cache(maxsize=256)  # one module is asked for as falsifiers, as code with digests, and for what it imports
def try_parse(source: str, path: str) -> ast.Module | Unparsed:
    """The syntax tree of `source`, or why there is none; nobody may change it."""
    running = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape is the author's business, not the reader's
            return ast.parse(source.removeprefix("\ufeff"))
    except SyntaxError as error:
        place = Place(path, max(error.lineno or 1, 1), max(error.offset or 1, 1))
        return Unparsed(f"this is not {running}: {error.msg}", place)
    except (ValueError, RecursionError, MemoryError) as error:  # NUL or surrogate characters; nesting beyond the parser
        return Unparsed(f"{running} cannot parse this file: {error or type(error).__name__}", Place(path))


def read_source(file: Path, path: str) -> str:
    """The text of a Python file, by its coding line or UTF-8. Raises PvError (mend) when it cannot be read as text."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return decode_source(data, path)


def decode_source(data: bytes, path: str) -> str:
    """The text of the Python file at `path`, which holds `data`. Raises PvError (mend) when it cannot be read as text."""
    stream = io.BytesIO(data)
    try:
        encoding, _ = tokenize.detect_encoding(stream.readline)
        stream.seek(0)
        return io.TextIOWrapper(stream, encoding).read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> PvError:
    seen = f"{path}: cannot be read as Python source: {error}"
    return PvError(seen, exit=Exit.MEND, hint="mend the syntax of this file")


def place_of(node: ast.stmt | ast.expr | ast.alias, source: str, path: str) -> Place:
    """Where `node` of the tree of `source` begins."""
    line = _lines(source)[node.lineno - 1]
    return Place(path, node.lineno, len(line.encode()[: node.col_offset].decode()) + 1)


@lru_cache(maxsize=1)  # a file is asked about node by node
def _lines(source: str) -> list[str]:
    """The lines of `source` as the parser counts them."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below `node`, in source order as far as the table goes."""
    found: list[ast.AST] = []
    add_children(node, found)
    return found


def add_children(node: ast.AST, found: list[ast.AST]) -> None:
    """Add what `children` gives to `found`: for walks, which spend their time here."""
    for field in _below(type(node)):  # type: ignore[arg-type] # a class is hashable, whatever mypy makes of its __hash__
        value = getattr(node, field, None)
        if type(value) is list:
            if value:
                found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)


@cache
def _below(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a node class that may hold nodes."""
    if kind is ast.Constant:
        return ()
    fields = FIELDS.get(kind.__name__, kind._fields)
    return tuple(field for field in fields if field not in _PLAIN)


def walk(root: ast.AST) -> Iterator[ast.AST]:
    """`root` and every node below it."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        add_children(node, pending)


def every_node(roots: Iterable[ast.AST]) -> list[ast.AST]:
    """What `walk` gives of all `roots`, in no order that means something, in half the time."""
    found = list(roots)
    for node in found:  # which grows meanwhile
        if type(node) is not ast.Name:
            add_children(node, found)
    return found


def statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Every statement inside `node`, itself included when it is one; expressions are not entered."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, ast.stmt):
            yield current
        pending += reversed(blocks(current))


def blocks(node: ast.AST) -> list[ast.AST]:
    """What is directly below `node` and holds statements: statements, except clauses, match cases."""
    found: list[ast.AST] = []
    for field in _blocks(type(node)):  # type: ignore[arg-type] # as above
        value = getattr(node, field, None)
        if value and type(value) is list:
            found += [item for item in value if isinstance(item, _HOLDS_STATEMENTS)]
    return found


@cache
def _blocks(kind: type[ast.AST]) -> tuple[str, ...]:
    return tuple(field for field in ("body", "handlers", "orelse", "finalbody", "cases") if field in kind._fields)


def outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement that runs with the module, each without those inside it; of a function its decorators and defaults."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        inner = {id(child): child for child in blocks(node)}
        if not isinstance(node, Function):
            pending.extend(inner.values())
        yield from (child for child in children(node) if id(child) not in inner)
