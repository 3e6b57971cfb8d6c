"""`pv show`: all about one falsification test, or one file of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pv.cli import complete
from pv.cli.group import FORMAT, SUBJECT
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.contract.model import Contract, FalsificationTest
    from pv.project import Project
    from pv.report.show import View


@click.command()
@click.argument("ids", nargs=-1, shell_complete=complete.ids, required=True, metavar="ID|DIGEST…")
@SUBJECT
@FORMAT
def show(ids: tuple[str, ...], subject: str, form: str) -> Exit:
    """A falsification test from every side: its lines in the contract, falsifier, faults and subject; what the last
    run showed; its level; and the next command. Or, by its digest (six digits will do), a receipt, promotion, retraction,
    waiver or release: what it says, what that comes to today, and who cites it.

    \b
      pv show FALSIFY-MG-009
      pv show FALSIFY-MG-009 --subject numpy
      pv show 3f9ac1
    """
    from pv.cli.record import is_digest, record_of
    from pv.project import open_project
    from pv.report.plain import json_text
    from pv.report.record import record_text, record_value
    from pv.report.show import show_text, show_value

    project = open_project()
    found = {word: record_of(project, word) for word in ids if is_digest(word)}
    records = [record for record in found.values() if record is not None]
    rest = [word for word in ids if found.get(word) is None]
    pairs = project.select(rest, ()) if rest else []
    views = [view for pair in pairs for view in views_of(project, *pair, subject)]
    if rest and not views:
        raise PvError(f"{', '.join(rest)}: no subject is called {subject!r}", hint=f"pv show {rest[0]} --subject all")
    if form == "json":
        more = {"records": [record_value(record) for record in records]} if records else {}
        click.echo(json_text({"tests": [show_value(view) for view in views], **more}))
    else:
        click.echo("\n\n".join([*map(record_text, records), *map(show_text, views)]))
    return Exit.OK


def views_of(project: Project, contract: Contract, test: FalsificationTest, subject: str) -> Iterator[View]:
    """What there is to show of `test` on each subject meant."""
    from pv.assess.ratchet import key_of
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
            scope=project.scope,
        )
