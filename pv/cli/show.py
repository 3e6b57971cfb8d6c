"""`pv show`: all about one falsification test."""

from __future__ import annotations

import click

from pv.cli.group import FORMAT
from pv.finding import Exit


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@FORMAT
def show(ids: tuple[str, ...], form: str) -> Exit:
    """A falsification test from every side: its lines in the contract, falsifier, faults and subject; what the last
    run showed; its level; and the next command.

    \b
      pv show FALSIFY-MG-009
    """
    from pv.project import open_project
    from pv.report.plain import json_text
    from pv.report.show import View, show_text, show_value

    project = open_project()
    shown: list[object] = []
    for contract, test in project.select(ids, ()):
        binding = project.subject(contract, test)
        place = project.subject_place(binding) if binding else None
        promises = tuple(p for promotion in project.promotions for p in promotion.promises if p.test == test.id)
        view = View(contract, test, binding, place, project.assess(contract, test), project.index, promises)
        shown.append(show_value(view) if form == "json" else show_text(view))
    click.echo(json_text({"tests": shown}) if form == "json" else "\n\n".join(map(str, shown)))
    return Exit.OK
