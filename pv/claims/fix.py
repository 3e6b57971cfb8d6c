"""Wrong values written anew in their documents, and nothing else of these: every other byte is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from pv.claims.check import Value, compare_claims, expected_text
from pv.claims.markdown import Spot
from pv.claims.where import error
from pv.contract.model import Claim, DrawnText, StaticBadge
from pv.documents.parser import LINE_ENDS
from pv.finding import Finding
from pv.source.constants import Folded
from pv.write import write_whole

_IN_MARKDOWN = re.compile(r"[\\`*_<>\[\]|!&\n\r]")
_IN_XML = re.compile(r"[<>&\n\r]")


class Change(NamedTuple):
    """One text of a document, from the character `start` on, and what stands there afterwards."""

    claim: Claim
    start: int
    old: str
    new: str


class Fixed(NamedTuple):
    """What was written, and why the rest was not (PV509)."""

    changes: tuple[Change, ...]
    refused: tuple[Finding, ...]


def fix_claims(root: Path, claims: Sequence[Claim], value: Value, shown: Callable[[str], str] = str) -> Fixed:
    """Write the right value wherever a claim is wrong and it is sure what to write.

    A document is left alone when, changed, a claim about it that held no longer would, or a changed one still would not.
    """
    checked = compare_claims(root, claims, value, shown)
    done: list[Change] = []
    refused: list[Finding] = []
    for document, rows in checked.spots.items():
        wrong = [(claim, spot) for claim, spot, finding in rows if finding is not None and finding.code == "PV501"]
        before = (root / document).read_bytes().decode("utf-8") if wrong else ""
        changes = [_change(claim, spot, value, before) for claim, spot in wrong]
        sure = [change for change in changes if isinstance(change, Change)]
        refused += [change for change in changes if isinstance(change, Finding)]
        if not sure:
            continue
        after = _changed(before, sure)
        still = _still_wrong(root, {document: after}, claims, value, rows, sure)
        if still:
            why = f"changed, {document} would not satisfy {', '.join(still)}"
            refused += [_refuse(change.claim, why) for change in sure]
            continue
        file = (root / document).resolve()  # not a link to it
        write_whole(file, after.encode("utf-8"), mode=file.stat().st_mode & 0o777)
        done += sure
    return Fixed(tuple(done), tuple(refused))


def _still_wrong(
    root: Path,
    texts: Mapping[str, str],
    claims: Sequence[Claim],
    value: Value,
    rows: Sequence[tuple[Claim, Spot, Finding | None]],
    sure: Sequence[Change],
) -> list[str]:
    about = {claim.id for claim, _, _ in rows}
    again = compare_claims(root, [claim for claim in claims if claim.id in about], value, texts=texts)
    held = {claim.id for found in again.spots.values() for claim, _, finding in found if finding is None}
    due = {claim.id for claim, _, finding in rows if finding is None} | {change.claim.id for change in sure}
    return sorted(due - held)


def _changed(text: str, changes: Sequence[Change]) -> str:
    for change in sorted(changes, key=lambda row: row.start, reverse=True):
        text = text[: change.start] + change.new + text[change.start + len(change.old) :]
    return text


def _change(claim: Claim, spot: Spot, value: Value, text: str) -> Change | Finding:
    if claim.holds in ("at_most", "at_least"):
        return _refuse(claim, "a bound is for people to choose")
    given: Mapping[str, object] = {name: value(source) for name, source in claim.sources or (("", claim.source),)}
    folded = {name: one for name, one in given.items() if isinstance(one, Folded)}
    expected = expected_text(claim, folded)
    badge = isinstance(claim.where, StaticBadge)
    language, signs = ("XML", _IN_XML) if isinstance(claim.where, DrawnText) else ("Markdown", _IN_MARKDOWN)
    if not badge and (signs.search(expected) or not expected.strip() or expected != expected.strip()):
        return _refuse(claim, f"{expected!r} has signs that mean something in {language}")
    old = _as_badge(spot.text) if badge else spot.text
    new = _as_badge(expected) if badge else expected
    start = _offset(text, spot)
    source = spot.source
    if not source or source.count(old) != 1 or text[start : start + len(source)] != source:
        return _refuse(claim, f"{spot.text!r} is not written plainly there")
    return Change(claim, start + source.index(old), old, new)


def _as_badge(text: str) -> str:
    return quote(text.replace("-", "--").replace("_", "__").replace(" ", "_"), safe="_-.,+")


def _offset(text: str, spot: Spot) -> int:
    """Where in `text` the spot begins; a byte order mark is no part of the first line."""
    starts = [len(text) - len(text.removeprefix("\ufeff")), *(found.end() for found in LINE_ENDS.finditer(text))]
    return starts[spot.place.line - 1] + spot.place.column - 1


def _refuse(claim: Claim, why: str) -> Finding:
    return error("PV509", claim.place, f"claim {claim.id!r} was not fixed: {why}", "mend the document by hand")
