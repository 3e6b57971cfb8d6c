"""Numbers of a document that no claim binds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pv.claims.markdown import Spot
from pv.documents.parsed import Parsed, parse_markdown
from pv.finding import Finding, Place, Severity

# A number that is no part of a name: neither PV203 nor v1.2 nor sha256 nor 2f9b, but 16, 4,192, 1e-5, 0.85, 3.11, 10x, 5ms.
_UNIT = r"(?:x|[numµμ]?s|min|[mhd]|[kKMGT]i?B|[kKMGTB]|[kMG]?Hz|[kMG]?W|kg|bits?|fps|px)?"
_NUMBER = re.compile(
    rf"(?<![\w.,/#\-])[+\-\u2212]?\d+(?:,\d{{3}})*(?:\.\d+)*(?:[eE][+-]?\d+)?(?={_UNIT}(?:[^\w./\-]|[./\-](?!\w)|$))"
)
_HIDDEN = re.compile(r"\]\([^)]*\)|<[^>]*>|https?://\S+|^\s*\[[^\]]+\]:.*$|^\s*\d{1,9}[.)](?=\s)")


def unbound(source: str, spots: Iterable[Spot], ignore: Sequence[tuple[str, str]], path: str) -> Iterator[Finding]:
    """PV507 for each number of a Markdown text that neither a claim shows nor `ignore` excuses; PV508 for idle excuses.

    Looked at are paragraphs, headings, lists and tables as their source has them; not code blocks, raw HTML, targets of links
    and the numbers of lists. What is joined by a hyphen or a slash (10-20, 64-bit, 2026-01-31, 1/2) is a name here.
    """
    parsed = parse_markdown(source)
    lines = parsed.lines
    bound = [(spot.place.line, spot.place.column, spot.place.column + len(spot.source or spot.text)) for spot in spots]
    prose = set(_prose(parsed))
    excused, used = _excused(lines, ignore)
    for number in sorted(prose):
        line = _HIDDEN.sub(lambda found: " " * len(found[0]), lines[number - 1])
        for found in _NUMBER.finditer(line):
            column, end = found.start() + 1, found.end() + 1
            if any(at == number and start <= column and end <= stop for at, start, stop in bound):
                continue
            if any(at == number and start <= column and end <= stop for at, start, stop in excused):
                continue
            message = f"no claim binds {found[0]!r}"
            hint = "bind it to its source under `claims:`, or say under `ignore:` of its document why it has none"
            yield Finding("PV507", Severity.ERROR, Place(path, number, column), message, hint)
    for words, _ in ignore:
        if words not in used:
            yield Finding(
                "PV508", Severity.ERROR, Place(path), f"`ignore` names {words!r}, which is not there", "take it out"
            )


def _prose(parsed: Parsed) -> Iterator[int]:
    """The numbers of the lines that hold text."""
    for token in parsed.tokens:
        if token.type == "inline" and token.map:
            yield from range(token.map[0] + 1, token.map[1] + 1)


def _excused(lines: Sequence[str], ignore: Sequence[tuple[str, str]]) -> tuple[list[tuple[int, int, int]], set[str]]:
    found, used = [], set()
    for words, _ in ignore:
        for number, line in enumerate(lines, 1):
            at = line.find(words)
            while at >= 0:
                found.append((number, at + 1, at + 1 + len(words)))
                used.add(words)
                at = line.find(words, at + 1)
    return found, used
