"""JSON of a header or beside a file, bounded before it is parsed: bytes, values, depth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pv.checkpoints.bounded import MAX_JSON, MAX_JSON_DEPTH, MAX_JSON_VALUES, Source

# The closing quote is optional: without it the search would begin anew at every quote of a text that is never closed.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_MAX_DIGITS = 20  # of 2^64 - 1
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


def read_json(source: Source, offset: int, size: int, what: str, *, last_wins: bool = False) -> dict[str, Any]:
    """The JSON object in `size` bytes at `offset`. Raises PvError when it is none, or more than the bounds allow.

    A key that occurs twice is refused too, unless the format says that the last one counts.
    """
    if size > MAX_JSON:
        raise source.refuse(f"{what} has {size:,} bytes; at most {MAX_JSON:,} are read")
    data = source.read(offset, size, what)
    _require_bounds(source, data, what)
    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=dict if last_wins else _once, parse_int=_whole)
    except UnicodeDecodeError as error:
        raise source.refuse(f"{what} is not UTF-8 (byte {error.start:,} of it)") from error
    except _Twice as twice:
        raise source.refuse(f"{what} has the key {_short(str(twice))} twice") from None
    except (ValueError, RecursionError) as error:
        raise source.refuse(f"{what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise source.refuse(f"{what} is no JSON object")
    return value


def read_json_file(source: Source, what: str) -> dict[str, Any]:
    """The JSON object that is all of a file."""
    return read_json(source, 0, source.size, what)


def mapping(source: Source, value: object, what: str) -> Mapping[str, Any]:
    """`value`, which must be a JSON object."""
    if not isinstance(value, dict):
        raise source.refuse(f"{what} is no JSON object")
    return value


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:  # what is made of it would be too long for Python to write
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


class _Twice(Exception):
    """A key that an object has twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        raise _Twice(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]  # `add` returns None, which is what makes it go on
    return found


def _require_bounds(source: Source, data: bytes, what: str) -> None:
    """Refuse what would take too much memory or stack to parse; strings of four-byte characters take four times theirs."""
    wide = len(data) > MAX_JSON // 4 and (b"\\u" in data or re.search(rb"[\xf0-\xff]", data) is not None)
    if wide:
        raise source.refuse(f"{what} has {len(data):,} bytes and wide characters; at most {MAX_JSON // 4:,} are read")
    values = data.count(b",") + data.count(b"[") + data.count(b"{")
    if values > MAX_JSON_VALUES or data.count(b'"') > 4 * MAX_JSON_VALUES:
        raise source.refuse(f"{what} has more than {MAX_JSON_VALUES:,} values")
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKETS)
    for _ in range(MAX_JSON_DEPTH):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if any(brackets.count(one) != brackets.count(other) for one, other in (b"[]", b"{}")):
        raise source.refuse(f"{what} is not JSON: its brackets do not match")
    if brackets:
        raise source.refuse(f"{what} nests deeper than {MAX_JSON_DEPTH} levels, or its brackets do not match")


def _short(text: str) -> str:
    from pv.contract.quote import shorten

    return shorten(text)
