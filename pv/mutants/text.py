"""An edit of a syntax tree as an edit of the text it was read from, so that readers see their own lines."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from pv.mutants.site import Code

_CONTEXT = 2  # lines above and below the edit
_NEED_NO_BRACKETS = (
    ast.Name,
    ast.Constant,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
    ast.Tuple,
    ast.Slice,
    ast.JoinedStr,
)
_GIVE_ROOM = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr, ast.If, ast.While, ast.keyword, ast.Slice)


def lines_of(source: str) -> list[str]:
    """The lines that the parser counts, without their ends."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def edited(lines: Sequence[str], old: Code, new: ast.AST, parent: ast.AST) -> list[str]:
    """What stands in place of the lines of `old`, a node below `parent`, when it is replaced by `new`.

    Only the span of `old` changes. Raises ValueError when `new` cannot be written as text (a quote inside a quote).
    """
    before = lines[old.lineno - 1].encode()[: old.col_offset].decode()
    behind = lines[(old.end_lineno or old.lineno) - 1].encode()[old.end_col_offset :].decode()
    text = ast.unparse(new)
    enclosed = before.endswith("(") and behind.startswith(")")
    if isinstance(new, ast.expr) and not (
        enclosed or isinstance(new, _NEED_NO_BRACKETS) or isinstance(parent, _GIVE_ROOM)
    ):
        text = f"({text})"
    glued = before[-1:].isidentifier() and text[:1].isalnum()  # `return-x` without its minus
    return f"{before}{' ' if glued else ''}{text}{behind}".split("\n")


def diff(path: str, lines: Sequence[str], old: Code, instead: Sequence[str]) -> str:
    """The unified diff, of one hunk, of `lines` with the lines `instead` in place of those of `old`."""
    first, last = old.lineno - 1, old.end_lineno or old.lineno
    start, stop = max(first - _CONTEXT, 0), min(last + _CONTEXT, len(lines))
    above, below = lines[start:first], lines[last:stop]
    size = len(above) + len(instead) + len(below)
    hunk = [
        *(f" {line}" for line in above),
        *(f"-{line}" for line in lines[first:last]),
        *(f"+{line}" for line in instead),
        *(f" {line}" for line in below),
    ]
    header = [f"--- a/{path}", f"+++ b/{path}", f"@@ -{start + 1},{stop - start} +{start + 1},{size} @@"]
    return "\n".join([*header, *hunk, ""])


def column_of(node: Code, lines: Sequence[str]) -> int:
    """The column where `node` begins, from 1, in characters."""
    return len(lines[node.lineno - 1].encode()[: node.col_offset].decode()) + 1
