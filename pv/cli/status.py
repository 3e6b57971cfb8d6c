"""`pv status`: what is supported today."""

from __future__ import annotations

import click

from pv.cli.group import FORMAT
from pv.finding import Exit


@click.command()
@click.argument("contracts", nargs=-1)
@FORMAT
def status(contracts: tuple[str, ...], form: str) -> Exit:
    """The level and freshness of every falsification test on each of its subjects, computed from receipts and today's code.
    Runs nothing.

    A level counts while its evidence is fresh: when the clause, the falsifier, the binding or code that a run entered has
    changed since, the cause is named, and only another run clears it. Exits 0 whenever it could read; `pv gate` fails.
    """
    from pv.project import open_project
    from pv.report.plain import json_text
    from pv.report.status import assessment_value, print_status, totals_value

    project = open_project()
    chosen = [project.contract(name) for name in contracts] if contracts else None
    rows = list(project.assessments(chosen).values())
    unread = [file.document.path for file in project.contract_files if file.contract is None]
    if form == "json":
        value = {"tests": [assessment_value(row) for row in rows], "unreadable": unread}
        click.echo(json_text({**value, **totals_value(rows)}))
        return Exit.OK
    print_status(rows)
    for path in unread:
        click.echo(f"{path} could not be read and is not counted: pv validate {path}")
    return Exit.OK
