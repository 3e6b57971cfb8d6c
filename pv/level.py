"""Discharge levels: what has been shown of a falsification test on one subject."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Ordered from least to most. Levels are computed from receipts, never typed; see DESIGN.md, "Evidence".

    NOT_APPLICABLE is no pass: it is what the binding says of a subject that a test cannot be put to.

    >>> import pv
    >>> pv.Level.FALSIFIED < pv.Level.NO_EVIDENCE < pv.Level.PARTIAL_ALGORITHM_LEVEL < pv.Level.DISCHARGED
    True
    """

    NOT_APPLICABLE = -2
    FALSIFIED = -1
    NO_CHECK = 0
    NO_EVIDENCE = 1
    PARTIAL_ALGORITHM_LEVEL = 2
    FUNCTIONAL = 3
    DISCHARGED = 4

    @property
    def short(self) -> str:
        """As tables print it."""
        return "PARTIAL" if self is Level.PARTIAL_ALGORITHM_LEVEL else self.name.replace("_", " ")


PROMISABLE = (Level.PARTIAL_ALGORITHM_LEVEL, Level.FUNCTIONAL, Level.DISCHARGED)


def read_level(text: str) -> Level | None:
    """The promisable level that `text` names, in full or short (`PARTIAL`), in any case; None when it names none."""
    wanted = text.strip().upper().replace(" ", "_")
    return next((level for level in PROMISABLE if wanted in (level.name, level.short)), None)
