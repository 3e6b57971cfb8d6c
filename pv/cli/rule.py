"""`pv rule`: what a code means, why it matters, how to mend it."""

from __future__ import annotations

import click

from pv.cli import complete
from pv.cli.group import FORMAT
from pv.finding import Exit


@click.command()
@click.argument("code", shell_complete=complete.codes, required=False)
@FORMAT
def rule(code: str | None, form: str) -> Exit:
    """Explain a code that findings carry: the defect, why it matters, a line that fails and one that passes.

    Without CODE, the table of every code that pv can print. Needs no project and reads no file of one.

    \b
      pv rule PV203
      pv rule
    """
    from pv.report.plain import json_text
    from pv.report.rules import rule_text, rule_value, table_text
    from pv.rules import catalogue, describe

    if code is not None:
        describe(code)  # raises with the nearest one where there is none
    chosen = [row for row in catalogue() if code is None or row.code == code.upper()]
    if form == "json":
        click.echo(json_text({"rules": [rule_value(row) for row in chosen]}))
    else:
        click.echo(table_text(chosen) if code is None else rule_text(chosen[0]))
    return Exit.OK
