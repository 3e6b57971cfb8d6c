"""The texts of an SVG drawing, for claims: what each `<text>` shows, and where in the source that is written."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from pv.claims.markdown import Spot
from pv.contract.model import DrawnText
from pv.documents.parser import LINE_ENDS
from pv.finding import Place


@dataclass(frozen=True, slots=True)
class Words:
    """What one `<text>` shows, on one line, and the lines of the source that it takes, the first of which is number `line`."""

    text: str
    line: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """The texts of an SVG file, in order."""

    path: str
    texts: tuple[Words, ...]


def read_drawing(source: str, path: str) -> Drawing:
    """The texts of an SVG file; `path` is for the places.

    Raises ValueError when it is not well-formed, declares entities, or another encoding than UTF-8.
    """
    from defusedxml.sax import make_parser

    from pv.documents.svg import other_encoding

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


def read_at(wanted: DrawnText, drawing: Drawing) -> list[tuple[Spot, Spot | None]]:
    """What stands in the hole of `wanted`, as it is shown, and as it is written if that is plainly once the same."""
    found = []
    for words in drawing.texts:
        written = list(_written(wanted, words, drawing.path))
        for shown in _pattern(wanted, "^", r"\S(?:.*?\S)?", "$").finditer(words.text):
            plain = len(written) == 1 and written[0].text == shown[1]
            found.append((Spot(shown[1], Place(drawing.path, words.line)), written[0] if plain else None))
    return found


def _written(wanted: DrawnText, words: Words, path: str) -> Iterator[Spot]:
    source = "\n".join(words.lines)
    for found in _pattern(wanted, r"(?<=>)", r"[^\s<>](?:[^<>]*?[^\s<>])?", r"(?=<)").finditer(source):
        above = source[: found.start(1)]
        place = Place(path, words.line + above.count("\n"), found.start(1) - above.rfind("\n"))
        yield Spot(found[1], place, found[1])


def _pattern(wanted: DrawnText, begin: str, hole: str, end: str) -> re.Pattern[str]:
    """`wanted` with any white space for its own; without words on one side it reaches to the `begin` or `end` of the text."""
    before, after = (r"\s+".join(map(re.escape, text.split())) for text in (wanted.before, wanted.after))
    head = (r"(?<!\w)" if before[:1].isalnum() else "") + before if before else begin
    tail = after + (r"(?!\w)" if after[-1:].isalnum() else "") if after else end
    return re.compile(rf"{head}\s*({hole})\s*{tail}")


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
