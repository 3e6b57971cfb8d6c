"""A file of the ledger by its digest: what it says, what it comes to today, and who cites it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.finding import Exit, PvError
from pv.ledger.store import Stored, read
from pv.root import LEDGER, SHELF

if TYPE_CHECKING:
    from pv.project import Project
    from pv.report.record import Record

_DIGEST = re.compile(r"[0-9a-f]{6,64}")


def is_digest(text: str) -> bool:
    """Whether `text` may be the digest of a file of the ledger, or its beginning."""
    return _DIGEST.fullmatch(text) is not None


def record_of(project: Project, prefix: str) -> Record | None:
    """The one file whose digest begins with `prefix`; None when there is none.

    Raises PvError when there are several, or when it cannot be believed.
    """
    from pv.report.record import Record

    found = {name: path for name, path in _named(project) if name.startswith(prefix)}
    if not found:
        return None
    if len(found) > 1:
        names = ", ".join(f"{name[:16]}…" for name in sorted(found)[:5])
        raise PvError(f"{prefix} begins the digests of {len(found)} files: {names}", hint="write more of it")
    [(name, path)] = found.items()
    value = _release(path) if path.parent.parent.name == "releases" else _value(read(path), project)
    return Record(project.shown(path), value, tuple(_today(project, name, value)), tuple(_citing(project, name)))


def _named(project: Project) -> Iterator[tuple[str, Path]]:
    """Every file by its digest; of one that both shelves have, the ledger's comes last."""
    for home in (SHELF, LEDGER):
        for shelf in ("receipts", "promotions", "retractions", "waivers"):
            yield from ((path.stem, path) for path in (project.root / home / shelf).glob("*/*.json"))
    yield from ((_release(path)["digest"], path) for path in (release.path for release in project.releases))


def _value(stored: Stored, project: Project) -> dict[str, Any]:
    from pv.ledger.formats import problem_of

    known = {f"pv/{name}-v1" for name in ("receipt", "promotion", "retraction", "waiver")}
    layout = stored.value.get("format") if isinstance(stored.value, dict) else None
    problem = stored.problem or ("is of no known format" if layout not in known else problem_of(layout, stored.value))
    if problem:
        raise PvError(f"{project.shown(stored.path)} {problem}", exit=Exit.MEND, hint="pv ledger verify")
    value: dict[str, Any] = stored.value
    return value


def _release(path: Path) -> dict[str, Any]:
    import json

    value: dict[str, Any] = json.loads(path.read_bytes())
    return value


def _today(project: Project, name: str, value: dict[str, Any]) -> Iterator[str]:
    if value["format"] == "pv/receipt-v1":
        yield _freshness(project, name)
    if value["format"] == "pv/promotion-v1":
        yield from _kept(project, name)
    if value["format"] == "pv/waiver-v1":
        yield from _holding(project, name)


def _freshness(project: Project, name: str) -> str:
    """Whether a receipt is fresh, and speaks for what the project stands behind."""
    from pv.cli.about import About

    receipt = next(row for rows in project.receipts.values() for row in rows if row.name == name)
    outside = project.scope.outside(receipt)
    return About(project).why_not(receipt) or (f"fresh, outside the scope: {outside}" if outside else "fresh")


def _kept(project: Project, name: str) -> Iterator[str]:
    """What a promotion promises, and whether that is supported."""
    from pv.assess.ratchet import key_of
    from pv.report.status import freshness

    rows = project.assessments()
    binding = {(made.name, key_of(promise)) for made in project.promotions for promise in made.promises}
    for promise in next(made for made in project.promotions_made if made.name == name).promises:
        row = rows.get(key_of(promise))
        now = "gone" if row is None else f"{row.level.short}, {freshness(row, project.scope)}"
        retracted = "" if (name, key_of(promise)) in binding else "retracted; "
        yield f"{promise.test} ({promise.equation}, {promise.subject}): {retracted}{now}"


def _holding(project: Project, name: str) -> Iterator[str]:
    """Whether a waiver holds, test by test."""
    from pv.assess.ratchet import key_of

    rows = project.assessments()
    waiver = next(row for row in project.waivers if row.name == name)
    promises = [promise for made in project.promotions if made.name == waiver.target for promise in made.promises]
    for promise in promises:
        row = rows.get(key_of(promise))
        answers = (
            []
            if row is None
            else [why for one, why in project.excusing.about(waiver.target, promise, row) if one == waiver]
        )
        for lapsed in answers:
            yield f"{promise.test} ({promise.subject}): {f'lapsed: {lapsed}' if lapsed else 'holds'}"
    if not promises:
        yield "excuses nothing: its promotion is retracted or gone"


def _citing(project: Project, name: str) -> Iterator[str]:
    for made in project.promotions_made:
        if any(name in promise.receipts for promise in made.promises):
            yield project.shown(made.path)
    yield from (project.shown(row.path) for row in project.retractions if row.target == name)
    yield from (project.shown(row.path) for row in project.waivers if row.target == name)
    for release in project.releases:
        if name in (
            *release.promotions,
            *release.retractions,
            *(one for row in release.promises for one in row.receipts),
        ):
            yield project.shown(release.path)
