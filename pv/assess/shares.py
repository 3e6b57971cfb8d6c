"""A large ledger read by several processes: each takes the folders of some contracts, and this is what crosses between them.

Of several receipts for each test at most one a kind counts: it crosses whole, of the others what verifying asks for.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pv.assess.levels import Assessment
from pv.collector import collector_paused
from pv.ledger.cited import Cited, cited
from pv.ledger.receipt import Receipt
from pv.workers import Wire, spread, worker_count

MANY_RECEIPTS = 1_000
"""Below, starting a process and telling it apart takes as long as what it would do."""


class Share(NamedTuple):
    """What one process found: the assessments of each of its contracts, and by their names the receipts that the ledger holds.

    `plain` is false where a file cannot be believed, or lies in another contract's folder: then one has to see the whole.
    """

    rows: list[list[Assessment]]
    cited: Mapping[str, Receipt | Cited]
    plain: bool


def read_in_shares(
    contracts: Sequence[str], shelves: Sequence[Path], work: Callable[[Sequence[int], Collection[str], bool], Share]
) -> Share | None:
    """`work` of all `contracts`, by several processes: each asked with the places of its own in `contracts`, with the
    folders of `shelves` that another reads, and whether it is this process.

    None where one process is to do it: the receipts are few, it cannot fork, or something is not plain.
    """
    folders, count = folders_in(shelves)
    workers = worker_count(len(contracts))
    if count < MANY_RECEIPTS or workers < 2:
        return None
    names = sorted(folders.union(contracts))
    owner = {name: place % workers for place, name in enumerate(names)}

    def share(number: int) -> Share:
        own = [place for place, name in enumerate(contracts) if owner[name] == number]
        return work(own, {name for name in names if owner[name] != number}, number == 0)

    shares = spread(range(workers), share, workers, Wire(pack, unpack))
    if not all(one.plain for one in shares):
        return None
    rows = [iter(one.rows) for one in shares]
    known = {name: row for one in shares for name, row in one.cited.items()}
    return Share([next(rows[owner[name]], []) for name in contracts], known, plain=True)


def folders_in(shelves: Sequence[Path]) -> tuple[set[str], int]:
    """The names of what lies on `shelves`, a folder for each contract, and how many files those hold."""
    found: set[str] = set()
    count = 0
    for shelf in shelves:
        names = _listed(f"{shelf}")
        found.update(names)
        count += sum(len(_listed(f"{shelf}/{name}")) for name in names)
    return found, count


def _listed(folder: str) -> list[str]:
    """What is in `folder`; nothing of what is no folder, or cannot be read, as for who walks through it."""
    try:
        return os.listdir(folder)  # noqa: PTH208 -- a Path for each of thousands
    except OSError:
        return []


def pack(share: Share) -> bytes:
    """A share as bytes. Of one that is not plain nothing is told: then nobody needs it."""
    if not share.plain:
        return b""
    names: dict[Cited, list[str]] = {}
    for name, row in share.cited.items():
        names.setdefault(cited(row) if isinstance(row, Receipt) else row, []).append(name)
    return pickle.dumps((share.rows, names))


def unpack(packed: bytes) -> Share:
    """What `pack` made bytes of, in a process that this one forked: nobody else could have written them."""
    if not packed:
        return Share([], {}, plain=False)
    with collector_paused():
        rows, names = pickle.loads(packed)  # noqa: S301 -- as said
        return Share(rows, {name: row for row, own in names.items() for name in own}, plain=True)
