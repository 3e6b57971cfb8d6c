"""`pv show`: all about one falsification test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT, SUBJECT
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.contract.model import Contract, FalsificationTest
    from pv.project import Project
    from pv.report.show import View


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@SUBJECT
@FORMAT
def show(ids: tuple[str, ...], subject: str, form: str) -> Exit:
    """A falsification test from every side: its lines in the contract, falsifier, faults and subject; what the last
    run showed; its level; and the next command.

    \b
      pv show FALSIFY-MG-009
      pv show FALSIFY-MG-009 --subject numpy
    """
    from pv.project import open_project
    from pv.report.plain import json_text
    from pv.report.show import show_text, show_value

    project = open_project()
    views = [view for pair in project.select(ids, ()) for view in views_of(project, *pair, subject)]
    if not views:
        raise PvError(f"{', '.join(ids)}: no subject is called {subject!r}", hint=f"pv show {ids[0]} --subject all")
    if form == "json":
        click.echo(json_text({"tests": [show_value(view) for view in views]}))
    else:
        click.echo("\n\n".join(show_text(view) for view in views))
    return Exit.OK


def views_of(project: Project, contract: Contract, test: FalsificationTest, subject: str) -> Iterator[View]:
    """What there is to show of `test` on each subject meant."""
    from pv.assess.promises import key_of
    from pv.report.show import View

    made = [promise for promotion in project.promotions for promise in promotion.promises]
    bound = {
        row.name: row for row in project.bindings if (row.contract, row.equation) == (contract.name, test.equation)
    }
    every = project.assess_all(contract, test)
    for row in project.assess_all(contract, test, subject):
        yield View(
            contract=contract,
            test=test,
            binding=bound.get(row.subject),
            subject=project.subject_place(bound[row.subject]) if row.subject else None,
            row=row,
            index=project.index,
            promises=tuple(promise for promise in made if key_of(promise) == key_of(row)),
            others=tuple(other for other in every if other.subject != row.subject),
        )
