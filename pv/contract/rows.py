"""The layout that contracts are mostly written in, read a row at a time, in half the time that the YAML parser takes.

A row is a key, a dash, or both, with at most one short value beside them: a plain scalar, a quoted one without escapes, or a
list of words in brackets. What such rows mean needs no parser. Of everything else, and of everything that is wrong,
nothing is decided here: `read_rows` answers None, and `pv.contract.nodes` reads the text, finds what is to be found, and
would have come to the same. The tests hold the two against each other.
"""

from __future__ import annotations

import math
import re
from typing import Any

from pv.contract.nodes import MAX_DEPTH, MAX_NODES
from pv.contract.scalar import CONSTANTS, NUMERIC_START, value_of

_KEY = r"[A-Za-z_][A-Za-z0-9_-]{0,100}"
_QUOTED = r""""[^"\\\n]*"|'[^'\n]*'"""
_WORD = rf"[A-Za-z_][A-Za-z0-9_.-]*|{_QUOTED}"
_FLOW = rf"\[(?:(?:{_WORD})(?:, *(?:{_WORD}))*)?\]"
_FIRST = r"""[^\s\-?:,\[\]{}#&*!|>'"%@`]|-(?=[0-9.])"""
_PLAIN = rf"(?:{_FIRST})[^:#\n]*(?:(?::(?=\S)|(?<=\S)#)[^:#\n]*)*"
_ROW = re.compile(
    rf"^( *)(- +)?(?:({_KEY})(: +|:(?=\n)))?({_QUOTED}|{_FLOW}|{_PLAIN})?[ ]*(?:(?<!\S)#.*)?\n", re.MULTILINE
)
_WORDS = re.compile(_WORD)


def read_rows(text: str) -> tuple[Any, Any] | None:
    """The value of `text` and its position tree, as `build` makes it; None when any row is of another kind."""
    if ": |\n" in text or ": >\n" in text:
        return None  # told at once: no other kind of row is as frequent
    if not text.endswith("\n"):
        text += "\n"
    rows = _ROW.findall(text)
    # A row that does not match is left out of `rows`. No text has more values than characters.
    if len(rows) != text.count("\n") or len(text) > MAX_NODES or not text.replace("\n", "").isprintable():
        return None
    values: list[Any] = []
    marks: list[Any] = []
    return (values[0], marks[0]) if _read(rows, values, marks) else None


def _read(rows: list[tuple[str, str, str, str, str]], values: list[Any], marks: list[Any]) -> bool:
    """Whether `values` and `marks` have got what stands in `rows`; if not, what they hold means nothing.

    `waiting` is the key (its name, line and column) or the dash (nothing) whose value has yet to come. As in `build`, the
    loop calls no function on its usual way.
    """
    column = -1
    container: Any = values
    places: Any = marks
    waiting: tuple[Any, ...] | None = ()
    stack: list[tuple[int, Any, Any]] = []
    for line, (indent, dash, name, separator, said) in enumerate(rows):
        if not name and not dash:
            if said:
                return False  # a value, or more of one, in a row of its own
            continue
        here = len(indent)
        if waiting is not None:
            if here <= column and not (dash and here == column and type(container) is dict):
                return False  # nothing stands where it waits: null
            stack.append((column, container, places))
            column, (container, places) = here, _open(container, places, waiting, (line, here), is_list=bool(dash))
        else:
            while here < column:
                column, container, places = stack.pop()
            if not dash and type(container) is list and stack:  # which may stand in the column of its key
                column, container, places = stack.pop()
            if here != column or (dash and type(container) is dict):
                return False
        if dash:
            here += len(dash)
            if name:
                stack.append((column, container, places))
                column, (container, places) = here, _open(container, places, (), (line, here), is_list=False)
        if len(stack) > MAX_DEPTH or (name and (name in container or name in CONSTANTS)):
            return False
        if not said:
            waiting = (name, line, here) if name else ()
            continue
        waiting = None
        node: tuple[Any, ...] = (line, here + len(name) + len(separator))
        if said[0] in "\"'":
            value: Any = said[1:-1]
        elif said[0] == "[":
            value, node = _flow(said, *node)
        else:
            value = _plain(said)
            if type(value) is float and not math.isfinite(value):
                return False
        if name:
            container[name] = value
            places[name] = (line, here, node)
        else:
            container.append(value)
            places.append(node)
    return waiting is None


def _open(
    container: Any, places: Any, waiting: tuple[Any, ...], at: tuple[int, int], *, is_list: bool
) -> tuple[Any, Any]:
    """A new list or mapping that begins at `at`, and its places, put where its key or dash waits."""
    value: Any = [] if is_list else {}
    below: Any = [] if is_list else {}
    if waiting:
        container[waiting[0]] = value
        places[waiting[0]] = (waiting[1], waiting[2], (*at, below))
    else:
        container.append(value)
        places.append((*at, below))
    return value, below


def _flow(said: str, line: int, column: int) -> tuple[list[Any], tuple[Any, ...]]:
    """The list of words in `said`, which begins at `column`, and its node."""
    found = list(_WORDS.finditer(said))
    words = [word.group() for word in found]
    values = [word[1:-1] if word[0] in "\"'" else _plain(word) for word in words]
    return values, (line, column, [(line, column + word.start()) for word in found])


def _plain(said: str) -> str | int | float | bool | None:
    text = said.rstrip(" ")
    return value_of(text) if text[0] in NUMERIC_START or text in CONSTANTS else text
