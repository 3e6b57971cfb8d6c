"""Releases as a line: each names the one before it, no two the same one, and no level falls on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pv.finding import Finding, Place, Severity
from pv.ledger.promotion import Promise, Promotion
from pv.ledger.release import Release
from pv.ledger.retraction import Retraction
from pv.level import Level
from pv.version import Version, precedence, read_version

Subject = tuple[str, str, str]
PlaceOf = Callable[[Path], Place]

_WITHDRAW = "withdraw the one that nobody has yet: git rm it, then pv bump, pv ledger release CONTRACT"


def in_order(releases: Iterable[Release]) -> list[Release]:
    """By contract, and then by semver."""
    return sorted(releases, key=lambda release: (release.contract, precedence(_version(release))))


def last_release(releases: Iterable[Release], contract: str) -> Release | None:
    """The release of `contract` with the highest version."""
    return next((row for row in reversed(in_order(releases)) if row.contract == contract), None)


def subject_of(promise: Promise) -> Subject:
    """(test, equation, subject)."""
    return promise.test, promise.equation, promise.subject


def line_findings(
    releases: Iterable[Release], promotions: Iterable[Promotion], retractions: Iterable[Retraction], place: PlaceOf
) -> Iterator[Finding]:
    """PV602: a release whose predecessor is missing; PV607: two with the same one, or one whose levels are below an earlier's.

    A level that was retracted may fall.
    """
    ordered = in_order(releases)
    taken = _taken_back(promotions, retractions)
    for contract in dict.fromkeys(release.contract for release in ordered):
        line = [release for release in ordered if release.contract == contract]
        yield from _predecessors(line, place)
        yield from _forks(line, place)
        yield from _falls(line, taken, place)


def _predecessors(line: Sequence[Release], place: PlaceOf) -> Iterator[Finding]:
    versions = {release.version: release for release in line}
    for release in line:
        if release.previous and release.previous not in versions:
            message = f"follows {release.contract} {release.previous}, which is not in the ledger"
            yield Finding("PV602", Severity.ERROR, place(release.path), message, "git checkout brings the release back")
        elif release.previous and precedence(_version(versions[release.previous])) >= precedence(_version(release)):
            message = f"{release.what} says that it follows {release.previous}, which is no lower version"
            yield Finding("PV607", Severity.ERROR, place(release.path), message, _WITHDRAW)


def _forks(line: Sequence[Release], place: PlaceOf) -> Iterator[Finding]:
    """A later release that does not know of an earlier one."""
    followers: dict[str, Release] = {}
    for release in line:
        other = followers.setdefault(release.previous, release)
        if other is not release:
            after = f"follow {release.previous}" if release.previous else "follow none"
            message = f"{release.what} and {other.what} both {after}: neither knows what the other promises"
            yield Finding("PV607", Severity.ERROR, place(release.path), message, _WITHDRAW)


def _falls(line: Sequence[Release], taken: Mapping[tuple[str, Subject], Level], place: PlaceOf) -> Iterator[Finding]:
    highest: dict[Subject, tuple[Level, Release]] = {}
    for release in line:
        has = {subject_of(promise): promise.level for promise in release.promises}
        for subject, (level, before) in sorted(highest.items(), key=lambda row: row[0]):
            now = has.get(subject)
            if (now is None or now < level) and taken.get((release.contract, subject), Level.NO_CHECK) < level:
                shown = "nothing" if now is None else now.short
                message = (
                    f"{release.what} has {subject[0]} ({subject[2]}) at {shown}, {before.what} had it at {level.short}"
                )
                yield Finding("PV607", Severity.ERROR, place(release.path), message, _WITHDRAW)
        for subject, level in has.items():
            if subject not in highest or highest[subject][0] < level:
                highest[subject] = level, release


def _taken_back(promotions: Iterable[Promotion], retractions: Iterable[Retraction]) -> dict[tuple[str, Subject], Level]:
    """The highest level that was retracted of each test and subject."""
    by_name = {promotion.name: promotion for promotion in promotions}
    found: dict[tuple[str, Subject], Level] = {}
    for retraction in retractions:
        promotion = by_name.get(retraction.target)
        for promise in promotion.promises if promotion is not None else ():
            if promotion is not None and retraction.covers(promotion, promise.test):
                key = promise.contract, subject_of(promise)
                found[key] = max(found.get(key, promise.level), promise.level)
    return found


def _version(release: Release) -> Version:
    """Its version; one that could be read is semver, for its file is called so."""
    return read_version(release.version) or Version(0, 0, 0)
