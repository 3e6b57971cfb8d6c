"""Adding rows to a file of bindings: what is written there stays as it is, comments and layout included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from pv.contract.document import parse_document
from pv.contract.read import bindings_of


def with_rows(text: str, rows: Sequence[str]) -> str | None:
    """`text` with `rows` (flow mappings) at the end of its `bindings`; None where that cannot be done by adding alone.

    Of every way to add them the first is taken that reads back as what was there and the new rows after it. `text` must
    be valid: see `read_bindings`.
    """
    node = _bindings_node(text)
    if node is None:
        return None
    before = parse_document(text.encode(), "").value
    added = [parse_document(row.encode(), "").value for row in rows]
    wanted = {**before, "bindings": [*before["bindings"], *added]}
    for candidate in _candidates(text, node, rows):
        document = parse_document(candidate.encode(), "")
        if document.value == wanted and not bindings_of(document).findings:
            return candidate
    return None


def _bindings_node(text: str) -> Any:
    """The node of the sequence below `bindings`, with the marks where it and its items begin and end."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = [value for key, value in pairs if key.value == "bindings"]
    return found[0] if found and isinstance(found[0], yaml.SequenceNode) else None


def _candidates(text: str, node: Any, rows: Sequence[str]) -> Iterator[str]:
    newline = "\r\n" if "\r\n" in text else "\n"
    if not node.flow_style:
        lines = "".join(f"{newline}{' ' * node.start_mark.column}- {row}" for row in rows)
        at = _end_of_content(text, node.value[-1].end_mark.index)
        yield text[:at] + lines + (text[at:] or newline)
    elif not node.value:
        lines = "".join(f"{newline}  - {row}" for row in rows)
        yield text[: node.start_mark.index].rstrip(" ") + lines + text[node.end_mark.index :]
        yield f"{text[: node.start_mark.index]}[{', '.join(rows)}]{text[node.end_mark.index :]}"
    else:
        at = node.value[-1].end_mark.index
        if comma := re.match(r"\s*,[ \t]*(#[^\r\n]*)?", text[at:]):
            at += comma.end()
            yield text[:at] + f"{newline}  " + f",{newline}  ".join(rows) + text[at:]
        yield text[:at] + "".join(f",{newline}  {row}" for row in rows) + text[at:]


def _end_of_content(text: str, end: int) -> int:
    """Where the line ends that holds the last of an item: a block item's mark is that of whatever comes next."""
    lines = text[:end].splitlines(keepends=True)
    while lines and re.fullmatch(r"\s*(#.*)?\s*", lines[-1]):
        lines.pop()
    at = len("".join(lines).rstrip("\r\n"))
    rest = re.search(r"[\r\n]", text[at:])
    return at + rest.start() if rest else len(text)
