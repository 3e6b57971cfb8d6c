"""`pv ledger verify`: is the ledger what pv wrote, and all of it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit, Finding, Place, PvError, Severity, worst

if TYPE_CHECKING:
    from pv.project import Project


@click.command()
@click.option("--against", metavar="REF", help="A git reference: nothing it had may be changed or gone.")
@FORMAT
def verify(against: str | None, form: str) -> Exit:
    """Is every file what its name says, everything cited there, every release in line, every typed level the one derived?

    \b
      pv ledger verify
      pv ledger verify --against origin/main

    With --against also: is all of it still there that the reference had? A promotion that no release cites may be taken back
    by a commit, and is named. Two branches that both released are told of each other. Whether a promise is still supported
    is what `pv gate` says; that a receipt was run and not written by hand, `pv gate --reproduce`.
    """
    from pv.ledger.verify import count
    from pv.project import LEDGER, open_project
    from pv.report.plain import finding_value, findings_text, json_text, plural, tally

    project = open_project()
    findings = [*check_ledger(project, against), *typed_levels(project)]
    counts = count(project.root / LEDGER)
    if form == "json":
        click.echo(json_text({"findings": [finding_value(finding) for finding in findings], "checked": counts}))
    else:
        if findings:
            click.echo(findings_text(findings))
        click.echo(", ".join(plural(number, shelf[:-1]) for shelf, number in counts.items()) + f"; {tally(findings)}")
    return worst(finding.severity.exit for finding in findings)


def check_ledger(project: Project, against: str | None) -> list[Finding]:
    """Everything wrong with the ledger's files; an empty one has nothing to verify, which is no pass."""
    from pv.ledger.against import missing_since
    from pv.ledger.verify import is_empty
    from pv.ledger.verify import verify as verify_files
    from pv.project import LEDGER

    ledger, read = project.root / LEDGER, project.shelves.promotions_read
    findings = list(verify_files(ledger, LEDGER, project.verifiable, _restorer(project), read))
    if against is not None:
        findings += missing_since(project.root, LEDGER, against)
    if is_empty(ledger) and not any(row.severity is Severity.ERROR for row in findings):
        hint = "pv falsify, then pv ledger promote CONTRACT"
        findings.append(
            Finding("PV600", Severity.UNMEASURED, Place(LEDGER), "is empty: nothing was promised yet", hint)
        )
    return findings


def _restorer(project: Project) -> Callable[[str], str]:
    """How a file of the ledger is brought back from the commit that added it; git is asked once, when something is wrong."""
    from functools import cache

    from pv.project import LEDGER
    from pv.source.git import added_by

    @cache
    def commits() -> Mapping[str, str]:
        try:
            return added_by(project.root, LEDGER)
        except PvError:
            return {}

    return lambda path: f"git checkout {commits()[path]} -- {path}" if path in commits() else ""


def typed_levels(project: Project) -> Iterator[Finding]:
    """PV401 and PV608: each `status:` of a contract that is above, or below, the level derived."""
    for contract in project.contracts:
        for test in contract.tests:
            row = project.assess(contract, test) if test.status is not None else None
            if row is None or test.status is None or row.level is test.status:
                continue
            seen = f"{test.id} has the status {test.status.name}; its evidence supports {row.level.name}"
            if row.level < test.status:
                hint = f"`pv falsify --id {test.id}` earns it, or lower it"
                yield Finding("PV401", row.severity, test.place, seen, hint)
            else:
                hint = f"leave `status:` out: `pv status` derives it, `pv ledger promote {test.id}` promises it"
                yield Finding("PV608", Severity.WARNING, test.place, seen, hint)
