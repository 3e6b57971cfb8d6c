"""Operands → files → judgements: what `pv validate` and `pv gate` go through, from memory where nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pv.collector import collector_paused
from pv.contract.document import read_bytes
from pv.finding import Finding, Place, Severity
from pv.project import CONTRACTS, Project
from pv.rules.folder import check_folder
from pv.validate.falsifiers import keep, recall
from pv.validate.items import Item, Shown, list_items
from pv.validate.judge import Projects, judge, judge_whole
from pv.validate.judgement import Counts, Judgement, Kind, Row, from_row, to_row

if TYPE_CHECKING:
    from pv.validate.cache import Cache

MANY_FILES = 200
MANY_BYTES = 1_000_000
"""Below both, starting a process takes as long as what it would do (measured: 94 files of 0.6 MB gain 0 to 11 ms)."""

Worked = tuple[Judgement, str]
"""A judgement, and the digest of the bytes it is about."""

Packed = tuple[str, Row, bool, str]
"""The same as JSON: the file, the judgement's row, whether it may be kept, the digest."""


class Group(NamedTuple):
    """Files that the settings of one project (or of none) apply to, and what was found in them.

    `whole`: all of the project was judged, so that nothing more could be found in its bindings and falsifiers. `alone`:
    paths of files that were not judged together with their folder.
    """

    project: Project | None
    judgements: tuple[Judgement, ...]
    findings: tuple[Finding, ...]
    whole: bool = False
    alone: Collection[str] = ()


class Outcome(NamedTuple):
    """What judging the operands came to."""

    judgements: tuple[Judgement, ...]
    groups: tuple[Group, ...]
    names: dict[str, str]
    """The digests of the files whose judgement may be kept."""

    @property
    def counts(self) -> Counts:
        """Summed over the files."""
        return Counts(*(sum(column) for column in zip(Counts(), *(one.counts for one in self.judgements), strict=True)))


def run(
    operands: Sequence[Path],
    shown: Shown,
    cache: Cache | None,
    projects: Projects | None = None,
    *,
    whole: bool = False,
) -> Outcome:
    """Judge every contract and binding file at `operands`; with `whole`, or with bindings among them, their projects too.

    `projects` are those open already. Raises PvError when an operand is not there, or a project's settings are wrong.
    """
    listed = [list_items(operand, shown) for operand in operands]
    items = list({item.shown: item for found in listed for item in found}.values())
    projects = projects or Projects()
    if cache is not None:
        for folder in {item.folder for item in items}:
            projects.around(folder)
        for known in projects.opened.values():
            recall(known, cache)
    judged = _judge_all(items, projects, cache)
    whole = whole or any(one.kind is Kind.BINDING for one in judged.values())
    homes: dict[Path | None, list[Judgement]] = {}
    for item in items:
        project = projects.around(item.folder)
        homes.setdefault(project.root if project else None, []).append(judged[item.shown])
    walked = {item.shown for item in items if not item.named}
    groups = [
        _group(projects.opened.get(root) if root else None, own, walked, shown, whole=whole)
        for root, own in homes.items()
    ]
    measured = (Kind.CONTRACT, Kind.PREDECESSOR, Kind.DATA)
    contracts = {path for path, one in judged.items() if one.kind in measured}
    empty = [
        where for where, found in zip(operands, listed, strict=True) if contracts.isdisjoint(i.shown for i in found)
    ]
    if cache is not None:
        for known in projects.opened.values():
            keep(known, cache)
        cache.save()
    groups.append(Group(None, (), tuple(_nothing_in(where, shown) for where in empty)))
    return Outcome(tuple(judged.values()), tuple(groups), {} if cache is None else cache.names())


def _nothing_in(operand: Path, shown: Shown) -> Finding:
    """An operand without a contract was not measured; that is no pass."""
    hint = "name a contract file, or a folder that holds one; a contract says `schema: pv/contract-v1`"
    return Finding("PV100", Severity.UNMEASURED, Place(shown(operand)), "holds no contract: nothing was checked", hint)


def _judge_all(items: Sequence[Item], projects: Projects, cache: Cache | None) -> dict[str, Judgement]:
    """Every file judged, or found in the cache, in the order of `items`."""
    found = {} if cache is None else dict(_remembered(items, projects, cache))
    missing = [item for item in items if item.shown not in found]

    def work(item: Item) -> Worked:
        path = item.path
        data = read_bytes(path, item.shown)
        one = judge(path, item.shown, data, projects.around(item.folder), named=item.named)
        return one, _name(data) if isinstance(data, bytes) and cache is not None else ""

    with collector_paused():
        for item, (one, name) in zip(missing, _spread(missing, projects, work), strict=True):
            found[item.shown] = one
            if cache is not None and one.lasting:
                cache.keep(item.shown, name, cache.around.of(_root(projects, item), named=item.named), to_row(one))
    return {item.shown: found[item.shown] for item in items}


def _root(projects: Projects, item: Item) -> Path | None:
    project = projects.around(item.folder)
    return None if project is None else project.root


def _name(data: bytes) -> str:
    from pv.digest import sha256

    return sha256(data)


def _remembered(items: Sequence[Item], projects: Projects, cache: Cache) -> Iterator[tuple[str, Judgement]]:
    """The files whose judgement is known, for they and all around them are as they were."""
    for item in items:
        if item.shown in cache.known:
            data = read_bytes(item.path, item.shown)
            if isinstance(data, bytes):
                key = cache.around.of(_root(projects, item), named=item.named)
                row = cache.find(item.shown, _name(data), key)
                if row is not None and (known := _believed(item.shown, row)) is not None:
                    yield item.shown, known


def _believed(shown: str, row: object) -> Judgement | None:
    try:
        return from_row(shown, row)
    except (ValueError, TypeError, KeyError):
        return None


def _spread(items: Sequence[Item], projects: Projects, work: Callable[[Item], Worked]) -> Iterable[Worked]:
    """`work` of every item, in several processes where that pays."""
    if len(items) < MANY_FILES and sum(_size(item.path) for item in items) < MANY_BYTES:
        return map(work, items)
    from pv.workers import Wire, spread, worker_count

    for project in {id(one): one for item in items if (one := projects.around(item.folder)) is not None}.values():
        _ = project.bindings, project.index  # read once what every worker would read for itself
    return spread(items, work, worker_count(len(items)), Wire(_pack, _unpack))


def _pack(worked: Worked) -> Packed:
    one, name = worked
    return one.path, to_row(one), one.lasting, name


def _unpack(packed: Packed) -> Worked:
    path, row, lasting, name = packed
    return from_row(path, row, lasting=lasting), name


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def _group(
    project: Project | None,
    judged: Sequence[Judgement],
    walked: set[str],
    shown: Shown,
    *,
    whole: bool,
) -> Group:
    own = {one.path for one in judged}
    found = [finding for one in judged for finding in one.findings]
    found += check_folder({one.path: one.links for one in judged if one.links is not None and one.path in walked})
    if project is None:
        return Group(None, tuple(judged), tuple(found), alone=own - walked)
    every = {item.shown for item in list_items(project.root / CONTRACTS, shown)} if whole else set()
    if whole:
        found += judge_whole(project, judged if every <= own & walked else None)
    found = list(dict.fromkeys(found))  # what several contracts use is found with each of them
    names: dict[str, str] = {path: path for path in own}
    for finding in found:  # what rules and the falsifier index call a file is relative to the project's root
        names.setdefault(finding.place.path, shown(project.root / finding.place.path))
    found = [
        finding
        if names[finding.place.path] == finding.place.path
        else finding._replace(place=finding.place._replace(path=names[finding.place.path]))
        for finding in found
    ]
    return Group(project, tuple(judged), tuple(found), whole and every <= own, own - walked)
