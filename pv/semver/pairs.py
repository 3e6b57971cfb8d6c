"""Which contract of one state is which of another: by name, wherever it lies; a new major in the place of the old one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from pv.contract.read import ContractFile
from pv.semver.diff import Diff, added, base_of, diff, removed

Pair = tuple[str | None, str | None]


def diffs(old: Mapping[str, ContractFile], new: Mapping[str, ContractFile], reference: str) -> Iterator[Diff]:
    """What became of every contract of either state, given by path; `reference` is what the old state is called."""
    for before, after in pair(old, new):
        if before is not None and after is not None:
            yield diff(old[before], new[after], named=True)
        elif after is not None:
            yield added(new[after], reference)
        elif before is not None and old[before].contract is not None:
            yield removed(old[before], before)


def pair(old: Mapping[str, ContractFile], new: Mapping[str, ContractFile]) -> list[Pair]:
    """The paths that belong together, those of `new` in their order and then what is gone."""
    by_path: list[Pair] = [(path, path) for path in new if path in old]
    left, right = [path for path in old if path not in new], [path for path in new if path not in old]
    by_name = _match(left, right, lambda path: PurePosixPath(path).stem)
    left, right = _rest(left, right, by_name)
    by_base = _match(left, right, lambda path: base_of(PurePosixPath(path).stem))
    left, right = _rest(left, right, by_base)
    order = {path: index for index, path in enumerate(new)}
    found = [*by_path, *by_name, *by_base, *((None, path) for path in right)]
    found.sort(key=lambda both: order[str(both[1])])
    return [*found, *((path, None) for path in left)]


def _match(old: list[str], new: list[str], key: Callable[[str], str]) -> list[Pair]:
    """Those that are alone on either side under the same key."""
    here, there = Counter(map(key, old)), Counter(map(key, new))
    after = {key(path): path for path in new}
    return [(path, after[key(path)]) for path in old if here[key(path)] == there[key(path)] == 1]


def _rest(old: list[str], new: list[str], taken: list[Pair]) -> tuple[list[str], list[str]]:
    before, after = {pair[0] for pair in taken}, {pair[1] for pair in taken}
    return [path for path in old if path not in before], [path for path in new if path not in after]
