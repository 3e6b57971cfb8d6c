"""The story of a test: what was promised, taken back and released of it, in the order that releases give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pv.assess.ratchet import Key, key_of
from pv.ledger.lineage import in_order
from pv.ledger.promotion import Promise, Promotion
from pv.ledger.release import Release
from pv.ledger.retraction import Retraction
from pv.level import Level


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a test: promised, retracted, or released at another level than before.

    `release` is the first that knows of it, empty while none does; `name` is that of the promotion made or taken back, or the
    version; `why` a retraction's reason.
    """

    release: str
    what: str
    level: Level
    name: str
    path: Path
    why: str = ""


def stories(
    keys: Iterable[Key],
    promotions: Sequence[Promotion],
    retractions: Sequence[Retraction],
    releases: Iterable[Release],
) -> dict[Key, list[Event]]:
    """What happened to each of `keys`; those of which nothing is told are left out.

    Within a release promises come first, the lowest before the highest: files of the ledger have no time.
    """
    ordered = in_order(releases)
    every = {key: list(_events(key, promotions, retractions, ordered)) for key in keys}
    return {key: _sorted(events, ordered) for key, events in every.items() if events}


def _events(
    key: Key, promotions: Sequence[Promotion], retractions: Sequence[Retraction], releases: Sequence[Release]
) -> Iterator[Event]:
    own = [release for release in releases if release.contract == key[0]]
    by_name = {promotion.name: promotion for promotion in promotions}
    for promotion in promotions:
        for promise in promotion.promises:
            if key_of(promise) == key:
                first = _first(own, promotion.name)
                yield Event(first, "promised", promise.level, promotion.name, promotion.path)
    for retraction in retractions:
        target = by_name.get(retraction.target)
        for promise in target.promises if target is not None else ():
            if target is not None and key_of(promise) == key and retraction.covers(target, promise.test):
                first = _first(own, retraction.name)
                yield Event(first, "retracted", promise.level, retraction.target, retraction.path, retraction.reason)
    yield from _released(key, own)


def _released(key: Key, releases: Sequence[Release]) -> Iterator[Event]:
    """The releases in which its level is another than in the one before."""
    before: Level | None = None
    for release in releases:
        found: Promise | None = next((row for row in release.promises if key_of(row) == key), None)
        level = None if found is None else found.level
        if level is not before:
            shown = Level.NO_EVIDENCE if level is None else level
            yield Event(release.version, "released", shown, release.version, release.path)
        before = level


def _first(releases: Sequence[Release], name: str) -> str:
    """The first release that lists the promotion or retraction called `name`."""
    knows = (release.version for release in releases if name in release.promotions or name in release.retractions)
    return next(knows, "")


def _sorted(events: Sequence[Event], releases: Sequence[Release]) -> list[Event]:
    order: Mapping[str, int] = {release.version: index for index, release in enumerate(releases)}
    steps = ("promised", "retracted", "released")
    return sorted(
        events,
        key=lambda event: (
            order.get(event.release, len(order)), steps.index(event.what), event.level, event.name,
        ),
    )  # fmt: skip
