"""`pv falsify`: run falsification tests and keep what they showed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.falsify.work import Work
from pv.finding import Exit, Finding, PvError, Severity, worst
from pv.level import Level
from pv.verdict import Verdict

if TYPE_CHECKING:
    from pv.contract.model import Contract, FalsificationTest
    from pv.falsify.campaign import Finished
    from pv.project import Project


@click.command()
@click.argument("contracts", nargs=-1)
@click.option(
    "--id", "ids", multiple=True, metavar="ID", help="Only this test; an ending (FALSIFY-009) selects every id with it."
)
@click.option("--stale", is_flag=True, help="Only what is not shown by fresh evidence.")
@click.option(
    "--examples",
    default=200,
    show_default=True,
    type=click.IntRange(1, 10**7),
    help="Cases per test, over all its strata.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Another seed draws other cases.")
@FORMAT
def falsify(contracts: tuple[str, ...], ids: tuple[str, ...], stale: bool, examples: int, seed: int, form: str) -> Exit:
    """Attack the implementation on behalf of each falsification test; keep a receipt of every run.

    CONTRACTS are names or files; without any, all of the project. A test holds only when no case broke it, every declared
    stratum was visited, and its falsifier caught the faults of the clauses it is bound to.

    \b
      pv falsify                         everything
      pv falsify --stale                 what changed since it was last shown
      pv falsify --id FALSIFY-MG-009     one test

    Receipts go to .pv/ (not for git); `pv ledger promote` copies what is relied on into ledger/.
    """
    from pv.project import open_project

    project = open_project()
    selected = project.select(ids, contracts)
    findings = [*unreadable(project), *unbound(project, selected)]
    if not selected and not findings:
        raise PvError("there is no falsification test to run", exit=Exit.RUN, hint="write one in contracts/")
    asked = set(ids) - {test.id for _, test in selected}
    if asked and form == "text":
        click.echo(f"{', '.join(sorted(asked))}: {', '.join(test.id for _, test in selected)}")
    chosen = [Work(contract, test, row) for contract, test in selected if (row := project.subject(contract, test))]
    works = [work for work in chosen if is_open(project, work)] if stale else chosen
    finished: list[Finished] = []
    try:
        attack(project, works, examples, seed, finished, form)
    finally:  # also what was done before Ctrl-C is reported
        close(project, finished, len(chosen) - len(works), len(works), findings, form)
    return worst([*(row.outcome.verdict.exit for row in finished), *(finding.severity.exit for finding in findings)])


def is_open(project: Project, work: Work) -> bool:
    """Whether fresh evidence does not already show that the test holds."""
    return project.assess(work.contract, work.test).level < Level.PARTIAL_ALGORITHM_LEVEL


def unreadable(project: Project) -> list[Finding]:
    """Contracts of the project that could not be read: their tests cannot be run, and that is no pass."""
    return [finding for file in project.contract_files for finding in file.findings]


def unbound(project: Project, selected: Sequence[tuple[Contract, FalsificationTest]]) -> list[Finding]:
    """PV304: tests whose equation has no subject to attack."""
    from pv.project import BINDING

    hint = f"bind the equation to its function in {BINDING}"
    return [
        Finding("PV304", Severity.ERROR, test.place, f"{test.id}: {test.equation} has no (default) subject", hint)
        for contract, test in selected
        if project.subject(contract, test) is None
    ]


def attack(
    project: Project, works: Sequence[Work], examples: int, seed: int, finished: list[Finished], form: str
) -> None:
    """Run `works`, keep each receipt at once, and append to `finished` (also what was done before an interruption)."""
    if not works:
        return
    require_libraries("torch", "hypothesis")
    from pv.falsify.campaign import run_campaign
    from pv.falsify.trial import Plan
    from pv.report.trials import trial_line

    with progress(len(works), "falsifying") as show:
        campaign = run_campaign(
            works,
            root=project.root,
            sources=project.sources,
            today=project.today,
            plan=Plan(examples, seed),
            started=lambda work: show(work.test.id, 0),
        )
        for row in campaign:
            try:
                project.keep(row.receipt)
            finally:  # a shelf that cannot be written must not cost the verdict
                finished.append(row)
                show(row.work.test.id, 1)
                if form == "text":
                    click.echo(trial_line(row.receipt, row.work.test))


def require_libraries(*names: str) -> None:
    """Raise PvError for the first of `names` that is not installed: what needs it cannot be measured here."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            hint = "pip install 'pv-contracts[torch]'"
            raise PvError(f"falsifying needs {name}, which is not installed here", exit=Exit.RUN, hint=hint)


def close(
    project: Project, finished: Sequence[Finished], fresh: int, selected: int, findings: Sequence[Finding], form: str
) -> None:
    """What was broken, in full, and the counts of everything selected."""
    from pv.report.plain import finding_value, findings_text, json_text
    from pv.report.trials import campaign_summary, failure_text

    rows = [row.receipt for row in finished]
    if form == "json":
        value = {
            "fresh": fresh,
            "selected": selected,
            "receipts": rows,
            "findings": [finding_value(f) for f in findings],
        }
        click.echo(json_text(value))
        return
    for row in finished:
        if row.outcome.verdict is not Verdict.HELD:
            click.echo(
                "\n"
                + failure_text(row.receipt, row.work.contract, row.work.test, project.subject_place(row.work.binding))
            )
    if findings:
        click.echo("\n" + findings_text(findings))
    click.echo(campaign_summary(rows, fresh, selected))


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[str, int], None]]:
    """A bar on standard error when that is a terminal, and nothing otherwise; call with (what is under way, steps done)."""
    if not sys.stderr.isatty():
        yield lambda now, done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda now, done: bar.update(task, description=now, advance=done)
