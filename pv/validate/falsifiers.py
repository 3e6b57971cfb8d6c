"""What is known of a project's falsifiers from a run before: while nothing around the contracts changed, none is parsed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pv.finding import Place
from pv.validate.judgement import finding_rows, findings_from

if TYPE_CHECKING:  # a project without falsifiers, and one whose contracts have not changed, is judged without them
    from pv.project import Project
    from pv.source.falsifiers import Attack, FalsifierEntry, FalsifierIndex
    from pv.validate.cache import Cache


def recall(project: Project, cache: Cache) -> None:
    """Give `project` its index and attacks, if `cache` has them of just these falsifiers."""
    row = cache.find(_name(project), "", cache.around.of(project.root, named=False))
    if row is None or "index" in vars(project):
        return
    try:
        index, attacks = _read(row)
    except (ValueError, TypeError, KeyError):
        del cache.kept[_name(project)]  # not what pv wrote: it is read, and kept, anew
        return
    project.index, project.attack = index, attacks.__getitem__


def keep(project: Project, cache: Cache) -> None:
    """Take down what was read of the falsifiers of `project`."""
    if "index" in vars(project) and _name(project) not in cache.kept:
        row = _row(project.index, project.attack)
        cache.keep(_name(project), "", cache.around.of(project.root, named=False), row)


def _name(project: Project) -> str:
    return f"\0{project.root}"  # which is no file's


def _row(index: FalsifierIndex, attack: Callable[[FalsifierEntry], Attack]) -> list[Any]:
    attacks = (attack(entry) for entry in index.falsifiers)
    return [
        index.falsifiers,
        index.faults,
        finding_rows(index.findings, ""),
        index.strata,
        [[one.comparisons, one.asserts, one.unused, one.unexplained] for one in attacks],
    ]


def _read(row: list[Any]) -> tuple[FalsifierIndex, dict[FalsifierEntry, Attack]]:
    from pv.source.falsifiers import Attack, FalsifierEntry, FalsifierIndex, FaultEntry, Seen, StratumEntry

    def seen(rows: list[Any]) -> tuple[Seen, ...]:
        return tuple(Seen(Place(*place), function, what) for place, function, what in rows)

    falsifiers, faults, findings, strata, attacks = row
    index = FalsifierIndex(
        tuple(FalsifierEntry(*one) for one in falsifiers),
        tuple(FaultEntry(*one) for one in faults),
        tuple(findings_from(findings, "")),
        strata=tuple(StratumEntry(*one) for one in strata),
    )
    known = (
        Attack(seen(comparisons), seen(asserts), tuple(unused), Place(*unexplained) if unexplained else None)
        for comparisons, asserts, unused, unexplained in attacks
    )
    return index, dict(zip(index.falsifiers, known, strict=True))
