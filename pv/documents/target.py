"""What a link leads to: its scheme, in whatever disguise, and the parts of a target in the project."""

from __future__ import annotations

import html
import re
from typing import NamedTuple
from urllib.parse import unquote

REFUSED = ("javascript", "vbscript", "data")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
_LAYERS = 5  # of entities and percent signs around each other: browsers undo one, servers and editors some more


class Target(NamedTuple):
    """A target without a scheme: the path as written, and the anchor after `#`, both decoded."""

    path: str
    anchor: str


def refused_scheme(target: str) -> str:
    """The scheme of `target` when it would run code or carry content of its own; empty otherwise.

    Entities, percent-encoding and characters that cannot be seen are undone first, around each other too: what follows a
    link ignores them at some layer.
    """
    seen = target
    for _ in range(_LAYERS):
        scheme = _SCHEME.match(_INVISIBLE.sub("", seen))
        if scheme and scheme[1].lower() in REFUSED:
            return scheme[1].lower()
        plainer = unquote(html.unescape(seen))
        if plainer == seen:
            break
        seen = plainer
    return ""


def scheme_of(target: str) -> str:
    """The scheme as written, lowered; empty for a path or an anchor. `//host` counts as https."""
    found = _SCHEME.match(target.strip())
    return found[1].lower() if found else "https" if target.strip().startswith("//") else ""


def local_target(target: str) -> Target:
    """The path and the anchor of a target that has no scheme."""
    path, _, anchor = target.strip().partition("#")
    return Target(unquote(path.partition("?")[0]), unquote(anchor))
