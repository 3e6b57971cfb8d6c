"""The levels of a project's tests, by one process or in shares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from pv.assess.freshness import Today
from pv.assess.levels import Assessment, assess
from pv.assess.ratchet import Key, key_of
from pv.assess.shares import Share, read_in_shares
from pv.assess.subjects import ALL
from pv.collector import collector_paused
from pv.contract.model import Binding, Contract, FalsificationTest
from pv.ledger.receipt import Receipt
from pv.level import Level
from pv.project.files import contracts_in
from pv.root import BINDING, FALSIFIERS, LEDGER, SHELF
from pv.source.falsifiers import index_falsifiers

if TYPE_CHECKING:  # which imports this
    from pv.project.project import Project


def level_of(project: Project, contract: Contract, test: FalsificationTest, subject: Binding | None) -> Assessment:
    """See `Project.assess`."""
    default = project.subject(contract, test)
    binding = subject or default
    if binding is None:
        none, lacking = Level.NO_CHECK, f"a subject: {test.equation} is not bound in {BINDING}"
        return Assessment(contract.name, test.id, test.equation, "", none, none, (), None, (lacking,))
    return _level(project, contract, test, binding, default=binding == default)


def levels_of(project: Project, contract: Contract, test: FalsificationTest, which: str) -> tuple[Assessment, ...]:
    """See `Project.assess_all`."""
    chosen = project.bound.chosen(contract, test, which)
    default = project.subject(contract, test)
    unbound = (level_of(project, contract, test, None),) if which in ("", ALL) and default is None else ()
    return (*unbound, *(_level(project, contract, test, row, default=row == default) for row in chosen))


def _level(
    project: Project, contract: Contract, test: FalsificationTest, binding: Binding, *, default: bool
) -> Assessment:
    receipts = project.receipts.get(test.id, ())
    return assess(contract, test, binding, receipts, project.today, project.scope, project.policy, default=default)


def assessed(project: Project, contracts: Iterable[Contract]) -> dict[Key, Assessment]:
    """One for each falsification test of `contracts` and each of its subjects."""
    with collector_paused():
        return {key_of(row): row for contract in contracts for row in _rows(project, contract)}


def _rows_of(part: Project, paths: Sequence[Path]) -> list[list[Assessment]]:
    """The assessments of what each of `paths` holds, by a project of which no more is read than these need."""
    if "contract_files" not in vars(part):
        part.contract_files = contracts_in(paths, part.shown)
    contracts = {file.document.path: file.contract for file in part.contract_files}
    if "index" not in vars(part):
        names = {path.stem for path in paths}
        part.index = index_falsifiers(part.root, part.root / FALSIFIERS, names)
        part.today = Today(part.code, part.index, part.bindings)
    found = [contracts.get(part.shown(path)) for path in paths]
    return [[] if contract is None else _rows(part, contract) for contract in found]


def _rows(project: Project, contract: Contract) -> list[Assessment]:
    return [row for test in contract.tests for row in levels_of(project, contract, test, ALL)]


def in_shares(project: Project, *, levels: bool) -> Share | None:
    """The ledger, and with `levels` those of all contracts, as several processes read it; None where this one has to."""
    if not project.shelves.is_whole:
        return None
    if levels:
        _ = project.bindings, project.code  # made once what each would make for itself
    shelves = [project.root / shelf / "receipts" for shelf in (LEDGER, SHELF)]
    names = [path.stem for path in project.contract_paths]  # by which a contract is called
    return read_in_shares(
        names, shelves, lambda own, others, here: _share(project, own, others, levels=levels, here=here)
    )


def _share(project: Project, own: Sequence[int], others: Collection[str], *, levels: bool, here: bool) -> Share:
    """What is in all folders but `others`; with `levels`, those of the contract files at the places `own`, too.

    `here`: in the process that asks, which needs every contract afterwards.
    """
    if here:
        _ = project.contract_files
    part = copy(project)
    part.shelves = project.shelves.without(others)
    with collector_paused():
        rows = _rows_of(part, [project.contract_paths[place] for place in own]) if levels else []
        cited = {row.name: row for row in part.shelves.cited if isinstance(row, Receipt)}
        seen = (row for receipts in part.receipts.values() for row in receipts) if levels else cited.values()
        plain = len(cited) == len(part.shelves.cited) and all(row.folder.name == row.contract for row in seen)
    return Share(rows, cited, plain)
