"""Findings for people: by file, each with its line and a caret under its column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pv.finding import Finding, Place, Severity

WIDTH = 100
"""Columns of a source line that are shown; of a longer one, those around the finding."""

_COLOURS = {Severity.ERROR: "31", Severity.UNMEASURED: "35", Severity.WARNING: "33", Severity.NOTE: "36"}


def text_lines(findings: Sequence[Finding], line_of: Callable[[Place], str], *, colour: bool = False) -> Iterator[str]:
    """`path:line:column: severity CODE message`, the line, the hint; file by file, with an empty line after each file."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.place.path, []).append(finding)
    for found in by_path.values():
        for finding in found:
            yield from _finding(finding, line_of(finding.place), colour)
        yield ""


def _finding(finding: Finding, line: str, colour: bool) -> Iterator[str]:
    place, paint = finding.place, _COLOURS[finding.severity]
    what = _paint(f"{finding.severity.value} {finding.code}", paint, colour)
    yield f"{one_line(str(place))}: {what} {one_line(finding.message)}"
    if line.strip():
        shown, caret = excerpt(line, place.column)
        yield f"{place.line:>7} | {shown}"
        yield f"        | {' ' * caret}{_paint('^', paint, colour)}"
    if finding.hint:
        yield f"    {one_line(finding.hint)}"


def excerpt(line: str, column: int) -> tuple[str, int]:
    """At most `WIDTH` columns of `line` around its `column` (from 1), and how many columns stand before the caret.

    Tabs become spaces, characters without a width a sign; a wide character takes two columns.
    """
    cells = [_cell(character) for character in line[: column + 4 * WIDTH]]
    at = min(column - 1, len(cells))
    start, end = _window(cells, at)
    shown = ("…" if start else "") + "".join(text for text, _ in cells[start:end])
    shown += "…" if end < len(line) else ""
    return shown.rstrip(), (1 if start else 0) + sum(width for _, width in cells[start:at])


def _window(cells: Sequence[tuple[str, int]], at: int) -> tuple[int, int]:
    """Which cells to show, so that the one `at` is seen with about as much before it as after it."""
    if sum(width for _, width in cells) <= WIDTH:
        return 0, len(cells)
    start, taken = at, 0
    while start > 0 and taken + cells[start - 1][1] <= WIDTH // 2:
        start -= 1
        taken += cells[start][1]
    end = start
    taken = 0
    while end < len(cells) and taken + cells[end][1] <= WIDTH:
        taken += cells[end][1]
        end += 1
    return start, end


def _cell(character: str) -> tuple[str, int]:
    """How one character is shown, and how many columns it takes."""
    if " " <= character <= "~":
        return character, 1
    if character == "\t":
        return "    ", 4
    import unicodedata

    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return "\ufffd", 1  # nothing of a file steers the terminal
    if unicodedata.combining(character):
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1


def one_line(text: str) -> str:
    """`text` without anything that steers a terminal or begins another line."""
    return "".join(_cell(character)[0] for character in text)


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
