"""A value as YAML text in block style, with comments above and beside its keys and items."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pv.contract.predecessor.comments import Comments
from pv.contract.predecessor.model import Pointer
from pv.contract.scalar import value_of

_PLAIN = re.compile(r"[^\W\d](?:[\w ./()+^'-]*[\w/()^'])?")
_HIDDEN = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INK = "[^\x00-\x20\x7f-\x9f\u2028\u2029\ufeff]"
_LINE = f"{_INK}[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*\n"
_LINES = re.compile(f"{_LINE}(?: *{_LINE}|\n)*")


def emit(value: dict[str, Any], comments: Comments) -> str:
    """`value` as a YAML document that reads back as `value`."""
    lines = [*_mapping(value, (), comments, ""), *comments.last]
    return "\n".join(lines) + "\n"


def _mapping(value: dict[str, Any], at: Pointer, comments: Comments, indent: str) -> Iterator[str]:
    for key, body in value.items():
        here = (*at, key)
        yield from (f"{indent}{comment}" for comment in comments.above.get(here, ()))
        yield from _entry(f"{indent}{_scalar(key)}:", body, here, comments, indent)


def _entry(start: str, body: Any, at: Pointer, comments: Comments, indent: str) -> Iterator[str]:
    beside = "".join(f"  {comment}" for comment in comments.beside.get(at, ()))
    if isinstance(body, dict) and body:
        yield start + beside
        yield from _mapping(body, at, comments, indent + "  ")
    elif isinstance(body, list) and body:
        yield start + beside
        yield from _sequence(body, at, comments, indent + "  ")
    elif isinstance(body, str) and "\n" in body and _LINES.fullmatch(body) and not body.endswith("\n\n"):
        yield f"{start} |{beside}"
        yield from (f"{indent}  {line}" if line else "" for line in body[:-1].split("\n"))
    else:
        yield f"{start} {_scalar(body)}{beside}"


def _sequence(value: list[Any], at: Pointer, comments: Comments, indent: str) -> Iterator[str]:
    for i, body in enumerate(value):
        here = (*at, i)
        yield from (f"{indent}{comment}" for comment in comments.above.get(here, ()))
        if isinstance(body, dict) and body:
            yield from (f"{indent}{comment}" for comment in comments.beside.get(here, ()))
            first, *rest = _mapping(body, here, _without_first(here, body, comments), indent + "  ")
            yield from (f"{indent}{comment}" for comment in comments.above.get((*here, next(iter(body))), ()))
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield from _entry(f"{indent}-", body, here, comments, indent)


def _without_first(at: Pointer, body: dict[str, Any], comments: Comments) -> Comments:
    """Without what stands above the first key of an item: that goes above the dash."""
    first = (*at, next(iter(body)))
    if first not in comments.above:
        return comments
    return comments._replace(above={pointer: rows for pointer, rows in comments.above.items() if pointer != first})


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value_of(value) == value
        return value if plain else _HIDDEN.sub(_escape, json.dumps(value, ensure_ascii=False))
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
