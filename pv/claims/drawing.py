"""The texts of an SVG drawing, for claims: where what each `<text>` shows is written in the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pv.claims.markdown import Spot
from pv.contract.model import DrawnText
from pv.finding import Place


class Words(NamedTuple):
    """What one `<text>` shows, on one line, and the lines of the source that it takes, the first of which is number `line`."""

    text: str
    line: int
    lines: tuple[str, ...]


class Drawing(NamedTuple):
    """The texts of an SVG file, in order."""

    path: str
    texts: tuple[Words, ...]


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
