"""Versions are read as semver.org says, and nothing else is one."""

from __future__ import annotations

import pytest

from pv.version import Version, read_version


@pytest.mark.parametrize(("text", "version"), [
    ("0.0.0", Version(0, 0, 0)),
    ("1.20.300", Version(1, 20, 300)),
    ("1.0.0-alpha.1", Version(1, 0, 0, "alpha.1")),
    ("1.0.0--", Version(1, 0, 0, "-")),
    ("1.0.0-0a+build.01", Version(1, 0, 0, "0a")),
    ("1.0.0+x", Version(1, 0, 0)),
])  # fmt: skip
def test_a_version_is_read(text: str, version: Version) -> None:
    assert read_version(text) == version


@pytest.mark.parametrize("text", [
    "", "1", "1.0", "1.0.0.0", "01.0.0", "1.00.0", "v1.0.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+", " 1.0.0", "1.0.0\n",
    "1.0.0-é", "\u0661.0.0", f"1.0.{'9' * 300}",
])  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert read_version(text) is None
