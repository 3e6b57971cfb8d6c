"""A policy that asks less than pv does by itself: refused by the gate unless its command line names it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.assess.policy import Policy, below_defaults
from pv.finding import Finding, Place, PvError

if TYPE_CHECKING:
    from pv.project import Project

Named = tuple[str, int]

_KEYS = tuple(row.name for row in fields(Policy))


def threshold(text: str) -> Named:
    """`cases=50` as a key and its value, for click's `type=`. Raises click.BadParameter for anything else."""
    key, _, value = text.partition("=")
    if key not in _KEYS or not value.isdecimal():
        raise click.BadParameter(
            f"{text!r} is no threshold of the policy: write {' or '.join(f'{key}=N' for key in _KEYS)}"
        )
    return key, int(value)


def check_policy(project: Project, named: Sequence[Named]) -> list[Finding]:
    """PV409 for each threshold below its default that is not `named`. Raises PvError for one named that is not set so."""
    lowered = {(row.key, row.value) for row in project.policy.lowered}
    for key, value in named:
        if (key, value) not in lowered:
            is_ = getattr(project.policy, key)
            raise PvError(f"--policy {key}={value} names what is not lowered so: {key} is {is_}", hint="leave it out")
    places = {key: _place(project.root, key) for key in _KEYS}
    return list(below_defaults(project.policy, named, places))


def _place(root: Path, key: str) -> Place:
    """Where [tool.pv.policy] sets `key`, as far as lines tell."""
    path = root / "pyproject.toml"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    table = next((number for number, line in enumerate(lines) if re.search(r"\bpolicy\b", line)), 0)
    for number in range(table, len(lines)):
        if found := re.search(rf"\b{key}\s*=", lines[number]):
            return Place(path.name, number + 1, found.start() + 1)
    return Place(path.name, table + 1)
