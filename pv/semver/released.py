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

    `promises` are the strongest in force, `shown` is the ledger.
    """
    made, names = list(promises), [_name(file) for file in files]
    for file in files:
        last = release_before(releases, _name(file), names)
        yield added(file, LAST) if last is None else diff_since(last, file, made, shown)
    for name in dict.fromkeys(release.contract for release in releases):
        succeeded = any(base_of(other) == base_of(name) for other in names)
        last = last_release(releases, name)
        if not succeeded and last is not None:
            yield removed(contract_at(last, _place(last, shown)), f"{CONTRACTS}/{name}.yaml")


def release_before(releases: Sequence[Release], name: str, names: Iterable[str]) -> Release | None:
    """The release that the contract called `name` is compared with: its last one, or, where it has none, that of the contract
    whose place it took: of the same base, and not among `names` any more.
    """
    own = last_release(releases, name)
    left = {row.contract for row in releases if base_of(row.contract) == base_of(name)} - set(names)
    return own or (last_release(releases, left.pop()) if len(left) == 1 else None)


def diff_since(last: Release, file: ContractFile, promises: Iterable[Promise], shown: str) -> Diff:
    """What became of a contract since the release `last`, with the promises that rose or fell."""
    own = [promise for promise in promises if promise.contract == _name(file)]
    return diff(contract_at(last, _place(last, shown)), file, named=True, levels=level_moves(last, own))


def level_moves(last: Release, promises: Iterable[Promise]) -> list[LevelMove]:
    """Each test and subject whose level among `promises`, those of one contract, is another than at the release `last`."""
    none = Level.NO_EVIDENCE
    then: dict[Subject, Level] = {subject_of(promise): promise.level for promise in last.promises}
    now = {subject_of(promise): promise.level for promise in promises}
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
