"""`pv teeth`: could the falsifiers fail? Edit the subject in every way that may matter, and see which of them notice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pv.cli import complete
from pv.cli.attack import require_libraries
from pv.cli.group import FORMAT, SUBJECT
from pv.finding import Exit, Finding, PvError, Severity, worst

if TYPE_CHECKING:
    from pv.campaign.fate import Verdicts
    from pv.contract.equivalents import Waiver
    from pv.falsify.work import Work
    from pv.project import Project


@click.command()
@click.argument("contracts", nargs=-1, shell_complete=complete.contracts, metavar="[CONTRACT]…")
@click.option(
    "--id",
    "ids",
    shell_complete=complete.ids,
    multiple=True,
    metavar="ID",
    help="Only this test judges; an ending selects as well.",
)
@SUBJECT
@click.option(
    "--mutants",
    type=click.Choice(["some", "all"]),
    default="some",
    show_default=True,
    help="Ask until one falsifier has killed a mutant, or ask all of them.",
)
@click.option("--jobs", type=click.IntRange(1, 1024), metavar="N", help="Processes at a time (default: the cores).")
@click.option(
    "--timeout",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0.1, 86_400),
    metavar="SECONDS",
    help="For one mutant: one that loops is ended then, and counts for nothing.",
)
@FORMAT
def teeth(
    contracts: tuple[str, ...],
    ids: tuple[str, ...],
    subject: str,
    mutants: str,
    jobs: int | None,
    timeout: float,
    form: str,
) -> Exit:
    """Mutate each subject in memory, and see which falsifier's own check kills each mutant, under three seeds.

    What raises, loops or returns another shape is told apart: anybody would see that. A survivor is shown as the edit it is,
    with why it survived: not reached, not asserted, or perhaps equivalent. falsifiers/equivalent.yaml waives those that are.

    \b
      pv teeth                          every subject, until something kills each mutant
      pv teeth --mutants all            every falsifier judges every mutant; tells which two are the same
      pv teeth --id FALSIFY-MG-009      what this one kills by itself
    """
    from pv.campaign.fate import State
    from pv.project import open_project

    project = open_project()
    works = chosen(project, contracts, ids, subject)
    if not works:
        raise PvError(
            "there is no falsification test with a subject to mutate",
            exit=Exit.RUN,
            hint="bind a function of the project in contracts/binding.yaml: commands have no syntax tree",
        )
    waivers, findings = waived(project)
    require_libraries("torch", "hypothesis")
    rows: list[Verdicts] = []
    try:
        for row in judged(project, works, waivers, jobs, timeout, every=mutants == "all"):
            rows.append(row)
            show(row, form)
    finally:  # also what was done before Ctrl-C is reported
        close(rows, findings, form)
    found = [Exit.MEND for row in rows if row.problem or row.unfit or row.lapsed or row.counts[State.SURVIVED]]
    lost = (State.CRASHED, State.TIMEOUT)  # no kills: where there are no others, nothing was shown to bite
    found += [Exit.MEND for row in rows if not row.counts[State.KILLED] and any(row.counts[state] for state in lost)]
    return worst([*found, *(finding.severity.exit for finding in findings), *_nothing(rows)])


def chosen(project: Project, contracts: Sequence[str], ids: Sequence[str], subject: str) -> list[Work]:
    """The tests that judge, each on each subject that is meant."""
    from pv.falsify.work import Work

    return [
        Work(contract, test, binding)
        for contract, test in project.select(ids, contracts)
        for binding in project.subjects(contract, test, subject).applicable
    ]


def waived(project: Project) -> tuple[tuple[Waiver, ...], list[Finding]]:
    """The waivers of the project, and what is wrong with them: those that name nothing there is to mutate."""
    from pv.contract.equivalents import read_waivers
    from pv.root import EQUIVALENT

    waivers, findings = read_waivers(project.root / EQUIVALENT, EQUIVALENT)
    subjects = {(row.contract, row.equation, row.name) for row in project.bindings}
    strays = [
        Finding(
            "PV304",
            Severity.ERROR,
            one.place,
            f"{one.contract}, {one.equation}, {one.subject}: there is no such subject",
        )
        for one in waivers
        if (one.contract, one.equation, one.subject) not in subjects
    ]
    return waivers, [*findings, *strays]


def judged(
    project: Project, works: Sequence[Work], waivers: Sequence[Waiver], jobs: int | None, timeout: float, *, every: bool
) -> Iterator[Verdicts]:
    """The verdicts on each equation and subject of `works`, as they come; what is known of unchanged code is not run again."""
    from pv.campaign.fate import grounds_of
    from pv.campaign.order import Bench, cores
    from pv.campaign.teeth import run_teeth
    from pv.cli.interrupt import interruptible

    bench = Bench(project.root, project.sources, project.today, jobs=jobs or cores(), timeout=timeout)
    with remembered(project.root) as known, interruptible() as check:
        yield from run_teeth(grounds_of(works), bench, waivers, known, every=every, pulse=check)


@contextmanager
def remembered(root: Path) -> Iterator[dict[str, Any]]:
    """What is known of the project at `root`, to be added to: in the user's cache folder, where there is one."""
    from pv.digest import sha256
    from pv.validate.cache import cache_folder, read_trusted, write_trusted

    folder = cache_folder()
    path = folder.with_name("teeth") / f"{sha256(str(root).encode())[:32]}.json" if folder else None
    known = read_trusted(path).get("teeth", {}) if path else {}
    try:
        yield known
    finally:
        if path and known:
            write_trusted(path, {"teeth": known})


def show(row: Verdicts, form: str) -> None:
    """One ground, as soon as it is done."""
    from pv.report.teeth import ground_line, ground_text

    if form == "text":
        click.echo(ground_line(row))
        if text := ground_text(row):
            click.echo(f"\n{text}\n")


def close(rows: Sequence[Verdicts], findings: Sequence[Finding], form: str) -> None:
    """The counts of everything that was judged."""
    from pv.report.plain import finding_value, findings_text, json_text
    from pv.report.teeth import teeth_summary, verdicts_value

    if form == "json":
        value = {
            "subjects": [verdicts_value(row) for row in rows],
            "findings": [finding_value(one) for one in findings],
        }
        click.echo(json_text(value))
        return
    if findings:
        click.echo(findings_text(findings))
    click.echo(teeth_summary(rows))


def _nothing(rows: Sequence[Verdicts]) -> list[Exit]:
    """Not measured, when no mutant was judged at all."""
    return [] if any(row.fates for row in rows) else [Exit.RUN]
