"""What a Markdown document holds for the rules, in plain values, with the place of each in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pv.documents.cells import row_cells, split_row
from pv.documents.html import Tag, anchors_of, column_of, tags_of
from pv.documents.parsed import parse_markdown
from pv.documents.parser import block_position, without_prefix

if TYPE_CHECKING:
    from markdown_it.token import Token


class Heading(NamedTuple):
    """A heading of the document itself, not of a quotation or a list; one in raw HTML is read without its text."""

    level: int
    text: str
    line: int
    column: int


class Link(NamedTuple):
    """A link, an image or the definition of a reference; `text` is what a reader sees of it, of an image its alternative.

    `around` is the target of the link that an image stands in.
    """

    kind: str
    target: str
    text: str
    around: str
    line: int
    column: int


class Fence(NamedTuple):
    """A fenced block of code, and the language it names."""

    language: str
    line: int
    column: int


class Row(NamedTuple):
    """A row of a table whose number of cells is not that of its head; `kind` says which row that is."""

    kind: str
    cells: int
    wanted: int
    line: int
    column: int


class Outline(NamedTuple):
    """Of one document, in source order; `front` is the text of its front matter, None where there is none."""

    headings: tuple[Heading, ...]
    links: tuple[Link, ...]
    fences: tuple[Fence, ...]
    rows: tuple[Row, ...]
    tags: tuple[Tag, ...]
    anchors: tuple[str, ...]
    front: str | None
    body: int
    """The number of the first line after the front matter."""


class _Found:
    """What one walk over the tokens gathers."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.headings: list[Heading] = []
        self.links: list[Link] = []
        self.fences: list[Fence] = []
        self.rows: list[Row] = []
        self.tags: list[Tag] = []
        self.anchors: list[str] = []


def outline(source: str) -> Outline:
    """The outline of a Markdown text. Raises PvError (bug) when a position in the source cannot be confirmed."""
    parsed = parse_markdown(source)
    lines, end = parsed.lines, parsed.front
    found = _Found(lines)
    _walk(parsed.tokens, found)
    for reference in parsed.references.values():
        first = reference.get("map")
        line = first[0] if isinstance(first, list) else 0
        column = len(lines[line]) - len(lines[line].lstrip()) + 1
        found.links.append(Link("definition", str(reference["href"]), "definition", "", line + 1, column))
    front = "\n".join(lines[1 : end - 1]) if end else None
    return Outline(
        tuple(found.headings),
        tuple(found.links),
        tuple(found.fences),
        tuple(found.rows),
        tuple(found.tags),
        tuple(found.anchors),
        front,
        end + 1,
    )


def _walk(tokens: Sequence[Token], found: _Found) -> None:
    header: list[Token] = []
    row: Token | None = None
    for index, token in enumerate(tokens):
        kind = token.type
        if kind == "inline":
            if row is not None:
                header.append(token)
            else:
                _inline(token, found, partial(block_position, token, lines=found.lines))
                _unmade_table(token, found)
        elif kind == "tr_open":
            row, header = token, []
        elif kind == "tr_close" and row is not None:
            _row(row, header, found)
            row = None
        elif kind == "heading_open" and token.level == 0 and token.map:
            line = token.map[0]
            column = len(found.lines[line]) - len(found.lines[line].lstrip(" ")) + 1
            found.headings.append(Heading(int(token.tag[1]), plain_text(tokens[index + 1]), line + 1, column))
        elif kind == "fence" and token.map:
            found.fences.append(_fence(token, token.map[0], found.lines))
        elif kind == "html_block" and token.map:
            _html(token.content, token.map[0] + 1, found)


def _fence(token: Token, number: int, lines: Sequence[str]) -> Fence:
    column = max(lines[number].find(token.markup), 0) + 1
    return Fence(token.info.strip().partition(" ")[0], number + 1, column)


def _row(token: Token, cells: Sequence[Token], found: _Found) -> None:
    number = token.map[0] if token.map else 0
    line = found.lines[number] if token.level <= 2 else without_prefix(found.lines[number])
    columns = row_cells(cells, line, number + 1)
    seen = len(split_row(line))
    if seen != len(cells):
        column = len(line) - len(line.lstrip()) + 1
        found.rows.append(Row("row", seen, len(cells), number + 1, column))
    for cell, column in zip(cells, columns, strict=True):
        _inline(cell, found, partial(_in_cell, found.lines[number], number + 1, column))


def _in_cell(line: str, number: int, column: int, at: int) -> tuple[int, int]:
    """Where the character `at` of a cell's text stands, which begins at `column`: in its source each pipe has a backslash."""
    position = column - 1
    for _ in range(at):
        position += 2 if line[position : position + 2] == "\\|" else 1
    return number, position + 1


def _unmade_table(token: Token, found: _Found) -> None:
    """A paragraph that was to be a table: its second line rules columns off, as many as the first has not."""
    lines = token.content.split("\n", 2)
    if len(lines) < 2 or "|" not in lines[1] or set(lines[1]) - set("|-: \t"):
        return
    rules, heads = len(split_row(lines[1])), len(split_row(lines[0]))
    if rules != heads and "-" in lines[1]:
        line, column = block_position(token, 0, found.lines)
        found.rows.append(Row("head", heads, rules, line, column))


_Position = Callable[[int], tuple[int, int]]


def _inline(token: Token, found: _Found, position: _Position) -> None:
    around: list[tuple[str, int, int, list[str]]] = []
    for child in token.children or ():
        kind = child.type
        if kind == "text" or kind == "code_inline":
            if around:
                around[-1][3].append(child.content)
        elif kind == "link_open":
            line, column = position(child.meta["at"])
            around.append((str(child.attrs.get("href", "")), line, column, []))
        elif kind == "link_close" and around:
            target, line, column, seen = around.pop()
            found.links.append(Link("link", target, "".join(seen).strip(), "", line, column))
        elif kind == "image":
            target = str(child.attrs.get("src", ""))
            text = _alternative(child)
            line, column = position(child.meta["at"])
            outer = around[-1][0] if around else ""
            found.links.append(Link("image", target, text, outer, line, column))
            if around:
                around[-1][3].append(text or "image")
        elif kind == "html_inline" and not child.content.startswith(("</", "<!")):
            line, column = position(child.meta["at"])
            _html(child.content, line, found, column)
            if around and child.content[:4].lower() == "<img":
                around[-1][3].append("image")  # without an alternative it is PV709, and no link without a text besides


def _html(content: str, line: int, found: _Found, column: int = 0) -> None:
    """The tags of raw HTML: what they link to, show and name; `column` where it begins, if that is known."""
    for tag in tags_of(content):
        number = line + tag.line - 1
        start = column + tag.column - 1 if column and tag.line == 1 else column_of(tag, found.lines[number - 1])
        placed = tag._replace(line=number, column=start)
        found.tags.append(placed)
        if len(tag.name) == 2 and tag.name[0] == "h" and tag.name[1] in "123456":
            found.headings.append(Heading(int(tag.name[1]), f"<{tag.name}>", placed.line, placed.column))
        found.links += _links_of(placed)
        found.anchors += anchors_of(placed)


def _links_of(tag: Tag) -> Iterator[Link]:
    given = dict(tag.attributes)
    if tag.name == "a" and "href" in given:
        # Where its text ends is not followed: only what it leads to is judged.
        yield Link("link", given["href"], "…", "", tag.line, tag.column)
    elif tag.name == "img":
        # An alternative that is there and empty is HTML's way to say that an image is an ornament.
        yield Link(
            "image", given.get("src", ""), given.get("alt", "") or "…" * ("alt" in given), "", tag.line, tag.column
        )


def plain_text(inline: Token) -> str:
    """What a reader sees of an inline token, on one line."""
    parts = (
        " "
        if child.type in ("softbreak", "hardbreak")
        else _alternative(child)
        if child.type == "image"
        else child.content
        for child in inline.children or ()
        if child.type != "html_inline"
    )
    return "".join(parts).strip()


def _alternative(image: Token) -> str:
    return "".join(child.content for child in image.children or ()).strip()
