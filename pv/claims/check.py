"""Claims held against the source: what a cell of a document shows must be the value of a constant."""

from __future__ import annotations

import difflib
import os.path
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pv.claims.markdown import Cell, Table, Tables, read_tables
from pv.claims.written import DEFAULT, says, written
from pv.contract.model import Claim
from pv.finding import Finding, Place, Severity
from pv.source.constants import Folded, Unfolded, fold_constant
from pv.source.files import leaves, project_file


@dataclass(frozen=True, slots=True)
class _Unread:
    """Why a document cannot be looked into."""

    message: str
    hint: str


def check_claims(
    root: Path,
    claims: Iterable[Claim],
    shown: Callable[[str], str] = str,
    *,
    sources: Sequence[str] = (".",),
) -> list[Finding]:
    """What is wrong with `claims`, in their order: PV501 to PV505.

    `shown` turns a path relative to `root` into what places print; `sources` are the folders that absolute imports of
    the project are looked up in. Each document is read once; nothing is imported. Raises PvError (bug) when a cell's
    position in a document cannot be confirmed.
    """
    documents: dict[str, Tables | _Unread] = {}
    owners: dict[Place, Claim] = {}
    findings = []
    for claim in claims:
        path = os.path.normpath(claim.document)
        if path not in documents:
            documents[path] = _read(root, claim.document, shown)
        cells = _find(claim, documents[path])
        if isinstance(cells, Finding):
            findings.append(cells)
            continue
        owner = owners.setdefault(cells.place, claim)
        if owner is not claim:
            findings.append(_shared(claim, owner, cells))
        findings += _compare(root, claim, cells, shown, sources)
    return findings


def _read(root: Path, document: str, shown: Callable[[str], str]) -> Tables | _Unread:
    hint = "name a Markdown file of the project, relative to its root"
    if leaves(root, document):
        return _Unread(f"the document {document!r} leads out of the project", hint)
    file = project_file(root, document)
    if file is None:
        near = _nearest(Path(document).name, _neighbours(root / document))
        return _Unread(f"there is no document {document!r}", f"{hint}; {near}")
    try:
        source = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _Unread(f"the document {document!r} cannot be read as UTF-8 text: {error}", "save it as UTF-8")
    return read_tables(source, shown(document))


def _neighbours(file: Path) -> list[str]:
    try:
        return sorted(path.name for path in file.parent.iterdir())
    except OSError:
        return []


def _find(claim: Claim, document: Tables | _Unread) -> Cell | Finding:
    """The one cell that the claim is about, or why there is not one."""
    if isinstance(document, _Unread):
        return _nowhere(claim, document.message, document.hint)
    wanted = claim.cell
    tables = [table for table in document.tables if table.section == wanted.section]
    rows = [(table, row) for table in tables for row in table.rows if row[0].text == wanted.row]
    cells = [row[at] for table, row in rows for at in _positions(table, wanted.column)]
    if len(cells) > 1:
        places = ", ".join(str(cell.place) for cell in cells)
        message = f"claim {claim.id!r} matches {len(cells)} cells: {places}"
        return _error("PV503", claim.place, message, "make section, row or column names unique in the document")
    if cells:
        return cells[0]
    if wanted.section not in document.headings:
        message = f"{claim.document} has no section {wanted.section!r}"
        return _nowhere(claim, message, _nearest(wanted.section, document.headings))
    if not tables:
        message = f"section {wanted.section!r} of {claim.document} has no table of its own"
        others = [table.section for table in document.tables]
        return _nowhere(claim, message, f"tables are in {_listed(others)}" if others else "the document has no table")
    if not rows:
        message = f"no row of section {wanted.section!r} of {claim.document} begins with {wanted.row!r}"
        return _nowhere(claim, message, _nearest(wanted.row, [row[0].text for table in tables for row in table.rows]))
    message = f"the table with row {wanted.row!r} in section {wanted.section!r} has no column {wanted.column!r}"
    return _nowhere(claim, message, _nearest(wanted.column, [cell.text for table, _ in rows for cell in table.header]))


def _positions(table: Table, column: str) -> list[int]:
    return [at for at, cell in enumerate(table.header) if cell.text == column]


def _compare(
    root: Path, claim: Claim, cell: Cell, shown: Callable[[str], str], sources: Sequence[str]
) -> list[Finding]:
    folded = fold_constant(root, claim.source, claim.name, sources=sources)
    if isinstance(folded, Unfolded):
        return [_unfolded(claim, folded, shown)]
    try:
        if says(cell.text, folded.value, claim.form):
            return []
        expected = written(folded.value, claim.form)
    except ValueError as error:
        return [_error("PV504", claim.place, f"claim {claim.id!r}: {error}", "mend the claim's form")]
    return [_wrong(claim, cell, expected, folded, shown)]


def _unfolded(claim: Claim, unfolded: Unfolded, shown: Callable[[str], str]) -> Finding:
    place = _shown(unfolded.place, shown) if unfolded.place else claim.place
    message = f"claim {claim.id!r}: the value of {claim.name} cannot be read: {unfolded.message}"
    return _error(
        "PV504", place, message, unfolded.hint or "give the constant a value that can be read without running"
    )


def _wrong(claim: Claim, cell: Cell, expected: str, folded: Folded, shown: Callable[[str], str]) -> Finding:
    source = _shown(folded.place, shown)
    message = f"claim {claim.id!r} is wrong: the cell says {cell.text!r}, {claim.name} is {folded.value!r} at {source}"
    form = "" if claim.form == DEFAULT else f" (form {claim.form!r})"
    return _error("PV501", cell.place, message, f"write {expected!r} here{form}, or mend {claim.name} at {source}")


def _shared(claim: Claim, owner: Claim, cell: Cell) -> Finding:
    message = f"claims {owner.id!r} ({owner.place}) and {claim.id!r} are about the same cell, {cell.place}"
    return _error("PV505", claim.place, message, "remove one of the two")


def _nowhere(claim: Claim, message: str, hint: str) -> Finding:
    return _error("PV502", claim.place, f"claim {claim.id!r} matches nowhere: {message}", hint)


def _error(code: str, place: Place, message: str, hint: str) -> Finding:
    return Finding(code, Severity.ERROR, place, message, hint)


def _shown(place: Place, shown: Callable[[str], str]) -> Place:
    return Place(shown(place.path), place.line, place.column)


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"known are {_listed(near or names)}" if names else "there is none at all"


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(map(repr, unique[:5])) + (", …" if len(unique) > 5 else "")
