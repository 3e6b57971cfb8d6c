"""What judging mutants came to before, under everything that it depends on; nothing of it is believed when any of that changed.

`Known` is plain JSON. Whoever calls reads it from somewhere and writes it back.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pv
from pv.assess.freshness import Today, binding_parts
from pv.campaign.fate import Ground
from pv.digest import digest, sha256
from pv.falsify.work import Functions
from pv.ledger.receipt import Part

TAG = "pv-teeth-1"

Known = dict[str, Any]


def entry_of(known: Known, ground: Ground, today: Today) -> Mapping[str, Any] | None:
    """What is known of `ground`; None when there is nothing, or it speaks of other code, clauses, falsifiers or versions."""
    entry = known.get(_key(ground))
    if not isinstance(entry, dict) or entry.get("stated") != _stated(ground, today):
        return None
    parts = [Part(*row) for row in entry["subject"]]
    current = all(today.code.digest(part.path, part.name) == part.digest for part in parts)
    return entry if parts and current else None


def judgements(
    known: Known, ground: Ground, today: Today, functions: Functions, *, every: bool
) -> Mapping[str, Any] | None:
    """{mutants, rows, masked} as they were, when `functions` were judged before; what `every` falsifier said serves both."""
    entry = entry_of(known, ground, today)
    if entry is None:
        return None
    for asked in (True, False) if not every else (True,):
        if found := entry["judged"].get(_name(functions, every=asked)):
            return dict(found)
    return None


def keep(
    known: Known, ground: Ground, today: Today, entered: Functions, subject: Sequence[Part], survey: Mapping[str, Any]
) -> dict[str, Any]:
    """The entry of `ground`, begun anew where what was known of it no longer speaks of the code of today."""
    if entry_of(known, ground, today) is None:
        known[_key(ground)] = {
            "stated": _stated(ground, today),
            "subject": [[part.path, part.name, part.digest] for part in subject],
            "functions": [list(row) for row in entered],
            "survey": dict(survey),
            "judged": {},
            "alike": {},
        }
    entry: dict[str, Any] = known[_key(ground)]
    return entry


def keep_judgements(entry: dict[str, Any], functions: Functions, judged: Mapping[str, Any], *, every: bool) -> None:
    """Put into `entry` what became of the mutants of `functions`."""
    entry["judged"][_name(functions, every=every)] = dict(judged)


@cache
def versions() -> tuple[str, ...]:
    """What judges: pv's own code for it, Python, and the libraries that the cases and the arithmetic come from."""
    here = Path(__file__).resolve().parent.parent
    files = sorted(path for folder in ("falsify", "mutants", "contract") for path in (here / folder).rglob("*.py"))
    own = sha256(b"".join(sha256(path.read_bytes()).encode() for path in files))
    return (TAG, pv.__version__, own, platform.python_version(), _version("torch"), _version("hypothesis"))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _key(ground: Ground) -> str:
    return digest([TAG, ground.name, [work.test.id for work in ground.works]])


def _name(functions: Functions, *, every: bool) -> str:
    return digest([[list(row) for row in functions], "every" if every else "first"])


def _stated(ground: Ground, today: Today) -> str:
    """The digest of all that is known without running: versions, clauses, falsifiers, the binding."""
    parts = [*binding_parts(ground.binding)]
    for work in ground.works:
        parts += [*today.clause(work.contract, work.test), *today.falsifier(work.contract, work.test)]
    return digest([list(versions()), [[part.path, part.name, part.digest] for part in parts]])
