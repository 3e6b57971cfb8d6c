"""Semantic versions, as https://semver.org/spec/v2.0.0.html items 2, 9 and 11 define them."""

from __future__ import annotations

import re
from typing import NamedTuple

_SEMVER = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)


class Version(NamedTuple):
    """major.minor.patch, with the pre-release text kept as written."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""


def read_version(text: str) -> Version | None:
    """The version that `text` spells, or None when it is not semver."""
    match = _SEMVER.fullmatch(text)
    if match is None or len(text) > 256:
        return None
    return Version(int(match[1]), int(match[2]), int(match[3]), match[4] or "")


def precedence(version: Version) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
    """What versions are ordered by (item 11); build metadata does not count."""
    parts = version.prerelease.split(".") if version.prerelease else []
    identifiers = tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts)
    return version.major, version.minor, version.patch, not parts, identifiers
