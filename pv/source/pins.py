"""Pinned cases: counterexamples kept beside the falsifiers, part of the evidence and tried first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pv.root import PINS


def pins_of(root: Path, contract: str, test: str) -> tuple[Path, ...]:
    """The JSON files of the cases pinned for `test` of `contract`, in the order of their names.

    One that names no contract counts for every contract: it cannot be read, and that must not go unseen.
    """
    folder = f"{root}/{PINS}/{test}"
    found = sorted(Path(folder).glob("*.json")) if os.path.isdir(folder) else []  # noqa: PTH112 -- asked for every test
    return tuple(path for path in found if _contract(path) in (None, contract))


def pin_files(root: Path, contract: str, test: str) -> Iterator[str]:
    """Every file of `pins_of`, that of its tensors included; relative to `root`."""
    for path in pins_of(root, contract, test):
        for file in (path, path.with_suffix(".safetensors")):
            if file.is_file():
                yield file.relative_to(root).as_posix()


def _contract(path: Path) -> str | None:
    try:
        value = json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    found = value.get("contract") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
