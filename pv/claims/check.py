"""Claims held against their sources: what a place of a document shows must be the value."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pv.claims.markdown import Markdown, Spot, read_markdown
from pv.claims.where import error, find, nearest, nowhere
from pv.claims.written import DEFAULT, says, written
from pv.contract.model import Claim, Constant, JsonValue, Promised, Released, Source
from pv.finding import Finding, Place
from pv.source.constants import Folded, Unfolded
from pv.source.files import leaves, project_file

Value = Callable[[Source], Folded | Unfolded]


@dataclass(frozen=True, slots=True)
class _Unread:
    """Why a document cannot be looked into."""

    message: str
    hint: str


def check_claims(root: Path, claims: Iterable[Claim], value: Value, shown: Callable[[str], str] = str) -> list[Finding]:
    """What is wrong with `claims`, in their order: PV501 to PV505.

    `value` reads a source; `shown` turns a path relative to `root` into what places print. Each document is read once.
    Raises PvError (bug) when a cell's position in a document cannot be confirmed.
    """
    documents: dict[str, Markdown | _Unread] = {}
    owners: dict[Place, Claim] = {}
    findings = []
    for claim in claims:
        path = os.path.normpath(claim.document)
        if path not in documents:
            documents[path] = _read(root, claim.document, shown)
        document = documents[path]
        spot = (
            nowhere(claim, document.message, document.hint) if isinstance(document, _Unread) else find(claim, document)
        )
        if isinstance(spot, Finding):
            findings.append(spot)
            continue
        owner = owners.setdefault(spot.place, claim)
        if owner is not claim:
            findings.append(_shared(claim, owner, spot))
        findings += _compare(claim, spot, value(claim.source), shown)
    return findings


def _read(root: Path, document: str, shown: Callable[[str], str]) -> Markdown | _Unread:
    hint = "name a Markdown file of the project, relative to its root"
    if leaves(root, document):
        return _Unread(f"the document {document!r} leads out of the project", hint)
    file = project_file(root, document)
    if file is None:
        near = nearest(Path(document).name, _neighbours(root / document))
        return _Unread(f"there is no document {document!r}", f"{hint}; {near}")
    try:
        source = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        return _Unread(f"the document {document!r} cannot be read as UTF-8 text: {problem}", "save it as UTF-8")
    return read_markdown(source, shown(document))


def _neighbours(file: Path) -> list[str]:
    try:
        return sorted(path.name for path in file.parent.iterdir())
    except OSError:
        return []


def _compare(claim: Claim, spot: Spot, value: Folded | Unfolded, shown: Callable[[str], str]) -> list[Finding]:
    if isinstance(value, Unfolded):
        return [_unfolded(claim, value, shown)]
    try:
        if says(spot.text, value.value, claim.form):
            return []
        expected = written(value.value, claim.form)
    except ValueError as problem:
        return [error("PV504", claim.place, f"claim {claim.id!r}: {problem}", "mend the claim's form")]
    return [_wrong(claim, spot, expected, value, shown)]


def _unfolded(claim: Claim, unfolded: Unfolded, shown: Callable[[str], str]) -> Finding:
    place = _shown(unfolded.place, shown) if unfolded.place else claim.place
    message = f"claim {claim.id!r}: {_named(claim)} cannot be read: {unfolded.message}"
    return error("PV504", place, message, unfolded.hint or "give the constant a value that can be read without running")


def _wrong(claim: Claim, spot: Spot, expected: str, folded: Folded, shown: Callable[[str], str]) -> Finding:
    source = _shown(folded.place, shown)
    message = (
        f"claim {claim.id!r} is wrong: the document says {spot.text!r}, {_named(claim)} is {folded.value!r} at {source}"
    )
    form = "" if claim.form == DEFAULT else f" (form {claim.form!r})"
    other = f", or mend {claim.source.name} at {source}" if isinstance(claim.source, Constant) else ""
    return error("PV501", spot.place, message, f"write {expected!r} here{form}{other}")


def _named(claim: Claim) -> str:
    """What a source gives, in words."""
    match claim.source:
        case Constant(_, name):
            return name
        case Promised(contract, subject, level):
            return f"the number of tests of {contract} promised at {level} ({subject})"
        case Released(contract):
            return f"the version of {contract} that was released last"
        case JsonValue(_, key):
            return ".".join(map(str, key))


def _shared(claim: Claim, owner: Claim, spot: Spot) -> Finding:
    message = f"claims {owner.id!r} ({owner.place}) and {claim.id!r} are about the same text, {spot.place}"
    return error("PV505", claim.place, message, "remove one of the two")


def _shown(place: Place, shown: Callable[[str], str]) -> Place:
    return Place(shown(place.path), place.line, place.column)
