"""One Markdown text by itself: what it holds, and what is wrong with it wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

from pv.documents.outline import Outline, outline
from pv.documents.target import refused_scheme

Fault = tuple[str, int, int, str, str]
"""Code, line, column, what was seen and expected, what to do next."""

_RUNS = ("script", "iframe", "object", "embed", "applet")
_ANY = frozenset(("action", "background", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href"))
_TARGETS = {"a": _ANY - {"href"}, "img": _ANY - {"src"}}


class Examined(TypedDict):
    """Plain values: what `Outline` holds of these, and the faults in the order of their places."""

    faults: list[Fault]
    headings: list[tuple[Any, ...]]
    links: list[tuple[Any, ...]]
    anchors: list[str]
    front: str | None


def examine(source: str) -> Examined:
    """The outline of a Markdown text and its faults PV701, PV702, PV704 to PV706, PV709, PV710 and PV713."""
    found = outline(source)
    rules = (_headings, _rows, _links, _tags, _fences, _front)
    faults = sorted((fault for rule in rules for fault in rule(found)), key=lambda fault: (*fault[1:3], fault[0]))
    return {
        "faults": faults,
        "headings": [tuple(row) for row in found.headings],
        "links": [tuple(row) for row in found.links],
        "anchors": list(found.anchors),
        "front": found.front,
    }


def _headings(found: Outline) -> Iterator[Fault]:
    tops = [row for row in found.headings if row.level == 1]
    if not tops:
        line = next((row.line for row in found.headings), found.body)
        yield "PV702", line, 1, "the document has no heading of level 1", "begin it with `# Title`"
    for row in tops[1:]:
        message = f"a second heading of level 1, {row.text!r}; the first is on line {tops[0].line}"
        yield "PV702", row.line, row.column, message, "write `## …`, or split the document"
    above = 0
    for row in found.headings:
        if above and row.level > above + 1:
            message = f"{row.text!r} is of level {row.level}, and the heading above it of level {above}"
            yield "PV701", row.line, row.column, message, f"write `{'#' * (above + 1)} {row.text}`"
        above = row.level


def _rows(found: Outline) -> Iterator[Fault]:
    for row in found.rows:
        if row.kind == "head":
            message = f"no table: its head has {_cells(row.cells)}, and {_cells(row.wanted)} are ruled off below"
            yield "PV704", row.line, row.column, message, "give both lines as many cells"
        else:
            message = f"the row has {_cells(row.cells)}, and the table's head {row.wanted}"
            hint = "a pipe inside a cell is written `\\|`" if row.cells > row.wanted else "write the empty cells too"
            yield "PV704", row.line, row.column, message, hint


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"


def _links(found: Outline) -> Iterator[Fault]:
    for row in found.links:
        what = "the image" if row.kind == "image" else "the link" if row.kind == "link" else "the definition"
        if scheme := refused_scheme(row.target):
            message = f"{what} leads to {row.target[:80]!r}, which is `{scheme}:`"
            yield "PV706", row.line, row.column, message, "link to a file of the project or to https://…"
        elif row.target.strip() in ("", "#"):
            yield (
                "PV705",
                row.line,
                row.column,
                f"{what} leads to {row.target!r}",
                "name a target, or take the link out",
            )
        elif row.kind == "link" and not row.text:
            message = f"the link to {row.target[:80]!r} has no text"
            yield "PV705", row.line, row.column, message, "write what it leads to between the brackets"
        if row.kind == "image" and not row.text:
            message = f"the image {row.target[:80]!r} has no alternative text"
            yield "PV709", row.line, row.column, message, "write what it shows: ![…](…)"


def _tags(found: Outline) -> Iterator[Fault]:
    for tag in found.tags:
        for name, value in tag.attributes:
            # `href` of a and `src` of img are links, and judged as these.
            if name in _TARGETS.get(tag.name, _ANY) and (scheme := refused_scheme(value)):
                message = f"{name} of <{tag.name}> is {value[:80]!r}, which is `{scheme}:`"
                yield "PV706", tag.line, tag.column, message, "link to a file of the project or to https://…"
        handlers = [name for name, _ in tag.attributes if name.startswith("on")]
        if tag.name in _RUNS or handlers:
            message = f"<{tag.name}>" + (
                f" has the event handler {handlers[0]}" if handlers else " brings code of its own"
            )
            yield "PV706", tag.line, tag.column, message, "take it out: a document runs nothing"


def _fences(found: Outline) -> Iterator[Fault]:
    for row in found.fences:
        if not row.language:
            yield (
                "PV710",
                row.line,
                row.column,
                "the code block names no language",
                "write ```text, ```sh, ```python, …",
            )


def _front(found: Outline) -> Iterator[Fault]:
    if found.front is None:
        return
    from pv.contract.document import parse_document

    document = parse_document(found.front.encode(), "")
    broken = [finding for finding in document.findings if finding.code in ("PV101", "PV102", "PV104", "PV105")]
    for finding in broken[:1]:
        message = f"the front matter is not YAML: {finding.message}"
        yield (
            "PV713",
            finding.place.line + 1,
            finding.place.column,
            message,
            "mend it, or begin the document without ---",
        )
    if not broken and not document.findings and not isinstance(document.value, dict | None):
        yield "PV713", 1, 1, "the front matter is no mapping", "write `key: value` lines between the two ---"
