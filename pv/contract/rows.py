"""The layout that contracts are mostly written in, read a row at a time, in half the time that the YAML parser takes.

A row is a key, a dash, or both, with at most one value beside them: a plain scalar, a quoted one with no escapes but of the
backslash and the quote, a list of words and numbers in brackets, or a key's block of text (`|`, `>`) in the rows below it.
What such rows mean needs no parser. Of everything else, and of everything that is wrong,
nothing is decided here: `read_rows` answers None, and `pv.contract.nodes` reads the text, finds what is to be found, and
would have come to the same. The tests hold the two against each other.
"""

from __future__ import annotations

import math
import re
from typing import Any

from pv.contract.nodes import MAX_DEPTH, MAX_NODES
from pv.contract.scalar import CONSTANTS, NUMERIC_START, value_of

_KEY = r"[A-Za-z_][A-Za-z0-9_-]{0,100}+"
_QUOTED = r""""[^"\\\n]*+(?:\\["\\][^"\\\n]*+)*+"|'[^'\n]*+'"""
_WORD = rf"[A-Za-z_][A-Za-z0-9_.-]*|-?[0-9]+(?:\.[0-9]+)?|{_QUOTED}"
_FLOW = rf"\[(?:(?:{_WORD})(?:, *(?:{_WORD}))*)?\]"
_FIRST = r"""[^\s\-?:,\[\]{}#&*!|>'"%@`]|-(?=[0-9.])"""
_PLAIN = rf"(?:{_FIRST})[^:#\n]*+(?:(?::(?=\S)|(?<=\S)#)[^:#\n]*+)*+"
# Its first line is not blank and says how far all are indented: it ends before the first that is not, and not blank.
_BLOCK = r"[|>]-?\n(?P<deep> +)\S.*(?:\n(?:(?P=deep).*| *(?=\n)))*"
_ROW = re.compile(
    rf"^( *+)(- +)?(?:({_KEY})(: +|:(?=\n)))?({_QUOTED}|{_FLOW}|{_PLAIN}|{_BLOCK})?[ ]*(?:(?<!\S)#.*)?\n", re.MULTILINE
)
_ASCII = bytes([0x0A, *range(0x20, 0x7F)])
_NO_ROW = ("",) * 6
_WORDS = re.compile(_WORD)
_ESCAPED = re.compile(r"\\(.)")
# Lines of `>` become one where both begin with ink; blank ones between them stay as breaks.
_FOLD = re.compile(r"^([^ \n].*)\n(\n*)(?=[^ \n])", re.MULTILINE)


def read_rows(text: str) -> tuple[Any, Any] | None:
    """The value of `text` and its position tree, as `build` makes it; None when any row is of another kind."""
    open_end = not text.endswith("\n")
    if open_end:
        text += "\n"
    lines = text.count("\n")
    rows: list[tuple[str, ...]] = _ROW.findall(text)
    if len(rows) != lines:
        if open_end:
            return None  # a block's last break would be ours
        rows = [one for row in rows for one in (row, *[_NO_ROW] * row[4].count("\n"))]
    # A row that does not match is left out of `rows`. No text has more values than characters.
    if len(rows) != lines or len(text) > MAX_NODES or not is_printable(text):
        return None
    values: list[Any] = []
    marks: list[Any] = []
    return (values[0], marks[0]) if _read(rows, values, marks) else None


def is_printable(text: str) -> bool:
    """Whether `text` is printable but for its line breaks: told by the few characters that are left without ASCII."""
    return text.encode().translate(None, _ASCII).decode().isprintable()


def _read(rows: list[tuple[str, ...]], values: list[Any], marks: list[Any]) -> bool:
    """Whether `values` and `marks` have got what stands in `rows`; if not, what they hold means nothing.

    `waiting` is the key (its name, line and column) or the dash (nothing) whose value has yet to come. As in `build`, the
    loop calls no function on its usual way: it is where reading spends its time.
    """
    column = -1
    container: Any = values
    places: Any = marks
    value: Any
    below: Any
    waiting: tuple[Any, ...] | None = ()
    stack: list[tuple[int, Any, Any]] = []
    for line, (indent, dash, name, separator, said, deep) in enumerate(rows):
        if not name and not dash:
            if said:
                return False  # a value, or more of one, in a row of its own
            continue
        here = len(indent)
        if waiting is not None:
            if here <= column and not (dash and here == column and type(container) is dict):
                return False  # nothing stands where it waits: null
            if len(stack) >= MAX_DEPTH:
                return False
            stack.append((column, container, places))
            value, below = ([], []) if dash else ({}, {})
            if waiting:
                key, above, left = waiting
                container[key], places[key] = value, (above, left, (line, here, below))
            else:
                container.append(value)
                places.append((line, here, below))
            column, container, places = here, value, below
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
                if len(stack) >= MAX_DEPTH:
                    return False
                stack.append((column, container, places))
                value, below = {}, {}
                container.append(value)
                places.append((line, here, below))
                column, container, places = here, value, below
        if name and (name in container or name in CONSTANTS):
            return False  # there already, or no text
        if not said:
            waiting = (name, line, here) if name else ()
            continue
        waiting = None
        node: tuple[Any, ...] = (line, here + len(name) + len(separator))
        if said[0] in "\"'":
            value = said[1:-1] if "\\" not in said else _unescaped(said)
        elif said[0] == "[":
            value, node = _flow(said, *node)
        elif deep:
            if not name or len(deep) <= here:
                return False  # a block of nothing, or one of a list, which may begin in its column
            value = _block(said, len(deep))
        else:
            value = said.rstrip(" ")
            if value[0] in NUMERIC_START or value in CONSTANTS:
                value = value_of(value)
                if type(value) is float and not math.isfinite(value):
                    return False
        if name:
            container[name] = value
            places[name] = (line, here, node)
        else:
            container.append(value)
            places.append(node)
    return waiting is None


def _flow(said: str, line: int, column: int) -> tuple[list[Any], tuple[Any, ...]]:
    """The list of words in `said`, which begins at `column`, and its node."""
    found = list(_WORDS.finditer(said))
    words = [word.group() for word in found]
    values = [_unescaped(word) if word[0] in "\"'" else _plain(word) for word in words]
    return values, (line, column, [(line, column + word.start()) for word in found])


def _plain(said: str) -> str | int | float | bool | None:
    text = said.rstrip(" ")
    return value_of(text) if text[0] in NUMERIC_START or text in CONSTANTS else text


def _unescaped(said: str) -> str:
    """What stands in quotes; only between double ones a backslash escapes."""
    return _ESCAPED.sub(r"\1", said[1:-1]) if said[0] == '"' else said[1:-1]


def _block(said: str, deep: int) -> str:
    """The text of the block `said`, whose lines are indented by `deep`: as it stands, or folded."""
    header, *lines = said.split("\n")
    text = "\n".join([line[deep:] for line in lines]).rstrip("\n")
    if header[0] == ">":
        text = _FOLD.sub(lambda found: found[1] + (found[2] or " "), text)
    return text if header[-1] == "-" else text + "\n"
