"""Contracts held against their last releases: the document, and what the ledger promises of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pv.contract.read import ContractFile
from pv.ledger.lineage import Subject, last_release, subject_of
from pv.ledger.promotion import Promise
from pv.ledger.release import Release, contract_at
from pv.level import Level
from pv.root import CONTRACTS
from pv.semver.diff import Diff, LevelMove, added, base_of, diff, removed

LAST = "the last release"


def diffs_since_release(
    releases: Sequence[Release], files: Sequence[ContractFile], promises: Iterable[Promise], shown: str
) -> Iterator[Diff]:
    """What became of each contract of `files` since its last release, and which released ones are gone.

    `promises` are the strongest in force, `shown` is the ledger. A contract of the next major takes the place of the one
    before it, once it is released as well.
    """
    made = list(promises)
    names = {_name(file) for file in files}
    for file in files:
        last = last_release(releases, _name(file))
        yield added(file, LAST) if last is None else diff_since(last, file, made, shown)
    for name in dict.fromkeys(release.contract for release in releases):
        succeeded = any(base_of(other) == base_of(name) and other != name for other in names)
        last = last_release(releases, name)
        if name not in names and not succeeded and last is not None:
            yield removed(contract_at(last, _place(last, shown)), f"{CONTRACTS}/{name}.yaml")


def diff_since(last: Release, file: ContractFile, promises: Iterable[Promise], shown: str) -> Diff:
    """What became of a contract since the release `last`, with the promises that rose or fell."""
    return diff(contract_at(last, _place(last, shown)), file, levels=level_moves(last, promises))


def level_moves(last: Release, promises: Iterable[Promise]) -> list[LevelMove]:
    """Each test and subject whose promised level is another than it was at the release `last`."""
    none = Level.NO_EVIDENCE
    then: dict[Subject, Level] = {subject_of(promise): promise.level for promise in last.promises}
    now = {subject_of(promise): promise.level for promise in promises if promise.contract == last.contract}
    every = sorted({*then, *now})
    return [
        LevelMove(key[0], key[2], then.get(key, none), now.get(key, none))
        for key in every
        if then.get(key, none) is not now.get(key, none)
    ]


def _name(file: ContractFile) -> str:
    return Path(file.document.path).stem


def _place(release: Release, shown: str) -> str:
    return f"{shown}/releases/{release.contract}/{release.path.name}"
