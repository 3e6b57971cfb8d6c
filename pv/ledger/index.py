"""Which test a receipt is about, by its name: so that one test can be promoted without opening the receipts of all others.

Empty files `.pv/index/<contract>/<test>/<name of a receipt>`: written with every receipt that a run leaves, and by what had
to open one that was not there. It is a cache: what it does not know is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

About = tuple[str, str]
"""(contract, test)."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # a receipt may come from anybody, and name a path


def read_index(folder: Path) -> dict[str, About]:
    """What each receipt that is known is about."""
    return {path.name: (path.parent.parent.name, path.parent.name) for path in folder.glob("*/*/*")}


def add_to_index(folder: Path, about: About, names: Iterable[str]) -> None:
    """Say that the receipts called `names` are about `about`; where that cannot be written they are opened next time."""
    if not all(map(_PLAIN.fullmatch, about)):
        return
    home = folder.joinpath(*about)
    try:
        home.mkdir(parents=True, exist_ok=True)
        for name in names:
            (home / name).touch()
    except OSError:
        return


def prune_index(folder: Path, names: Iterable[str]) -> None:
    """Forget the receipts called `names`."""
    gone = set(names)
    for path in list(folder.glob("*/*/*")):
        if path.name in gone:
            path.unlink(missing_ok=True)
