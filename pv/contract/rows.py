"""The layout that contracts are mostly written in, read a row at a time, in half the time that the YAML parser takes.

A row is a key, a dash, or both, with at most one value beside them: a plain scalar, a quoted one with few escapes, a list or
mapping in brackets, whose rows end in commas, or a key's block of text (`|`, `>`) in the rows below it.
What such rows mean needs no parser. Of everything else, and of everything that is wrong,
nothing is decided here: `read_rows` answers None, and `pv.contract.parser` reads the text, finds what is to be found, and
would have come to the same. The tests hold the two against each other.
"""

from __future__ import annotations

import math
import re
from typing import Any

from pv.contract.bounds import MAX_DEPTH, MAX_NODES
from pv.contract.scalar import CONSTANTS, NUMERIC_START, value_of

_KEY = r"[A-Za-z_][A-Za-z0-9_-]{0,100}+"
_QUOTED = r""""[^"\\\n]*+(?:\\["\\nt][^"\\\n]*+)*+"|'[^'\n]*+'"""
_FIRST = r"""[^\s\-?:,\[\]{}#&*!|>'"%@`]"""
_PLAIN = rf"(?:{_FIRST}|-(?=\S))[^:#\n]*+(?:(?::(?=\S)|(?<=\S)#)[^:#\n]*+)*+"
_FLOW = r"[\[{](?:[^\n]*+(?<=,)\n ++){0,40}+[^\n]*[\]}]"
# Of what stands in brackets: a key; what opens a list or mapping, or a scalar; what closes after it; a comma.
_PIECE = re.compile(
    rf"(?:({_KEY})(: +))?(?:([\[{{] *)|({_QUOTED}|(?:{_FIRST}|-(?=[\w.-]))[^:#?,\[\]{{}}\n]*+)( *))"
    r"((?:[\]}] *)*)(, *(?:\n +)?)?"
)
# Its first line is not blank and says how far all are indented: it ends before the first that is not, and not blank.
_BLOCK = r"[|>]-?\n(?P<deep> +)\S.*(?:\n(?:(?P=deep).*| *(?=\n)))*"
_ROW = re.compile(
    rf"^( *+)(- +)?(?:({_KEY})(: +|:(?=\n)))?({_QUOTED}|{_FLOW}|{_PLAIN}|{_BLOCK})?[ ]*(?:(?<!\S)#.*)?\n", re.MULTILINE
)
_ASCII = bytes([0x0A, *range(0x20, 0x7F)])
_NO_ROW = ("",) * 6
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t"}
# Lines of `>` become one where both begin with ink; blank ones between them stay as breaks.
_FOLD = re.compile(r"^([^ \n].*)\n(\n*)(?=[^ \n])", re.MULTILINE)


def read_rows(text: str) -> tuple[Any, Any] | None:
    """The value of `text` and its position tree, as `build` makes it; None when any row is of another kind."""
    if len(text) > MAX_NODES:  # no text has more values than characters
        return None
    open_end = not text.endswith("\n")
    if open_end:
        text += "\n"
    lines = text.count("\n")
    rows: list[tuple[str, ...]] = _ROW.findall(text)
    if len(rows) != lines:
        if open_end:
            return None  # a block's last break would be ours
        rows = [one for row in rows for one in (row, *[_NO_ROW] * row[4].count("\n"))]
    # A row that does not match is left out of `rows`.
    if len(rows) != lines or not is_printable(text):
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
        elif said[0] in "[{":
            flow = _flow(said, line, here + len(name) + len(separator), len(stack))
            if flow is None:
                return False
            value, node = flow
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


def _flow(said: str, line: int, column: int, depth: int) -> tuple[Any, tuple[Any, ...]] | None:
    """The list or mapping in `said`, which begins at `line` and `column` inside of `depth` others, and its node."""
    values: list[Any] = []
    marks: list[Any] = []
    container: Any = values
    places: Any = marks
    value: Any
    below: Any
    node: tuple[Any, ...]
    stack: list[tuple[Any, Any]] = []
    left = len(said)
    for name, separator, bracket, scalar, space, closing, comma in _PIECE.findall(said):
        key, column = column, column + len(name) + len(separator)
        width = len(bracket) + len(scalar) + len(space) + len(closing) + len(comma)
        left -= column - key + width
        if bool(name) != (type(container) is dict):
            return None
        if scalar:
            value, node = _scalar(scalar), (line, column)
            if type(value) is float and not math.isfinite(value):
                return None
        else:
            value, below = ([], []) if bracket[0] == "[" else ({}, {})
            node = (line, column, below)
        if not name:
            container.append(value)
            places.append(node)
        elif name in container or name in CONSTANTS:
            return None  # there already, or no text
        else:
            container[name], places[name] = value, (line, key, node)
        if bracket:
            if depth + len(stack) >= MAX_DEPTH:
                return None
            stack.append((container, places))
            container, places = value, below
        for one in closing.replace(" ", ""):
            if not stack or one != ("}" if type(container) is dict else "]"):
                return None
            container, places = stack.pop()
        if bool(comma) != (bool(stack) and bool(scalar or closing)):
            return None  # a comma stands between two, and nowhere else
        column += width
        if "\n" in comma:
            line, column = line + 1, len(comma) - comma.index("\n") - 1
    # What no piece matches is left out of them.
    return (values[0], marks[0]) if not left and not stack and len(values) == 1 else None


def _scalar(said: str) -> str | int | float | bool | None:
    """What is written in quotes, or plainly."""
    if said[0] in "\"'":
        return _unescaped(said)
    text = said.rstrip(" ")
    return value_of(text) if text[0] in NUMERIC_START or text in CONSTANTS else text


def _unescaped(said: str) -> str:
    """What stands in quotes; only between double ones a backslash escapes."""
    if said[0] == "'" or "\\" not in said:
        return said[1:-1]
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), said[1:-1])


def _block(said: str, deep: int) -> str:
    """The text of the block `said`, whose lines are indented by `deep`: as it stands, or folded."""
    header, *lines = said.split("\n")
    text = "\n".join([line[deep:] for line in lines]).rstrip("\n")
    if header[0] == ">":
        text = _FOLD.sub(lambda found: found[1] + (found[2] or " "), text)
    return text if header[-1] == "-" else text + "\n"
