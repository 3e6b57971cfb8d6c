"""How a failed check is told: where, what, and whether a message names something."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


def short(value: Any) -> str:
    """`value` in at most 200 characters."""
    text = repr(value)
    return text if len(text) <= 200 else text[:199] + "…"


def readable(text: str, most: int = 2000) -> str:
    """At most so many characters of `text`, those that no terminal or file should get (control, surrogates) written out."""
    text = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1] for character in text
    )


def index_of(flat: int, shape: Sequence[int]) -> list[int]:
    """The index of the element `flat` in row-major order (torch's own imports all of sympy for it)."""
    index = []
    for side in reversed(shape):
        flat, at = divmod(flat, side)
        index.append(at)
    return index[::-1]


def names(message: str, item: str) -> bool:
    """Whether `item` stands in `message` as a word: 15 does not name 5, nor does 0.5 or −5 (but 1-5 does)."""
    before = r"(?<!\w)(?<!\d\.)" if item[:1].isalnum() else ""
    sign = r"(?<!\W[-−])(?<!^[-−])" if item[:1].isdigit() else ""
    after = r"(?!\w)(?!\.\d)" if item[-1:].isalnum() else ""
    return re.search(before + sign + re.escape(item) + after, message) is not None
