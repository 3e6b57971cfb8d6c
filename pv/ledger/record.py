"""Records: what a command printed that a claim is about. They support no level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pv.ledger.receipt import DIGESTS, Part
from pv.ledger.records import read_records
from pv.ledger.store import Stored

FORMAT = "pv/record-v1"


@dataclass(frozen=True, slots=True)
class Record:
    """One run of a command for a contract, and what the command was made of then."""

    name: str
    path: Path
    contract: str
    command: tuple[str, ...]
    digests: str
    output: str
    depends: tuple[Part, ...]


def record_value(contract: str, command: Sequence[str], output: str, depends: Sequence[Part]) -> dict[str, Any]:
    """The JSON of a record."""
    return {
        "format": FORMAT,
        "digests": DIGESTS,
        "contract": contract,
        "command": list(command),
        "output": output,
        "depends": [{"path": part.path, "name": part.name, "digest": part.digest} for part in depends],
    }


def read_runs(folder: Path) -> Iterator[Record | Stored]:
    """The records below `folder`; what cannot be believed comes as its `Stored`, with the problem."""
    yield from read_records(folder, FORMAT, _build)


def _build(stored: Stored) -> Record:
    value = stored.value
    depends = tuple(Part(row["path"], row["name"], row["digest"]) for row in value["depends"])
    command = tuple(value["command"])
    return Record(stored.name, stored.path, value["contract"], command, value["digests"], value["output"], depends)
