"""A Markdown text as its tokens: parsed once, however many rules and claims look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pv.documents.parser import parser, source_lines

if TYPE_CHECKING:
    from markdown_it.token import Token

FRONT = "---"
_LONG = 1024 * 1024  # characters; the tokens of a longer text are not kept for the next who asks
_KEPT = 32


class Parsed(NamedTuple):
    """What a text is made of; nobody may change it.

    `front` is how many of the `lines` its front matter takes: the tokens are those of the lines below, counted from the first.
    `references` are the definitions of links, by their names.
    """

    lines: tuple[str, ...]
    front: int
    tokens: Sequence[Token]
    references: Mapping[str, Mapping[str, Any]]


def parse_markdown(source: str) -> Parsed:
    """The tokens of a Markdown text, with or without a byte order mark."""
    return _parse(source) if len(source) > _LONG else _parse_once(source)


def front_matter(lines: Sequence[str]) -> int:
    """How many lines the front matter takes, with its two rules; 0 where there is none."""
    if lines[0].rstrip() != FRONT:
        return 0
    closing = (number for number, line in enumerate(lines[1:], 2) if line.rstrip() in (FRONT, "..."))
    return next(closing, 0)


def _parse(source: str) -> Parsed:
    source = source.removeprefix("\ufeff")
    lines = tuple(source_lines(source))
    front = front_matter(lines)
    body = "\n" * front + "\n".join(lines[front:]) if front else source
    environment: dict[str, Any] = {}
    tokens = parser().parse(body, environment)
    return Parsed(lines, front, tokens, environment.get("references", {}))


_parse_once = lru_cache(maxsize=_KEPT)(_parse)
