"""Waivers: a broken promise excused exactly as it is, until a date, for a reason. They raise no level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pv.ledger.records import read_records
from pv.ledger.store import Stored
from pv.level import Level

FORMAT = "pv/waiver-v1"
MAX_DAYS = 90


@dataclass(frozen=True, slots=True, order=True)
class Excuse:
    """What is excused of one test on one subject: the level supported, why it is stale, and a digest of the state behind it."""

    test: str
    equation: str
    subject: str
    level: Level
    causes: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """Promises of the promotion `target` that may stay broken as `excuses` have them, up to and including `until`."""

    name: str
    path: Path
    contract: str
    target: str
    excuses: tuple[Excuse, ...]
    until: date
    reason: str

    def excuse_of(self, test: str, equation: str, subject: str) -> Excuse | None:
        """What it excuses of `test` on `subject`, if anything."""
        wanted = (test, equation, subject)
        return next((row for row in self.excuses if (row.test, row.equation, row.subject) == wanted), None)


def waiver_value(contract: str, target: str, excuses: Iterable[Excuse], until: date, reason: str) -> dict[str, Any]:
    """The JSON of a waiver."""
    return {
        "format": FORMAT,
        "contract": contract,
        "target": target,
        "tests": [
            {
                "id": row.test,
                "equation": row.equation,
                "subject": row.subject,
                "level": row.level.name,
                "causes": list(row.causes),
                "state": row.state,
            }
            for row in sorted(excuses)
        ],
        "until": until.isoformat(),
        "reason": reason,
    }


def read_waivers(folder: Path) -> Iterator[Waiver | Stored]:
    """The waivers below `folder`; what cannot be believed comes as its `Stored`, with the problem."""
    return read_records(folder, FORMAT, _build)


def _build(stored: Stored) -> Waiver:
    value = stored.value
    excuses = tuple(
        Excuse(row["id"], row["equation"], row["subject"], Level[row["level"]], tuple(row["causes"]), row["state"])
        for row in value["tests"]
    )
    try:
        until = date.fromisoformat(value["until"])
    except ValueError:
        raise ValueError(f"holds until {value['until']!r}, which is no date") from None
    return Waiver(stored.name, stored.path, value["contract"], value["target"], excuses, until, value["reason"])
