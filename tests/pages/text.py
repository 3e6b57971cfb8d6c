"""Pieces of Markdown that the written pages share."""

from __future__ import annotations

import re

_SIGNS = {sign: f"\\{sign}" for sign in "\\*_[]#"} | {"<": "&lt;", ">": "&gt;", "|": "&#124;", "$": "&#36;"}
_SPECIAL = re.compile(f"[{re.escape(''.join(_SIGNS))}]")
_SPAN = re.compile(r"(`[^`]*`)")


def notice(source: str) -> str:
    """The first line of a written page: whoever opens the file is told where it comes from."""
    return f"<!-- Written by `make readme` from {source}: do not edit. -->"


def paragraph(text: str) -> str:
    """Prose on one line, with its code spans; no other sign means anything."""
    pieces = _SPAN.split(" ".join(text.split()))
    return "".join(piece if at % 2 else prose(piece) for at, piece in enumerate(pieces))


def cell(text: str) -> str:
    """The same in a cell of a table."""
    pieces = _SPAN.split(" ".join(text.split()))
    return "".join(code(piece[1:-1]) if at % 2 else prose(piece) for at, piece in enumerate(pieces))


def prose(text: str) -> str:
    """Text in which no sign of Markdown means anything, to any reader of it."""
    return _SPECIAL.sub(lambda found: _SIGNS[found[0]], text)


def code(text: str) -> str:
    """A code span for a cell of a table: of a | in one, readers of Markdown make different things."""
    plain = " ".join(text.split())
    if "|" in plain:
        return f"<code>{prose(plain)}</code>"
    return f"`` {plain} ``" if "`" in plain else f"`{plain}`"
