"""The cells of a table's row, where splitting the source line finds them, confirmed by the parser's own text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from markdown_it.token import Token


def row_cells(inlines: Sequence[Token], text: str, line: int) -> list[int]:
    """The column, from 1, at which the text of each cell of the row `text` begins; that of one left out is its end.

    Raises PvError (bug) when the source does not hold what the parser read.
    """
    contents = [inline.content for inline in inlines]
    pieces = _split(text)
    bordered = not pieces[0][1].strip()
    columns = (_columns(pieces[1:], contents, len(text)) if bordered else None) or _columns(pieces, contents, len(text))
    if columns is None:
        message = f"{line}:1: the parser reads the cells {contents!r}, the source line is {text!r}"
        raise PvError(message, exit=Exit.BUG, hint="this is a bug in pv: please report it with the document")
    return [column + 1 for column in columns]


def split_row(line: str) -> list[str]:
    """The cells that a row has, without its border."""
    pieces = [piece for _, piece in _split(line.strip())]
    inner = pieces[1:] if len(pieces) > 1 and not pieces[0] else pieces
    return inner[:-1] if len(inner) > 1 and not inner[-1] else inner


def _split(line: str) -> list[tuple[int, str]]:
    """(column from 0, source) of each piece between pipes. As in GFM, a pipe in a code span separates too, and one
    that follows a backslash never does."""
    ends = [at for at, sign in enumerate(line) if sign == "|" and line[at - 1 : at] != "\\"] + [len(line)]
    starts = [0, *(end + 1 for end in ends)]
    return [(start, line[start:end]) for start, end in zip(starts, ends, strict=False)]


def _columns(pieces: Sequence[tuple[int, str]], contents: Sequence[str], end: int) -> list[int] | None:
    """Where each content begins, when the pieces hold just these contents and white space; cells left out are at `end`.

    What counts as white space differs between versions of the parser, so its own text decides.
    """
    columns = []
    for index, content in enumerate(contents):
        start, raw = pieces[index] if index < len(pieces) else (end, "")
        before, found, after = raw.replace("\\|", "|").partition(content) if content else (raw, "", "")
        if found != content or before.strip() or after.strip():
            return None
        columns.append(start + len(before))
    return columns
