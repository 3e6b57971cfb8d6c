"""The comments of a YAML text and what each of them speaks of, so that they can move with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from pv.contract.document import Document
from pv.contract.predecessor.model import Pointer

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#.*", re.MULTILINE)
_HEADER = re.compile(r"[|>][-+0-9]*[ \t]+(#.*)")


class Comments(NamedTuple):
    """By pointer: the lines above a key or an item, and what stands beside it. `last` follows everything."""

    above: dict[Pointer, list[str]]
    beside: dict[Pointer, list[str]]
    last: list[str]


def read_comments(text: str, document: Document) -> Comments:
    """The comments of `text`, which `document` was read from. Those of one thing stay together, in their order."""
    nodes = sorted(_nodes(document.marks, ()))
    found = Comments({}, {}, [])
    for line, comment, alone in _comments(text):
        if alone:
            pointer = next((pointer for at, _, pointer in nodes if at > line), None)
            (found.last if pointer is None else found.above.setdefault(pointer, [])).append(comment)
        else:
            here = [pointer for at, _, pointer in nodes if at <= line]
            found.beside.setdefault(here[-1] if here else (), []).append(comment)
    return found


def _comments(text: str) -> Iterator[tuple[int, str, bool]]:
    """(line counted from 0, comment, whether it stands alone on its line) in order; what is inside a scalar is text."""
    spans, headers = [], []
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            start: Any = token.start_mark  # the stubs leave marks untyped
            end: Any = token.end_mark
            spans.append((start.index, end.index))
            header = _HEADER.match(text, start.index) if token.style in ("|", ">") else None
            headers += [(start.line, header[1].rstrip(), False)] if header else []
    rows = [
        (text.count("\n", 0, match.start()), match.group().rstrip(), not _line_before(text, match.start()).strip())
        for match in _COMMENT.finditer(text)
        if not any(start <= match.start() < end for start, end in spans)
    ]
    yield from sorted([*rows, *headers])


def _line_before(text: str, index: int) -> str:
    return text[text.rfind("\n", 0, index) + 1 : index]


def _nodes(node: tuple[Any, ...] | None, at: Pointer) -> Iterator[tuple[int, int, Pointer]]:
    """(line, how deep, pointer) of every key and every item of a list."""
    below = node[2] if node is not None and len(node) == 3 else None
    if isinstance(below, dict):
        for key, (line, _, inner) in below.items():
            yield line, len(at), (*at, key)
            yield from _nodes(inner, (*at, key))
    elif isinstance(below, list):
        for i, inner in enumerate(below):
            yield inner[0], len(at), (*at, i)
            yield from _nodes(inner, (*at, i))


def move_comments(comments: Comments, moved: Iterable[tuple[Pointer, Pointer]], value: Any) -> Comments:
    """`comments` at the pointers where what they speak of stands now in `value`; what went nowhere: above its nearest home.

    A comment above a list or mapping whose items were spread follows the first of them that is still there.
    """
    homes = dict(moved)
    out = Comments({}, {}, [])
    for place, of in ((comments.above, out.above), (comments.beside, out.beside)):
        for pointer, rows in place.items():
            home = _home(pointer, homes, value)
            if home:
                of.setdefault(home, []).extend(rows)
            else:
                out.last.extend(rows)
    out.last.extend(comments.last)
    return out


def _home(pointer: Pointer, homes: Mapping[Pointer, Pointer], value: Any) -> Pointer | None:
    """Where `pointer` is now: it, what lies below it, or the nearest thing around it."""
    for length in range(len(pointer), 0, -1):
        head, tail = pointer[:length], pointer[length:]
        if head in homes and _is_there(value, (*homes[head], *tail)):
            return (*homes[head], *tail)
        below = [new for old, new in homes.items() if old[:length] == head]
        if below and _is_there(value, below[0]):
            return below[0]
    return None


def _is_there(value: Any, pointer: Pointer) -> bool:
    for step in pointer:
        inside = isinstance(value, dict) and step in value
        if not inside and not (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            return False
        value = value[step]
    return True
