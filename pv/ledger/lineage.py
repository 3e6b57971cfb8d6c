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
_Highest = dict[Subject, tuple[Level, Release]]

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
    releases: Iterable[Release],
    promotions: Iterable[Promotion],
    retractions: Iterable[Retraction],
    place: PlaceOf,
    bring_back: Callable[[str, str, str], str],
) -> Iterator[Finding]:
    """PV602: a release whose predecessor is missing; PV607: two with the same one, or one whose levels are below an earlier's.

    Two that were made on two branches are joined by a later one that lists the promotions of both. A level that was retracted
    may fall. `bring_back` says how a file comes back, from its sort, contract and name.
    """
    ordered = in_order(releases)
    taken = _taken_back(promotions, retractions)
    for contract in dict.fromkeys(release.contract for release in ordered):
        line = [release for release in ordered if release.contract == contract]
        yield from _predecessors(line, place, bring_back)
        yield from _forks(line, place)
        yield from _falls(line, taken, place)


def _predecessors(
    line: Sequence[Release], place: PlaceOf, bring_back: Callable[[str, str, str], str]
) -> Iterator[Finding]:
    versions = {release.version: release for release in line}
    for release in line:
        if release.previous and release.previous not in versions:
            message = f"follows {release.contract} {release.previous}, which is not in the ledger"
            back = bring_back("release", release.contract, release.previous)
            yield Finding("PV602", Severity.ERROR, place(release.path), message, back)
        elif release.previous and precedence(_version(versions[release.previous])) >= precedence(_version(release)):
            message = f"{release.what} says that it follows {release.previous}, which is no lower version"
            yield Finding("PV607", Severity.ERROR, place(release.path), message, _WITHDRAW)


def _forks(line: Sequence[Release], place: PlaceOf) -> Iterator[Finding]:
    """A later release that does not know of an earlier one, until one that knows of both."""
    followers: dict[str, Release] = {}
    for index, release in enumerate(line):
        other = followers.setdefault(release.previous, release)
        if other is not release and not any(_lists(later, release, other) for later in line[index + 1 :]):
            after = f"follow {release.previous}" if release.previous else "follow none"
            message = f"{release.what} and {other.what} both {after}: neither knows what the other promises"
            hint = f"pv bump {release.contract}, then pv ledger release {release.contract}: it will know of both"
            yield Finding("PV607", Severity.ERROR, place(release.path), message, hint)


def _lists(later: Release, *releases: Release) -> bool:
    """Whether `later` has all the promotions that `releases` have."""
    return all(set(release.promotions) <= set(later.promotions) for release in releases)


def _falls(line: Sequence[Release], taken: Mapping[tuple[str, Subject], Level], place: PlaceOf) -> Iterator[Finding]:
    """A level below that of a release which it follows, or whose promotions it lists; not of one made on another branch."""
    behind: dict[str, tuple[set[str], _Highest]] = {}
    for index, release in enumerate(line):
        known, followed = behind.get(release.previous, (set(), {}))
        joined = [before for before in line[:index] if before.version not in known and _lists(release, before)]
        highest = _highest(followed, joined)
        has = {subject_of(promise): promise.level for promise in release.promises}
        for subject, (level, before) in sorted(highest.items(), key=lambda row: row[0]):
            now = has.get(subject)
            if (now is None or now < level) and taken.get((release.contract, subject), Level.NO_CHECK) < level:
                shown = "nothing" if now is None else now.short
                message = (
                    f"{release.what} has {subject[0]} ({subject[2]}) at {shown}, {before.what} had it at {level.short}"
                )
                yield Finding("PV607", Severity.ERROR, place(release.path), message, _WITHDRAW)
        versions = {row.version for row in (*joined, release)}
        behind[release.version] = known | versions, _highest(highest, [release])


def _highest(before: _Highest, releases: Iterable[Release]) -> _Highest:
    """`before`, with what `releases` have above it."""
    highest = dict(before)
    for release in releases:
        for promise in release.promises:
            subject = subject_of(promise)
            if subject not in highest or highest[subject][0] < promise.level:
                highest[subject] = promise.level, release
    return highest


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
