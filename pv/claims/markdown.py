"""The tables of a Markdown document (CommonMark and GFM tables), with the position of every cell in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pv.finding import Exit, Place, PvError

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE_ENDS = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Spot:
    """A text as a reader sees it (without emphasis and back quotes), and where its source begins."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the text of the nearest heading above it ("" when there is none)."""

    section: str
    place: Place
    header: tuple[Spot, ...]
    rows: tuple[tuple[Spot, ...], ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, of the document itself or of a list, and the text of the nearest heading above it.

    `lines` are those of its source, the first of which is number `line`; `text` is what a reader sees, on one line.
    """

    section: str
    text: str
    path: str
    line: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Markdown:
    """What a document holds for claims, in order: the text of its headings, its tables, its paragraphs."""

    headings: tuple[str, ...]
    tables: tuple[Table, ...]
    paragraphs: tuple[Paragraph, ...] = ()


def read_markdown(source: str, path: str) -> Markdown:
    """The headings, tables and paragraphs of a Markdown text; `path` is for the places.

    Read are those of the document itself, not those inside quotations; of lists the paragraphs alone. Raises PvError
    (bug) when a cell's position in the source cannot be confirmed.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # a link's target is no business of a cell
    source = source.removeprefix("\ufeff")
    lines = _LINE_ENDS.split(source.replace("\0", "\ufffd"))
    headings: list[str] = []
    tables: list[Table] = []
    paragraphs: list[Paragraph] = []
    quoted = 0
    tokens = parser.parse(source)
    for index, token in enumerate(tokens):
        quoted += (token.type == "blockquote_open") - (token.type == "blockquote_close")
        if token.type == "heading_open" and token.level == 0:
            headings.append(_text(tokens[index + 1]))
        elif token.type == "table_open" and token.level == 0:
            rows = list(_rows(tokens, index, lines, path))
            tables.append(Table(headings[-1] if headings else "", rows[0][0].place, rows[0], tuple(rows[1:])))
        elif token.type == "paragraph_open" and not quoted and token.map:
            first, end = token.map
            section, text = headings[-1] if headings else "", _text(tokens[index + 1])
            paragraphs.append(Paragraph(section, text, path, first + 1, tuple(lines[first:end])))
    return Markdown(tuple(headings), tuple(tables), tuple(paragraphs))


def _rows(tokens: Sequence[Token], start: int, lines: Sequence[str], path: str) -> Iterator[tuple[Spot, ...]]:
    inlines: list[Token] = []
    for token in tokens[start:]:
        if token.type == "table_close":
            return
        if token.type == "inline":
            inlines.append(token)
        elif token.type == "tr_open":
            inlines, row = [], token
        elif token.type == "tr_close":
            line = row.map[0] if row.map else 0
            yield _cells(inlines, lines[line], line + 1, path)


def _cells(inlines: Sequence[Token], text: str, line: int, path: str) -> tuple[Spot, ...]:
    """The cells of one row, each where splitting the source line finds it, confirmed by the parser's own text."""
    contents = [inline.content for inline in inlines]
    pieces = _split(text)
    bordered = not pieces[0][1].strip()
    columns = (_columns(pieces[1:], contents, len(text)) if bordered else None) or _columns(pieces, contents, len(text))
    if columns is None:
        message = f"{Place(path, line)}: the parser reads the cells {contents!r}, the source line is {text!r}"
        raise PvError(message, exit=Exit.BUG, hint="this is a bug in pv: please report it with the document")
    return tuple(
        Spot(_text(inline), Place(path, line, column + 1)) for inline, column in zip(inlines, columns, strict=True)
    )


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


def _text(inline: Token) -> str:
    """What a reader sees of an inline token. Raw HTML stays as written, so that `4<br>192` is not 4192."""
    return "".join(" " if token.type == "softbreak" else token.content for token in inline.children or ()).strip()
