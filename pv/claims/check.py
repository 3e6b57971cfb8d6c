"""Claims held against their sources: what a place of a document shows must be the value."""

from __future__ import annotations

import math
import os.path
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pv.claims.data import Unrecorded, data_place, spelt
from pv.claims.drawing import Drawing
from pv.claims.markdown import Markdown, Spot, read_markdown
from pv.claims.where import error, find, nearest, nowhere
from pv.claims.written import DEFAULT, read_number, says, written, written_all
from pv.contract.model import (
    Claim,
    Constant,
    Count,
    DataValue,
    Parameters,
    Promised,
    PromisedTest,
    Recorded,
    Released,
    Source,
)
from pv.finding import Finding, Place, Severity
from pv.source.constants import Folded, Unfolded
from pv.source.files import leaves, project_file

Value = Callable[[Source], Folded | Unfolded]


class _Unread(NamedTuple):
    """Why a document cannot be looked into."""

    message: str
    hint: str


class Checked(NamedTuple):
    """What was found, and the claims that have one text of a document each, by document: right ones and wrong ones."""

    findings: list[Finding]
    spots: dict[str, list[tuple[Claim, Spot, Finding | None]]]


def check_claims(root: Path, claims: Iterable[Claim], value: Value, shown: Callable[[str], str] = str) -> list[Finding]:
    """What is wrong with `claims`, in their order: PV501 to PV506; see `compare_claims`."""
    return compare_claims(root, claims, value, shown).findings


def compare_claims(
    root: Path,
    claims: Iterable[Claim],
    value: Value,
    shown: Callable[[str], str] = str,
    texts: Mapping[str, str] = MappingProxyType({}),
) -> Checked:
    """Each of `claims` held against its source.

    Documents in `texts` are taken as they are there. `value` reads a source; `shown` turns a path relative to `root` into what
    places print. Each document is read once.
    Raises PvError (bug) when a cell's position in a document cannot be confirmed.
    """
    documents: dict[str, Markdown | Drawing | _Unread] = {}
    owners: dict[Place, Claim] = {}
    findings: list[Finding] = []
    spots: dict[str, list[tuple[Claim, Spot, Finding | None]]] = {}
    for claim in claims:
        path = os.path.normpath(claim.document)
        if path not in documents:
            documents[path] = _parsed(texts[path], shown(path)) if path in texts else _read(root, claim.document, shown)
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
        wrong = _compare(claim, spot, value, root, shown)
        findings += wrong
        spots.setdefault(path, []).append((claim, spot, wrong[0] if wrong else None))
    return Checked(findings, spots)


def _read(root: Path, document: str, shown: Callable[[str], str]) -> Markdown | Drawing | _Unread:
    hint = "name a Markdown or SVG file of the project, relative to its root"
    file = project_file(root, document)
    if file is None and leaves(root, document):
        return _Unread(f"the document {document!r} leads out of the project", hint)
    if file is None:
        near = nearest(Path(document).name, _neighbours(root / document))
        return _Unread(f"there is no document {document!r}", f"{hint}; {near}")
    try:
        source = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        return _Unread(f"the document {document!r} cannot be read as UTF-8 text: {problem}", "save it as UTF-8")
    return _parsed(source, shown(document))


def _parsed(source: str, path: str) -> Markdown | Drawing | _Unread:
    if not path.lower().endswith(".svg"):
        return read_markdown(source, path)
    from pv.claims.svg import read_drawing  # few projects have a claim about a drawing

    try:
        return read_drawing(source, path)
    except ValueError as problem:
        return _Unread(f"the drawing cannot be read: {problem}", "mend the XML")


def _neighbours(file: Path) -> list[str]:
    try:
        return sorted(path.name for path in file.parent.iterdir())
    except OSError:
        return []


def _compare(claim: Claim, spot: Spot, value: Value, root: Path, shown: Callable[[str], str]) -> list[Finding]:
    given = {name: value(source) for name, source in claim.sources or (("", claim.source),)}
    folded: dict[str, Folded] = {}
    for name, one in given.items():
        if isinstance(one, Unfolded):
            return [_unfolded(claim, _source(claim, name), one, shown)]
        folded[name] = one
    try:
        if _holds(claim, spot.text, folded):
            return []
        expected = expected_text(claim, folded)
    except ValueError as problem:
        return [error("PV504", claim.place, f"claim {claim.id!r}: {problem}", "mend the claim's form")]
    for name, one in folded.items():
        source = _source(claim, name)
        folded[name] = one._replace(place=data_place(root, source)) if isinstance(source, DataValue) else one
    return [_wrong(claim, spot, expected, folded, shown)]


def _source(claim: Claim, name: str) -> Source:
    return dict(claim.sources)[name] if name else claim.source


def _holds(claim: Claim, text: str, folded: Mapping[str, Folded]) -> bool:
    if claim.sources:
        return text == written_all({name: one.value for name, one in folded.items()}, claim.form)
    value = folded[""].value
    if isinstance(claim.source, PromisedTest) and claim.source.figure and claim.holds != "at_most":
        raise ValueError("a residual is what some runs saw: a document can only give a bound of it, `holds: at_most`")
    if claim.holds == "equal":
        return says(text, value, claim.form)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number: it can only be equal")
    return _compares(claim, text, value)


def _compares(claim: Claim, text: str, value: float) -> bool:
    try:
        said = read_number(text, claim.form)
    except ValueError:
        return False
    if isinstance(value, float) and not math.isfinite(value):
        return False
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if claim.holds == "about":
        return abs(said - exact) <= max(Decimal(repr(claim.absolute)), Decimal(repr(claim.relative)) * abs(exact))
    return exact <= said if claim.holds == "at_most" else exact >= said


def expected_text(claim: Claim, folded: Mapping[str, Folded]) -> str:
    """What the document should say. Raises ValueError when the form does not fit the values."""
    values = {name: one.value for name, one in folded.items()}
    return written_all(values, claim.form) if claim.sources else written(values[""], claim.form)


def _unfolded(claim: Claim, source: Source, unfolded: Unfolded, shown: Callable[[str], str]) -> Finding:
    place = _shown(unfolded.place, shown) if unfolded.place else claim.place
    message = f"claim {claim.id!r}: {_named(source)} cannot be read: {unfolded.message}"
    if isinstance(unfolded, Unrecorded):
        hint = unfolded.hint.replace("ID", claim.id)
        return Finding("PV506", Severity.UNMEASURED, place, message, hint)
    return error("PV504", place, message, unfolded.hint or "give the constant a value that can be read without running")


def _wrong(
    claim: Claim, spot: Spot, expected: str, folded: Mapping[str, Folded], shown: Callable[[str], str]
) -> Finding:
    sources = {name: _shown(one.place, shown) for name, one in folded.items()}
    said = " and ".join(
        f"{_named(_source(claim, name))} is {one.value!r} at {sources[name]}" for name, one in folded.items()
    )
    message = f"claim {claim.id!r} is wrong: the document says {spot.text!r}, {said}"
    if claim.holds in ("at_most", "at_least"):
        bound = claim.holds.replace("_", " ")
        return error(
            "PV501", spot.place, f"{message}: not {bound} that", "write a bound that holds, or mend the source"
        )
    form = "" if claim.form == DEFAULT else f" (form {claim.form!r})"
    constants = [name for name in folded if isinstance(_source(claim, name), Constant)]
    other = [f"mend {_named(_source(claim, name))} at {sources[name]}" for name in constants]
    return error(
        "PV501", spot.place, message, f"write {expected!r} here{form}" + "".join(f", or {row}" for row in other)
    )


def _named(source: Source) -> str:
    """What a source gives, in words."""
    match source:
        case Constant(_, name):
            return name
        case Promised(contract, subject, level):
            return f"the number of tests of {contract} promised at {level} ({subject})"
        case PromisedTest(contract, subject, test, figure):
            return (
                f"the largest residual of {test}" if figure else f"the promised level of {test} ({contract}, {subject})"
            )
        case Released(contract):
            return f"the version of {contract} that was released last"
        case DataValue(_, _, key):
            return spelt(key)
        case Count("files", pattern):
            return f"the number of files {pattern}"
        case Count("contracts", _):
            return "the number of contracts"
        case Count(_, which):
            return f"the number of falsification tests of {which}"
        case Parameters(path):
            return f"the number of parameters in {path}"
        case Recorded(command, key):
            return f"what {' '.join(command)} printed" + (f" at {spelt(key)}" if key else "")


def _shared(claim: Claim, owner: Claim, spot: Spot) -> Finding:
    message = f"claims {owner.id!r} ({owner.place}) and {claim.id!r} are about the same text, {spot.place}"
    return error("PV505", claim.place, message, "remove one of the two")


def _shown(place: Place, shown: Callable[[str], str]) -> Place:
    return Place(shown(place.path), place.line, place.column)
