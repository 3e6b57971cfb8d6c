"""The one pass over YAML events that makes plain values and, beside them, the tree of their positions.

A node of the position tree is `(line, column)` for a scalar, `(line, column, [node, …])` for a list and
`(line, column, {key: (line, column, node)})` for a mapping, all counted from 0: a `Place` for each would double the time of
loading.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from pv.contract.bounds import MAX_DEPTH, MAX_NODES, MAX_SCALAR
from pv.contract.quote import shorten
from pv.contract.scalar import CONSTANTS, NUMERIC_START, value_of

Note = Callable[[str, Any, str, str], bool]
"""`note(code, mark, message, hint)` records a finding and says whether to go on reading."""


def build(next_event: Callable[[], Any], note: Note, values: list[Any], marks: list[Any]) -> None:
    """Append the document's value to `values` and its position tree to `marks`.

    Both are filled as the text is read, so that what stands before an error can still be seen. The loop calls no
    function on its usual way: it is where loading spends its time.
    """
    container: Any = values
    places: Any = marks
    key: str | None = None
    key_place: tuple[Any, ...] = ()
    stack: list[tuple[Any, Any]] = []
    for _ in range(MAX_NODES):
        event = next_event()
        kind = type(event)
        mark = event.start_mark
        node: tuple[Any, ...] = (mark.line, mark.column)
        below: Any = None
        if kind is ScalarEvent:
            value = text = event.value
            if event.implicit[0] and (text[:1] in NUMERIC_START or text in CONSTANTS):
                value = value_of(text)
            unusual = len(text) > MAX_SCALAR or event.anchor is not None or event.tag is not None
            if (unusual or type(value) is float) and not _admit_scalar(event, value, note):
                return
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            container, places = stack.pop()
            continue
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            value, below = ({}, {}) if kind is MappingStartEvent else ([], [])
            node = (*node, below)
            if not _admit_collection(event, len(stack), note):
                return
        elif kind is AliasEvent and _refuse_alias(event, key, note):
            value = None
        elif kind is not AliasEvent and _goes_on(event, values, note):
            continue
        else:
            return
        if type(container) is list:
            container.append(value)
            places.append(node)
        elif key is None:
            key, key_place = _key(event), node
            if (type(value) is not str or key == "<<" or key in container) and not _admit_key(
                event, value, places, note
            ):
                return
            continue
        else:
            container.setdefault(key, value)
            places.setdefault(key, (*key_place, node))
            key = None
        if below is not None:
            stack.append((container, places))
            container, places = value, below
    note("PV105", mark, f"more than {MAX_NODES:,} values", "split the file")


def _admit_scalar(event: Any, value: Any, note: Note) -> bool:
    """Whether to go on after a scalar that is long, a float, tagged or anchored."""
    if len(event.value) > MAX_SCALAR:
        note("PV105", event.start_mark, f"a scalar of {len(event.value):,} characters", f"at most {MAX_SCALAR:,} fit")
        return False
    if isinstance(value, float) and not math.isfinite(value):
        seen = f"{shorten(event.value)} is no finite number"
        hint = "write a finite bound; NaN and infinity are admitted by `nan: admitted` and `infinity: admitted`"
        return note("PV106", event.start_mark, seen, hint) and _admit_properties(event, note)
    return _admit_properties(event, note)


def _admit_collection(event: Any, depth: int, note: Note) -> bool:
    if depth >= MAX_DEPTH:
        note("PV105", event.start_mark, f"nested more than {MAX_DEPTH} deep", "a contract needs about 8 levels")
        return False
    return _admit_properties(event, note)


def _admit_properties(event: Any, note: Note) -> bool:
    if event.anchor is not None:
        seen = f"anchor {shorten('&' + event.anchor)}: contracts have no anchors and aliases"
        return note("PV103", event.start_mark, seen, "write the value out where it is used")
    if event.tag is not None:
        seen = f"tag {shorten(event.tag)}: contracts have no tags"
        return note("PV103", event.start_mark, seen, "remove the tag; quote a scalar that must stay text")
    return True


def _refuse_alias(event: Any, key: str | None, note: Note) -> bool:
    if key == "<<":
        return True  # the merge key itself was refused
    seen = f"alias {shorten('*' + event.anchor)}: contracts have no anchors and aliases"
    return note("PV103", event.start_mark, seen, "write the value out")


def _goes_on(event: Any, values: list[Any], note: Note) -> bool:
    """Whether anything of this document follows the event, which is of the stream or of a document."""
    if not isinstance(event, DocumentStartEvent):
        return not isinstance(event, StreamEndEvent)
    if values:
        note("PV103", event.start_mark, "a second document: a file holds one", "put it into a file of its own")
        return False
    if event.tags:
        return note("PV103", event.start_mark, "a %TAG directive: contracts have no tags", "remove the directive")
    if event.version and tuple(event.version) != (1, 2):
        seen = "%YAML {}.{}: contracts are read as YAML 1.2".format(*event.version)
        return note("PV103", event.start_mark, seen, "remove the directive")
    return True


def _key(event: Any) -> str:
    """The text of a key, also of one that is refused."""
    if isinstance(event, ScalarEvent):
        return str(event.value)
    return f"*{event.anchor}" if isinstance(event, AliasEvent) else ""


def _admit_key(event: Any, value: Any, places: Any, note: Note) -> bool:
    """Whether to go on after a key that is no text, a merge key, or there already."""
    mark = event.start_mark
    if isinstance(event, AliasEvent):
        return True
    if not isinstance(event, ScalarEvent):
        note("PV106", mark, "a list or mapping as a key: keys are text", "write a plain word before the colon")
        return False
    if not isinstance(value, str):
        hint = f'quote it ("{event.value}") if the text is meant'
        return note("PV106", mark, f"key {shorten(event.value)} is no text but {_kind(value)}", hint)
    if value in places:
        seen = f"key {shorten(value)} is there already, in line {places[value][0] + 1}"
        return note("PV102", mark, seen, "keep one of the two")
    if event.implicit[0]:
        return note("PV103", mark, "merge key '<<': contracts have no merge keys", "write the keys out")
    return True


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return "a truth value" if isinstance(value, bool) else "a number"
