"""Raw HTML in Markdown: its tags with their attributes, entities resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple


class Tag(NamedTuple):
    """An opening tag; line and column are those of the text it was read from, from 1."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    line: int
    column: int


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, column = self.getpos()
        self.tags.append(Tag(tag, tuple((name, value or "") for name, value in attrs), line, column + 1))


def tags_of(content: str) -> list[Tag]:
    """The opening tags of `content`."""
    reader = _Reader()
    reader.feed(content)
    return reader.tags


def column_of(tag: Tag, line: str) -> int:
    """Where `tag` begins in a line of which it was read: signs of lists and quotations, and blanks, may stand before that."""
    seen = re.compile(re.escape(f"<{tag.name}"), re.IGNORECASE).search(line, tag.column - 1)
    return seen.start() + 1 if seen else 1


def anchors_of(tag: Tag) -> Iterator[str]:
    """The names under which a link may lead to `tag`."""
    for name, value in tag.attributes:
        if value and (name == "id" or (name == "name" and tag.name == "a")):
            yield value
