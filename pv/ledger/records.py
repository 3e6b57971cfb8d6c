"""Typed files of a shelf: those of one layout are built, what cannot be believed comes as it is stored, with the problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pv.ledger.formats import problem_of
from pv.ledger.store import Stored, read_shelf

Record = TypeVar("Record")


def read_records(folder: Path, layout: str, build: Callable[[Stored], Record]) -> Iterator[Record | Stored]:
    """The files of the shelf `folder` as `build` makes them of what has the layout; it raises ValueError for what cannot be."""
    for stored in read_shelf(folder):
        problem = stored.problem or problem_of(layout, stored.value)
        if problem:
            yield Stored(stored.path, stored.name, None, problem)
            continue
        try:
            yield build(stored)
        except ValueError as error:
            yield Stored(stored.path, stored.name, None, str(error))
