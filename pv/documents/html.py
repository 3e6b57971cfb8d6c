"""Raw HTML in Markdown: its tags with their attributes, entities resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_OPENING = re.compile("<[a-zA-Z]")  # as every opening tag begins; most raw HTML is comments


class Tag(NamedTuple):
    """An opening tag; line and column are those of the text it was read from, from 1."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    line: int
    column: int


def tags_of(content: str) -> list[Tag]:
    """The opening tags of `content`."""
    if not _OPENING.search(content):
        return []
    from pv.documents.tags import read_tags

    return read_tags(content)


def column_of(tag: Tag, line: str) -> int:
    """Where `tag` begins in a line of which it was read: signs of lists and quotations, and blanks, may stand before that."""
    seen = re.compile(re.escape(f"<{tag.name}"), re.IGNORECASE).search(line, tag.column - 1)
    return seen.start() + 1 if seen else 1


def anchors_of(tag: Tag) -> Iterator[str]:
    """The names under which a link may lead to `tag`."""
    for name, value in tag.attributes:
        if value and (name == "id" or (name == "name" and tag.name == "a")):
            yield value
