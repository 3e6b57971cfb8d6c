"""`pv replay`: run exactly the counterexamples that are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from pv.cli import complete
from pv.cli.attack import require_libraries
from pv.cli.group import FORMAT
from pv.cli.pin import Row, kept_rows, named
from pv.finding import Exit, PvError, worst
from pv.verdict import Kind

if TYPE_CHECKING:
    from pv.campaign.replay import Replayed
    from pv.falsify.work import Work
    from pv.project import Project


@click.command()
@click.argument("ids", nargs=-1, shell_complete=complete.ids, required=True, metavar="ID…")
@click.option("--case", "name", metavar="NAME", default="", help="Only the case whose name is, or begins with, NAME.")
@click.option("--subject", metavar="NAME|all", default="", help="Another subject than the default one, or all of them.")
@FORMAT
def replay(ids: tuple[str, ...], name: str, subject: str, form: str) -> Exit:
    """Run the kept counterexamples of a test once more, and nothing else: pinned ones, and those that runs here found.

    Each is FIXED, STILL FAILS, or ERROR. No receipt comes of it: what is fixed has yet to hold on other cases.

    \b
      pv replay FALSIFY-MG-009
      pv replay FALSIFY-MG-009 --case 3f0c
    """
    from pv.project import open_project
    from pv.report.plain import json_text, plural

    project = open_project()
    rows = named(kept_rows(project, ids), name, ", ".join(ids))
    require_libraries("torch", "hypothesis")
    done: list[dict[str, str]] = []
    for work, answer in run_again(project, rows, subject):
        value = {"test": work.test.id, "subject": work.binding.name, "case": answer.name}
        done.append({**value, "outcome": answer.outcome, "detail": answer.detail})
        if form == "text":
            line = f"{work.test.id}  {work.binding.name}  {answer.name}  {answer.outcome.upper():11}  {answer.detail}"
            click.echo(line.rstrip())
    if form == "json":
        click.echo(json_text({"cases": done}))
    else:
        counts = Counter(row["outcome"] for row in done)
        click.echo(f"{plural(len(done), 'case')} run: {', '.join(f'{counts[key]} {key}' for key in sorted(counts))}")
    return worst(Exit.OK if row["outcome"] == "fixed" else Exit.MEND for row in done)


def run_again(project: Project, rows: Sequence[Row], subject: str) -> Iterator[tuple[Work, Replayed]]:
    """The answer to each case of `rows` from each subject, each in a process of its own, as soon as it is there.

    Raises PvError when there is no subject to run a case on.
    """
    from pv.campaign.order import Bench
    from pv.campaign.replay import Replayed
    from pv.campaign.replay import replay as replay_cases

    bench = Bench(project.root, project.sources, project.today)
    for work, mine in list(works(project, rows, subject)):
        for row in mine:
            try:
                arguments = row.kept.read()["arguments"]
                yield from ((work, answer) for answer in replay_cases(work, [(row.kept.name, arguments)], bench))
            except PvError as error:
                yield work, Replayed(row.kept.name, "error", error.message)


def works(project: Project, rows: Sequence[Row], subject: str) -> Iterator[tuple[Work, list[Row]]]:
    """Each test of `rows` on each subject that is asked for, with its cases; against a reference too, if there is one."""
    from pv.assess.kinds import kinds_of
    from pv.falsify.work import Work

    by_test: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_test.setdefault((row.contract.name, row.test.id), []).append(row)
    for mine in by_test.values():
        contract, test = mine[0].contract, mine[0].test
        chosen = project.subjects(contract, test, subject).applicable
        if not chosen:
            hint = f"bind {test.equation} to its function in contracts/binding.yaml, or name one: --subject NAME"
            raise PvError(f"{test.id}: {test.equation} has no such subject to run a case on", exit=Exit.MEND, hint=hint)
        reference = project.reference(contract, test)
        for binding in chosen:
            kind = Kind.ORACLE if Kind.ORACLE in kinds_of(contract, test, binding, reference) else Kind.ALGORITHM
            yield Work(contract, test, binding, kind, reference if kind is Kind.ORACLE else None), mine
