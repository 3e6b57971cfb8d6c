"""`pv claims`: documents against the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit, Finding, Place, Severity, worst

if TYPE_CHECKING:
    from pv.contract.model import Source
    from pv.project import Project
    from pv.source.constants import Folded, Unfolded


@click.command()
@click.argument("contracts", nargs=-1)
@FORMAT
def claims(contracts: tuple[str, ...], form: str) -> Exit:
    """Does every claim of the contracts' `claims:` equal the source it names?

    A claim is about a cell of a table, or the hole in a phrase; its source is a constant, folded from the syntax tree
    (nothing is imported), a value of a JSON file, the number of tests promised at a level, or the version released
    last. A wrong claim shows both values and both places.
    """
    from pv.project import open_project
    from pv.report.plain import finding_value, findings_text, json_text, plural, tally

    project = open_project()
    count, findings = check_project_claims(project, contracts)
    if form == "json":
        click.echo(
            json_text({"findings": [finding_value(finding) for finding in findings], "checked": {"claims": count}})
        )
    else:
        if findings:
            click.echo(findings_text(findings))
        click.echo(f"{plural(count, 'claim')}; {tally(findings)}")
    return worst(finding.severity.exit for finding in findings)


def check_project_claims(project: Project, names: tuple[str, ...] = ()) -> tuple[int, list[Finding]]:
    """How many claims there are, and what is wrong with them; none at all is not measured."""
    from pv.claims.check import check_claims
    from pv.project import CONTRACTS

    contracts = [project.contract(name) for name in names] if names else list(project.contracts)
    made = [claim for contract in contracts for claim in contract.claims]
    if not made:
        hint = "a contract binds documents to the source under `claims:`"
        return 0, [
            Finding(
                "PV500", Severity.UNMEASURED, Place(CONTRACTS), "no contract makes a claim: nothing was checked", hint
            )
        ]
    return len(made), check_claims(project.root, made, lambda source: _value(project, source))


def _value(project: Project, source: Source) -> Folded | Unfolded:
    """What a source gives."""
    from pv.assess.figures import promised, released
    from pv.claims.recorded import recorded
    from pv.contract.model import Constant, JsonValue, Promised
    from pv.project import LEDGER
    from pv.source.constants import fold_constant

    if isinstance(source, Constant):
        return fold_constant(project.root, source.path, source.name, sources=project.sources)
    if isinstance(source, JsonValue):
        return recorded(project.root, source)
    if isinstance(source, Promised):
        return promised(source, project.promotions, f"{LEDGER}/promotions")
    return released(source, project.releases, f"{LEDGER}/releases")
