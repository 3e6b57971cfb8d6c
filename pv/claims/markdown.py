"""The tables of a Markdown document (CommonMark and GFM tables), with the position of every cell in the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pv.documents.badges import static_badge
from pv.documents.cells import row_cells
from pv.documents.parsed import parse_markdown
from pv.documents.parser import block_position
from pv.finding import Place, PvError

if TYPE_CHECKING:
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Spot:
    """A text as a reader sees it (without emphasis and back quotes), and where its source begins.

    `source` is how it is written there, emphasis and all; empty where that is not told.
    """

    text: str
    place: Place
    source: str = field(default="", compare=False)


class Table(NamedTuple):
    """A table and the text of the nearest heading above it ("" when there is none)."""

    section: str
    place: Place
    header: tuple[Spot, ...]
    rows: tuple[tuple[Spot, ...], ...]


class Paragraph(NamedTuple):
    """A paragraph, of the document itself or of a list, and the text of the nearest heading above it.

    `lines` are those of its source, the first of which is number `line`; `text` is what a reader sees, on one line.
    """

    section: str
    text: str
    path: str
    line: int
    lines: tuple[str, ...]


class Code(NamedTuple):
    """A fenced block of code, and the text of the nearest heading above it. `line` is the number of its first line."""

    section: str
    path: str
    line: int
    lines: tuple[str, ...]


class Shield(NamedTuple):
    """A static badge: what its left half says, and its right half where it stands in the target."""

    label: str
    message: Spot


@dataclass(frozen=True, slots=True)
class Markdown:
    """What a document holds for claims, in order: the text of its headings, its tables, paragraphs, code and badges."""

    headings: tuple[str, ...]
    tables: tuple[Table, ...]
    paragraphs: tuple[Paragraph, ...] = ()
    codes: tuple[Code, ...] = field(default=(), compare=False)
    shields: tuple[Shield, ...] = field(default=(), compare=False)


def read_markdown(source: str, path: str) -> Markdown:
    """The headings, tables and paragraphs of a Markdown text; `path` is for the places.

    Read are those of the document itself, not those inside quotations; of lists the paragraphs alone. Raises PvError
    (bug) when a cell's position in the source cannot be confirmed.
    """
    parsed = parse_markdown(source)
    lines, tokens = parsed.lines, parsed.tokens
    headings: list[str] = []
    tables: list[Table] = []
    paragraphs: list[Paragraph] = []
    codes: list[Code] = []
    shields: list[Shield] = []
    quoted = 0
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
            shields += _shields(tokens[index + 1], lines, path)
        elif token.type == "fence" and not quoted and token.map:
            first, end = token.map[0] + 1, token.map[0] + 1 + token.content.count("\n")
            codes.append(Code(headings[-1] if headings else "", path, first + 1, tuple(lines[first:end])))
    return Markdown(tuple(headings), tuple(tables), tuple(paragraphs), tuple(codes), tuple(shields))


def _shields(inline: Token, lines: Sequence[str], path: str) -> Iterator[Shield]:
    """The static badges of a paragraph; one whose target is written elsewhere, or with entities, is none."""
    for child in inline.children or ():
        target = str(child.attrs.get("src", "")) if child.type == "image" else ""
        badge = static_badge(target)
        if badge is None:
            continue
        line, column = block_position(inline, child.meta["at"], lines)
        head, _, _ = target.rpartition("-")
        message = badge_tail(head)
        start = lines[line - 1].find(target, column - 1)
        if start >= 0:
            place = Place(path, line, start + len(head) - len(message) + 1)
            yield Shield(badge.label, Spot(badge.message, place, message))


def badge_tail(head: str) -> str:
    """The last field of a static badge's path without its colour: hyphens are doubled in it."""
    fields = head.replace("--", "\0").rpartition("-")
    return (fields[2] if fields[1] else head.replace("--", "\0").rpartition("/")[2]).replace("\0", "--")


def _rows(tokens: Sequence[Token], start: int, lines: Sequence[str], path: str) -> Iterator[tuple[Spot, ...]]:
    inlines: list[Token] = []
    for at in range(start, len(tokens)):
        token = tokens[at]
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
    try:
        columns = row_cells(inlines, text, line)
    except PvError as error:
        raise PvError(f"{path}:{error.message}", exit=error.exit, hint=error.hint) from None
    return tuple(
        Spot(_text(inline), Place(path, line, column), inline.content)
        for inline, column in zip(inlines, columns, strict=True)
    )


def _text(inline: Token) -> str:
    """What a reader sees of an inline token. Raw HTML stays as written, so that `4<br>192` is not 4192."""
    return "".join(" " if token.type == "softbreak" else token.content for token in inline.children or ()).strip()
