"""The reader of HTML tags; imported only for a document that has one."""

from __future__ import annotations

from html.parser import HTMLParser

from pv.documents.html import Tag


def read_tags(content: str) -> list[Tag]:
    """The opening tags of `content`, in order."""
    reader = _Reader()
    reader.feed(content)
    return reader.tags


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, column = self.getpos()
        self.tags.append(Tag(tag, tuple((name, value or "") for name, value in attrs), line, column + 1))
