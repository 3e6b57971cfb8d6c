"""`pv status`: what is supported today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from pv.cli import complete
from pv.finding import Exit, PvError, Severity

if TYPE_CHECKING:
    from pv.assess.levels import Assessment
    from pv.assess.since import Change
    from pv.contract.model import Contract
    from pv.project import Project
    from pv.report.since import Since, Told


@click.command()
@click.argument("contracts", nargs=-1, shell_complete=complete.contracts)
@click.option("--against", metavar="REF", help="A git reference: what rose, fell, went stale since, and by whose edit.")
@click.option("--here", is_flag=True, help="Also what no run on this machine (its Python, torch, device) has measured.")
@click.option("--badge", is_flag=True, help="JSON for a badge, as the endpoint of shields.io reads it.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True,
    help="For people, for programs, or for a comment on a pull request.",
)  # fmt: skip
def status(contracts: tuple[str, ...], against: str | None, here: bool, badge: bool, form: str) -> Exit:
    """The level and freshness of every falsification test on each of its subjects, computed from receipts and today's code.
    Runs nothing.

    A level counts while its evidence is fresh: when the clause, the falsifier, the binding or code that a run entered has
    changed since, the cause is named, and only another run clears it. Exits 0 whenever it could read; `pv gate` fails.

    \b
      pv status microgpt-v1
      pv status --against origin/main --format markdown     a comment on a pull request
      pv status --badge > badge.json
    """
    from pv.project import open_project
    from pv.report.plain import json_text

    if badge and (form != "text" or against or here):
        raise PvError("--badge is an answer of its own: leave --format, --against and --here out", hint="run it twice")
    project = open_project()
    chosen = [project.contract(name) for name in contracts] if contracts else None
    rows = list(project.assessments(chosen).values())
    unread = [file.document.path for file in project.contract_files if file.contract is None]
    if badge:
        from pv.report.badge import badge_value

        click.echo(json_text(badge_value(rows, unread, project.policy.lowered)))
        return Exit.OK
    since = None if against is None else _since(project, chosen, against)
    where = None
    if here:
        from pv.cli.here import measured_here  # which asks for the versions of what is installed

        where = measured_here(project, rows)
    if form == "json":
        extra = {"since": since, "here": where.value} if where else {"since": since}
        click.echo(json_text(_value(project, rows, unread, extra)))
        return Exit.OK
    notes = [*_notes(project, chosen or project.contracts, unread), *([where.text] if where else [])]
    if form == "markdown":
        from pv.report.markdown import status_markdown

        click.echo(status_markdown(rows, notes, since, project.scope), nl=False)
    else:
        _print(project, rows, notes, since)
    return Exit.OK


def _print(project: Project, rows: Sequence[Assessment], notes: Sequence[str], since: Since | None) -> None:
    from pv.report.status import print_status, totals

    if since is None:
        print_status(rows, project.scope)
    else:
        from pv.report.since import since_lines

        click.echo("\n".join((*since_lines(since, project.scope), *totals(rows))))
    for line in notes:
        click.echo(line)


def _value(
    project: Project, rows: Sequence[Assessment], unread: Sequence[str], extra: dict[str, Any]
) -> dict[str, Any]:
    from pv.assess.promises import standing
    from pv.report.status import assessment_value, totals_value

    if (since := extra.pop("since")) is not None:
        from pv.report.since import since_value

        extra = {"since": since_value(since, project.scope), **extra}
    return {
        "tests": [assessment_value(row, project.scope) for row in rows],
        "unreadable": list(unread),
        "policy": {"cases": project.policy.cases, "stratum": project.policy.stratum,
                   "lowered": [row.key for row in project.policy.lowered]},
        "scope": {key: list(values) for key, values in project.scope.accepted},
        **totals_value(rows),
        "promises": standing(project.promise_findings()),
        **extra,
    }  # fmt: skip


def _notes(project: Project, chosen: Iterable[Contract], unread: Sequence[str]) -> Iterator[str]:
    """What everybody who reads a level has to know beside it."""
    from pv.assess.promises import standing
    from pv.report.status import standing_text

    for path in unread:
        yield f"{path} could not be read and is not counted: pv validate {path}"
    stated = "; ".join(f"{key} {', '.join(values)}" for key, values in project.scope.accepted)
    yield f"scope: {stated}" if stated else "scope: none is stated, evidence of any Python, torch and device counts"
    for row in project.policy.lowered:
        yield str(row)
    away = Counter(kind for contract in chosen for test in contract.tests for kind, _ in test.not_applicable)
    if away:
        yield f"declared not applicable: {', '.join(f'{count:,} {kind}' for kind, count in sorted(away.items()))}"
    findings = project.promise_findings()
    yield from standing_text(standing(findings))
    for finding in findings:
        if finding.code in ("PV605", "PV606") or (finding.code, finding.severity) == ("PV402", Severity.WARNING):
            yield finding.message


def _since(project: Project, chosen: Sequence[Contract] | None, reference: str) -> Since:
    """What became of the levels of the contracts chosen (None: of all) since `reference`."""
    from pv.assess.since import changes
    from pv.cli.past import project_at_reference
    from pv.report.since import Since

    names = None if chosen is None else {contract.name for contract in chosen}
    with project_at_reference(project, reference) as past:
        own = [contract for contract in past.contracts if names is None or contract.name in names]
        found = changes(past.assessments(own), project.assessments(chosen))
    return Since(reference, tuple(_told(project, reference, found)))


def _told(project: Project, reference: str, found: Sequence[Change]) -> Iterator[Told]:
    """Each change with whose edits are behind it; every file is looked up once."""
    from pv.assess.since import edited_file
    from pv.report.since import Told
    from pv.source.git import last_author

    files = {file.contract.name: file.document.path for file in project.contract_files if file.contract is not None}
    author = cache(lambda path: last_author(project.root, reference, path))
    for change in found:
        contract = files.get(change.row.contract, "")
        edited = dict.fromkeys(edited_file(cause, contract) for cause in change.row.stale)
        names = ((path, author(path)) for path in edited if path)
        yield Told(change, tuple((path, name) for path, name in names if name))
