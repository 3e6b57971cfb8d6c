"""What `pv doctor` found, as text and as JSON."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pv.installed import DISTRIBUTION, NEEDS, Library
from pv.report.grid import width

_WIDTH = 9


def libraries_value(found: Mapping[str, Sequence[Library]] | None) -> dict[str, Any] | None:
    """What the core and each extra ask for, as JSON; a library that an earlier one asks for is said once."""
    if found is None:
        return None
    said: set[str] = set()
    value: dict[str, Any] = {}
    for extra in ("", *NEEDS):
        rows = [row for row in found.get(extra, ()) if row.name not in said]
        said.update(row.name for row in rows)
        value[extra or "core"] = [
            {"name": row.name, "version": row.version or None, "range": row.range, "serves": row.serves} for row in rows
        ]
    return value


def doctor_text(value: Mapping[str, Any]) -> Iterator[str]:
    """All of it as lines."""
    yield value["python"]
    if value["libraries"] is None:
        yield f"{DISTRIBUTION} is not installed, it runs from its folder: what it asks for is not known"
        yield f"{'':<{_WIDTH}}next: pip install -e ."
    for extra, rows in (value["libraries"] or {}).items():
        yield f"{extra:<{_WIDTH}}{', '.join(map(_shown, rows))}"
        if not all(row["serves"] for row in rows):
            yield f"{'':<{_WIDTH}}next: {_install(extra)}"
    for name, about in {**value["tools"], "devices": value["devices"], "project": value["project"]["about"]}.items():
        yield f"{name:<{_WIDTH}}{about or 'none'}"
    if value["will_work"]:
        yield f"will work: {', '.join(value['will_work'])}"
    for command, extra in value["will_not"].items():
        yield f"will not: {command}: {_install(extra or 'core')}"


def folded(line: str) -> str:
    """`line` as wide as the terminal, where it is one, what follows below what it is about."""
    if not sys.stdout.isatty():
        return line
    below = " " * _WIDTH
    return textwrap.fill(line, width(), subsequent_indent=below, break_long_words=False, break_on_hyphens=False)


def _install(extra: str) -> str:
    return f"pip install '{DISTRIBUTION}{'' if extra == 'core' else f'[{extra}]'}'"


def _shown(row: Mapping[str, Any]) -> str:
    wanted = "" if row["serves"] else f" ({row['range'] or 'any'} is asked for)"
    return f"{row['name']} {row['version'] or 'missing'}{wanted}"
