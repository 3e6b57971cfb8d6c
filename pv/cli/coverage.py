"""`pv coverage`: what stands behind each invariant, holes first."""

from __future__ import annotations

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.finding import Exit


@click.command()
@click.argument("contracts", nargs=-1, shell_complete=complete.contracts)
@FORMAT
def coverage(contracts: tuple[str, ...], form: str) -> Exit:
    """For each invariant its tests, falsifiers, faults, subject and levels; those with something missing first. A level of
    another subject than the default one is shown and fills no hole.

    CONTRACTS are names or files; without any, all of the project. Runs nothing. Exits 0 whenever it could read: `pv gate`
    is what fails.

    \b
      pv coverage
      pv coverage microgpt-v1 --format json
    """
    from pv.assess.coverage import cover
    from pv.project import open_project
    from pv.report.coverage import coverage_value, print_coverage
    from pv.report.plain import json_text

    project = open_project()
    chosen = [project.contract(name) for name in contracts] if contracts else list(project.contracts)
    rows = [
        row
        for contract in chosen
        for row in cover(
            contract,
            project.index,
            project.bindings,
            lambda test, contract=contract: project.assess_all(contract, test),  # type: ignore[misc] # bound now, not late
            project.find_code,
        )
    ]
    unread = [file.document.path for file in project.contract_files if file.contract is None]
    if form == "json":
        click.echo(json_text(coverage_value(rows, unread)))
    else:
        print_coverage(rows, unread)
    return Exit.OK
