"""SVG files as the texts that they show."""

from __future__ import annotations

import io
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml.sax import make_parser

from pv.claims.drawing import Drawing, Words
from pv.documents.parser import LINE_ENDS
from pv.documents.svg import other_encoding


def read_drawing(source: str, path: str) -> Drawing:
    """The texts of an SVG file; `path` is for the places.

    Raises ValueError when it is not well-formed, declares entities, or another encoding than UTF-8.
    """
    if encoding := other_encoding(source):
        raise ValueError(f"declares the encoding {encoding}, and is read as UTF-8")
    lines = LINE_ENDS.split(source.removeprefix("\ufeff"))
    reader = _Reader()
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(reader)
    try:
        parser.parse(io.StringIO(source.removeprefix("\ufeff")))
    except SAXException as broken:
        raise ValueError(broken.getMessage()) from None
    return Drawing(
        path, tuple(Words(text, first, tuple(lines[first - 1 : last])) for text, first, last in reader.found)
    )


class _Reader(ContentHandler):
    """Gathers what stands within `<text>`, tspans and all."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, int, int]] = []
        self._locator: Any = None
        self._first = 0
        self._pieces: list[str] = []

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 -- SAX names it
        self._locator = locator

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 -- SAX names it
        if name.rpartition(":")[2] == "text":
            self._first, self._pieces = self._locator.getLineNumber(), []

    def endElement(self, name: str) -> None:  # noqa: N802 -- SAX names it
        if name.rpartition(":")[2] == "text" and self._first:
            shown = " ".join("".join(self._pieces).split())
            self.found.append((shown, self._first, self._locator.getLineNumber()))
            self._first = 0

    def characters(self, content: str) -> None:
        if self._first:
            self._pieces.append(content)
