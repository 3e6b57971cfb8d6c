"""The text of the line that a finding is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pv.contract.document import read_bytes, split_lines
from pv.finding import Place, PvError


class Lines:
    """Lines of files, one file in memory at a time: findings come file by file."""

    def __init__(self, read_from: Callable[[str], Path]) -> None:
        self._read_from = read_from
        self._path = ""
        self._lines: list[str] = []

    def of(self, place: Place) -> str:
        """The line at `place`, without its end; empty where there is none, or the file cannot be read."""
        if place.path != self._path:
            self._path, self._lines = place.path, self._read(place.path)
        return self._lines[place.line - 1] if place.line <= len(self._lines) else ""

    def _read(self, path: str) -> list[str]:
        try:
            data = read_bytes(self._read_from(path), path)
        except PvError:
            return []
        return split_lines(data.decode("utf-8-sig", "replace")) if isinstance(data, bytes) else []
