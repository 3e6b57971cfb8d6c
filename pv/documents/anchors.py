"""Under which names a document's headings can be linked to, as GitHub and as MkDocs give them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_NO_LETTER = re.compile(r"[^\w\- ]")


def github_anchors(headings: Iterable[str]) -> set[str]:
    """Lower case, without punctuation, hyphens for blanks; a repeated one is numbered from 1."""
    found: dict[str, int] = {}
    for text in headings:
        name = _NO_LETTER.sub("", text.strip().lower()).replace(" ", "-")
        while name in found:
            found[name] += 1
            numbered = f"{name}-{found[name]}"
            name = numbered if numbered not in found else name
        found[name] = 0
    return set(found)


def book_anchors(headings: Iterable[str]) -> set[str]:
    """As Python-Markdown's `toc` has them: ASCII alone, runs of blanks and hyphens as one, repeated ones with `_1`."""
    found: set[str] = set()
    for text in headings:
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        name = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())
        number = 0
        while name in found or not name:
            number += 1
            name = f"{re.sub('_[0-9]+$', '', name)}_{number}"
        found.add(name)
    return found
