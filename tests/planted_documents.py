"""Faults planted one at a time in this project's own README, pages, book, drawing and media, each to be found by `pv claims`.

`python tests/planted_documents.py` prints a table: what was planted, whether it was found, with which code, where.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from document_faults import BOOK, PLANTS, Plant

from pv.cli import main

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("__pycache__", ".git", ".pv", ".venv", "tests", "*_cache")


class Found(NamedTuple):
    """What `pv claims` said of a plant, as (code, file, line), and what it should have said."""

    plant: Plant
    exit: int
    expected: tuple[str, str, int]
    findings: tuple[tuple[str, str, int], ...]

    @property
    def right(self) -> bool:
        """Found, and nothing told beside it that does not follow from it."""
        codes = {finding[0] for finding in self.findings if finding != self.expected}
        return self.exit == 1 and self.expected in self.findings and codes <= set(self.plant.also)


def found(root: Path, plant: Plant) -> Found:
    """What `pv claims` says in the copy at `root` with `plant` in it; afterwards the copy is as it was."""
    file = root / plant.file
    before = file.read_bytes() if file.exists() else None
    try:
        file.write_bytes(_planted(before, plant))
        code, findings = claims(root, plant.file)
        return Found(plant, code, (plant.code, *_expected(root, plant)), findings)
    finally:
        file.unlink() if before is None else file.write_bytes(before)


def claims(root: Path, *documents: str) -> tuple[int, tuple[tuple[str, str, int], ...]]:
    """The exit code of `pv claims` in `root`, and its findings as (code, file, line)."""
    was = Path.cwd()
    os.chdir(root)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as told:
            code = main(["claims", *documents, "--format", "json"])
    finally:
        os.chdir(was)
    rows = json.loads(told.getvalue())["findings"]
    return code, tuple((row["code"], row["path"], row["line"]) for row in rows)


def _planted(before: bytes | None, plant: Plant) -> bytes:
    new = plant.new if isinstance(plant.new, bytes) else plant.new.encode()
    if before is None:
        return new
    assert before.count(plant.old.encode()) == 1, f"{plant.what}: {plant.file} has {plant.old!r} not just once"
    return before.replace(plant.old.encode(), new)


def _expected(root: Path, plant: Plant) -> tuple[str, int]:
    """The file and the line of the finding, while the plant is there."""
    file, marker = (plant.file, plant.at or plant.new) if isinstance(plant.at, str) else plant.at
    if isinstance(marker, bytes):
        return file, 1
    text = (root / file).read_text(encoding="utf-8")
    at = text.index(marker if isinstance(plant.at, str) else f"- id: {marker}\n")
    return file, text.count("\n", 0, at) + 1


def copied(root: Path) -> Path:
    """The project without its tests, in the folder `root`; with a navigation of all chapters where it has no book yet."""
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    if not (root / BOOK).exists():
        chapters = sorted(path.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("*.md"))
        (root / BOOK).write_text("nav:\n" + "".join(f"  - {path}\n" for path in chapters), encoding="utf-8")
    return root


def table() -> int:
    """Print what became of every plant; 1 when one was missed, or an untouched copy is not clean."""
    with tempfile.TemporaryDirectory() as folder:
        root = copied(Path(folder))
        untouched = claims(root)
        rows = [found(root, plant) for plant in PLANTS]
    print(f"{'planted':<46} {'in':<21} {'found':<6} {'code':<6} line")
    for row in rows:
        code, file, line = row.expected
        print(f"{row.plant.what:<46} {row.plant.file:<21} {'yes' if row.right else 'NO':<6} {code:<6} {file}:{line}")
        if not row.right:
            print(f"    exit {row.exit}, told: {row.findings}")
    missed = sum(not row.right for row in rows)
    print(f"{len(rows)} faults planted, {len(rows) - missed} found where they are; untouched: exit {untouched[0]}")
    return int(missed > 0 or untouched != (0, ()))


if __name__ == "__main__":
    sys.exit(table())
