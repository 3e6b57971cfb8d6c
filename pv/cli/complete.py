"""What the shell completes beside names of commands and files: ids, contracts, families, stages, models, codes.

A project that cannot be read completes nothing: a shell is no place for its error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from pv.finding import PvError

if TYPE_CHECKING:
    from pv.project import Project

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _of_project(names: Callable[[Project], Iterable[str]]) -> Complete:
    """The completion by what `names` says of the project one stands in."""

    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        from pv.project import open_project

        try:
            return _beginning(names(open_project()), begun)
        except (PvError, OSError):
            return []

    return complete


def _beginning(names: Iterable[str], begun: str) -> list[str]:
    return sorted({name for name in names if name.startswith(begun)})


def _ids(project: Project) -> list[str]:
    return [test.id for contract in project.contracts for test in contract.tests]


def _contracts(project: Project) -> list[str]:
    return [contract.name for contract in project.contracts]


def _stages(project: Project) -> list[str]:
    from pv.stages.read import read_stage_maps

    return ["all", *(stage.name for found in read_stage_maps(project.root) for stage in found.stages)]


ids = _of_project(_ids)
contracts = _of_project(_contracts)
ids_and_contracts = _of_project(lambda project: [*_ids(project), *_contracts(project)])
families = _of_project(lambda project: [family.name for family in project.families])
models = _of_project(lambda project: [model.name for model in project.models])
stages = _of_project(_stages)


def codes(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The codes of `pv rule`, which need no project."""
    from pv.rules import catalogue

    return _beginning((row.code for row in catalogue()), begun.upper())
