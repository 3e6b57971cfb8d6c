"""`pv ledger gc`: drop from `.pv/` what speaks of nothing any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.ledger.receipt import Receipt
    from pv.project import Project

# What an interrupted write left; a write that is under way takes no day.
_TEMPORARY = ".tmp-"
_LEFT_OVER = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Files of one sort that are not needed any more, and how many of that sort are."""

    sort: str
    files: tuple[Path, ...]
    kept: int

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(path.stat().st_size for path in self.files)


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be dropped, and drop nothing.")
@FORMAT
def gc(dry_run: bool, form: str) -> Exit:
    """Drop from .pv/ the receipts that are stale and that nothing cites, and the counterexamples and captured cases of none
    that is kept.

    What is fresh stays, and so does what a promotion or a release cites. `pv pin` keeps a counterexample for good. The files
    of ledger/ are never touched.
    """
    from pv.ledger.index import prune_index
    from pv.project import INDEX, open_project
    from pv.report.plain import json_text, plural

    project = open_project()
    found = sweep(project)
    rows = [{"sort": row.sort, "dropped": len(row.files), "bytes": row.size, "kept": row.kept} for row in found]
    texts = [f"{plural(len(row.files), row.sort)} ({row.size:,} bytes), {row.kept:,} kept" for row in found]
    if not dry_run:
        _drop(path for row in found for path in row.files)
        prune_index(project.root / INDEX, (path.stem for row in found for path in row.files))
    if form == "json":
        click.echo(json_text({"dry_run": dry_run, "sorts": rows}))
        return Exit.OK
    for text in texts:
        click.echo(f"{'would drop' if dry_run else 'dropped'} {text}")
    return Exit.OK


def sweep(project: Project) -> list[Dropped]:
    """What can go: receipts, counterexamples, captured cases, what interrupted writes left over.

    Raises PvError when a contract cannot be read: what is fresh could not be told then.
    """
    from pv.falsify.casefile import case_name
    from pv.ledger.receipt import Receipt, read_receipts
    from pv.project import LEDGER, SHELF
    from pv.root import CAPTURES, COUNTEREXAMPLES
    from pv.verdict import Kind

    for file in project.contract_files:
        if file.contract is None:
            path = file.document.path
            raise PvError(
                f"{path} cannot be read: what is fresh cannot be told", exit=Exit.MEND, hint=f"pv validate {path}"
            )
    shelf = project.root / SHELF
    needed = _needed(project)
    read = [row for row in read_receipts(shelf / "receipts") if not row.path.name.startswith(_TEMPORARY)]
    kept = [row for row in read if isinstance(row, Receipt) and needed(row)]
    alive = [*kept, *(row for row in read_receipts(project.root / LEDGER / "receipts") if isinstance(row, Receipt))]
    cases = {
        (row.contract, row.test, case_name(row.counterexample["digest"]))
        for row in alive
        if row.counterexample is not None
    }
    found = _files(project.root / COUNTEREXAMPLES)
    unneeded = tuple(path for path in found if (path.parent.parent.name, path.parent.name, path.stem) not in cases)
    live = {(row.contract, f"{row.equation}-{row.subject}") for row in alive if row.kind is Kind.LIVE}
    captured = _files(project.root / CAPTURES)
    unused = tuple(path for path in captured if (path.parent.parent.name, path.parent.name) not in live)
    gone = {row.path for row in read} - {row.path for row in kept}
    return [
        Dropped("receipt", tuple(sorted(gone)), len(kept)),
        Dropped("counterexample file", unneeded, len(found) - len(unneeded)),
        Dropped("capture file", unused, len(captured) - len(unused)),
        Dropped("leftover", tuple(_left_over(shelf)), 0),
    ]


def _needed(project: Project) -> Callable[[Receipt], bool]:
    """Whether a receipt is cited, or fresh."""
    from pv.cli.about import About

    cited = {name for made in project.promotions_made for promise in made.promises for name in promise.receipts}
    cited |= {name for release in project.releases for promise in release.promises for name in promise.receipts}
    about = About(project)
    return lambda receipt: receipt.name in cited or not about.why_not(receipt)


def _left_over(shelf: Path) -> Iterator[Path]:
    for path in shelf.rglob(f"{_TEMPORARY}*"):
        if path.is_file() and time.time() - path.stat().st_mtime > _LEFT_OVER:
            yield path


def _files(folder: Path) -> list[Path]:
    """Whole files; what a write that is under way has made so far is none."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(_TEMPORARY))


def _drop(paths: Iterable[Path]) -> None:
    """Delete `paths`; another process may have been faster. Raises PvError for what cannot be deleted."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise PvError(
                f"cannot delete {path}: {error.strerror or error}",
                exit=Exit.ASK,
                hint="see that you may delete there, then run it again",
            ) from error
