"""What is known of texts from before: answers that follow from the bytes of a text alone, asked by this very `pv`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Told = dict[str, Any]
"""Answers about one text, by what was asked: text, a list of texts, truth, or None."""


class Memory:
    """What was told of texts, by the SHA-256 of their bytes: `known` from before, `kept` of those that were asked about."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self._known = known or {}
        self._sizes: dict[str, int] = {}
        self.kept: dict[str, Told] = {}

    def of(self, name: str) -> Told:
        """What is known of the text with that digest, to which more may be added."""
        if name not in self.kept:
            known = self._known.get(name)
            self.kept[name] = dict(known) if isinstance(known, dict) else {}
            self._sizes[name] = len(self.kept[name])
        return self.kept[name]

    @property
    def grew(self) -> bool:
        """Whether there is anything that was not known before."""
        return any(len(told) > self._sizes[name] for name, told in self.kept.items())
