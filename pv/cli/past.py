"""The project as a git reference had it, to be read beside the one of today."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pv.finding import PvError
from pv.root import CONTRACTS, FALSIFIERS, LEDGER, SHELF
from pv.source.files import leaves
from pv.source.git import contents, files_at

if TYPE_CHECKING:
    from pv.project import Project

_FOLDERS = (f"{CONTRACTS}/", f"{FALSIFIERS}/", f"{LEDGER}/")


@contextmanager
def project_at_reference(project: Project, reference: str) -> Iterator[Project]:
    """`project` as it was at `reference`, in a folder that is gone after the block.

    It has what levels are derived from: contracts, falsifiers, the ledger, settings, Python, and the files that receipts
    name. Nobody's `.pv/` is part of it. Raises PvError when git, the repository or the reference is not there.
    """
    from pv.project import project_at

    listed = files_at(project.root, reference)
    evidence = contents(project.root, {path: blob for path, blob in listed.items() if path.startswith(f"{LEDGER}/")})
    named = _named(evidence)
    more = {path: blob for path, blob in listed.items() if path not in evidence and (path in named or _counts(path))}
    with TemporaryDirectory(prefix="pv-past-") as name:
        folder = Path(name).resolve()
        for path, data in (evidence | contents(project.root, more)).items():
            if not leaves(folder, path):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
        try:
            past = project_at(folder)
        except PvError as error:
            raise PvError(f"at {reference}: {error.message}", exit=error.exit, hint=error.hint) from error
        yield past


def _counts(path: str) -> bool:
    if path.startswith(f"{SHELF}/"):
        return False
    return path.startswith(_FOLDERS) or path.endswith(".py") or path == "pyproject.toml"


def _named(evidence: Mapping[str, bytes]) -> set[str]:
    """The files that receipts say they depend on."""
    found = set()
    for path, data in evidence.items():
        if path.startswith(f"{LEDGER}/receipts/"):
            try:
                depends = json.loads(data)["depends"]
                found |= {part["path"] for parts in depends.values() for part in parts}
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # no receipt; it will not be believed either
    return found
