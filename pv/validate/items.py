"""Operands → the files to judge."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

Shown = Callable[[Path], str]

FEW = 16
"""Fewer files are judged in less time than it takes to ask whether they have to be."""


class Item(NamedTuple):
    """A file to judge, in `folder`. `named`: the user gave this very file.

    Paths are text: a `Path` for each file takes longer than reading it.
    """

    folder: str
    name: str
    shown: str
    named: bool

    @property
    def path(self) -> Path:
        """Where it can be opened."""
        return Path(self.folder, self.name)


def list_items(operand: Path, shown: Shown) -> list[Item]:
    """The files at `operand`: itself, or every .yaml and .yml below it, in order; hidden ones are left out."""
    if not operand.is_dir():
        return [Item(str(operand.parent), operand.name, shown(operand), named=True)]
    found: list[tuple[tuple[str, ...], str, list[str]]] = []
    for directory, folders, files in os.walk(operand):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names = [name for name in files if name.endswith((".yaml", ".yml")) and name[0] != "."]
        found.append((Path(directory).relative_to(operand).parts, directory, names))
    rows = sorted((*inside, name, directory) for inside, directory, names in found for name in names)
    base = shown(operand)
    prefix = "" if base == "." else f"{base}/"
    return [Item(row[-1], row[-2], prefix + "/".join(row[:-1]), named=False) for row in rows]
