"""A badge: JSON as the `endpoint` of shields.io reads it, for a file that is served from somewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from pv.assess.levels import Assessment
from pv.assess.promises import is_excused
from pv.level import Level

_COLOURS = {
    Level.DISCHARGED: "brightgreen",
    Level.FUNCTIONAL: "green",
    Level.PARTIAL_ALGORITHM_LEVEL: "yellowgreen",
    Level.NO_EVIDENCE: "orange",
    Level.NO_CHECK: "orange",
    Level.NOT_APPLICABLE: "orange",
    Level.FALSIFIED: "red",
}


def badge_value(rows: Sequence[Assessment], unread: Collection[str], lowered: Collection[object]) -> dict[str, Any]:
    """`43 PARTIAL`, in the colour of the lowest level of all: nothing stale or unmeasured is ever green.

    `unread` are contracts that could not be read, `lowered` thresholds below the built-in ones: neither is green.
    """
    count = Counter(row.level for row in rows if row.default)
    parts = [f"{count[level]} {level.short}" for level in sorted(count, reverse=True)]
    parts += [f"{len(unread)} unreadable"] if unread else []
    parts += ["policy lowered"] if lowered else []
    return {
        "schemaVersion": 1,
        "label": "pv",
        "message": " · ".join(parts) or "nothing measured",
        "color": _colour(rows, unread, lowered),
    }


def _colour(rows: Sequence[Assessment], unread: Collection[str], lowered: Collection[object]) -> str:
    lowest = min((row.level for row in rows if not is_excused(row)), key=list(_COLOURS)[::-1].index, default=None)
    if lowest is None and not unread:
        return "lightgrey"
    if lowest is Level.FALSIFIED or unread or lowest is None:
        return "red"
    return "orange" if lowered else _COLOURS[lowest]
