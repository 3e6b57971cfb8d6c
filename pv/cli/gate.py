"""`pv gate`: one verdict over contracts, evidence, promises and claims."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.cli.policy import Named, check_policy, threshold
from pv.finding import Exit, Finding, Place, PvError, Severity, worst
from pv.level import Level, read_level

if TYPE_CHECKING:
    from pv.assess.levels import Assessment
    from pv.cli.reproduce import Reproduction
    from pv.project import Project
    from pv.validate.cache import Cache


@click.command()
@click.option("--falsify", "rerun", type=click.Choice(["stale"]), help="First run what no fresh evidence shows.")
@click.option(
    "--min-level", default="PARTIAL", show_default=True, metavar="LEVEL", help="What every test must have reached."
)
@click.option("--against", metavar="REF", help="A git reference: nothing its ledger had may be gone.")
@click.option(
    "--reproduce",
    is_flag=True,
    help="Run again what the receipts record that were added since --against (without it: all that count).",
)
@click.option(
    "--policy",
    "named",
    multiple=True,
    type=threshold,
    metavar="KEY=N",
    help="A threshold of [tool.pv.policy] that is known to be below the built-in one.",
)
@FORMAT
def gate(
    rerun: str | None, min_level: str, against: str | None, reproduce: bool, named: tuple[Named, ...], form: str
) -> Exit:
    """Is what is promised supported, today, by something that ran?

    Contracts must be valid, the ledger untouched, every promise supported by fresh evidence, every test at least at the
    level asked for on its default subject and not falsified on any other, every claim true. Exits 1 when something must be
    mended, 3 when something must be run. Whoever writes a receipt by hand is believed, unless --reproduce runs it again.

    \b
      pv gate                                                      reads only
      pv gate --falsify stale --against origin/main --reproduce    as CI runs it
    """
    from pv.project import open_project

    least = read_level(min_level)
    if least is None:
        raise PvError(f"there is no level {min_level!r}", hint="PARTIAL, FUNCTIONAL or DISCHARGED")
    if rerun:
        _falsify_stale(form)
    project = open_project()
    sections = examine(project, least, against)
    sections["policy"] = check_policy(project, named)
    again = None
    if reproduce:
        from pv.cli.reproduce import reproduce as run_again

        again = run_again(project, against)
        sections["reproduced"] = list(again.findings)
    _print(project, sections, again, form)
    return worst(finding.severity.exit for findings in sections.values() for finding in findings)


def _falsify_stale(form: str) -> None:
    """Its lines are not part of the JSON; what it found is, for the gate reads the receipts it leaves."""
    from pv.cli.group import pv
    from pv.project import open_project

    with contextlib.redirect_stdout(sys.stderr if form == "json" else sys.stdout):
        for subject in ("", *relied_on(open_project())):
            chosen = ["--subject", subject] if subject else []
            pv.main(args=["falsify", "--stale", *chosen], prog_name="pv", standalone_mode=False)


def relied_on(project: Project) -> list[str]:
    """Names of the subjects, other than default ones, that a promise of the ledger is about."""
    from pv.assess.promises import strongest

    others = {(row.contract, row.equation, row.name) for row in project.bindings if row.role == "subject"}
    for contract in project.contracts:
        defaults = (project.subject(contract, test) for test in contract.tests)
        others -= {(row.contract, row.equation, row.name) for row in defaults if row is not None}
    promised = {(contract, equation, subject) for contract, _, equation, subject in strongest(project.promotions)}
    return sorted({name for _, _, name in others & promised})


def examine(project: Project, least: Level, against: str | None) -> dict[str, list[Finding]]:
    """What is wrong, by what was asked."""
    from pv.assess.promises import unsupported
    from pv.cli.claims import check_project_claims
    from pv.cli.ledger_verify import check_ledger
    from pv.project import CONTRACTS

    folder = project.root / CONTRACTS
    if not folder.is_dir():
        raise PvError(f"there is no {CONTRACTS}/ in {project.root}", exit=Exit.RUN, hint="write a contract")
    rows = project.assessments()
    told = unsupported(project.promotions, rows)
    claims = check_project_claims(project)[1]
    return {
        "contracts": judge(project, folder),
        "ledger": check_ledger(project, against),
        "promises": list(project.promise_findings()),
        "levels": [_below(project, row, least) for key, row in rows.items() if _falls(row, least) and key not in told],
        "claims": [finding for finding in claims if finding.code != "PV500"],
        "tests": [] if rows else [_nothing(CONTRACTS)],
    }


def judge(project: Project, path: Path) -> list[Finding]:
    """What `pv validate` finds at `path`, with the project's settings; a folder without a contract has its own finding here."""
    from pv.rules import Codes
    from pv.rules.config import Selection
    from pv.validate.judge import Projects
    from pv.validate.run import run
    from pv.validate.settle import settle

    cache = _known(project, path)
    outcome = run([path], project.shown, cache, Projects({project.root: project}), whole=True)
    settled = settle(outcome, Codes(), Selection(), project.root.joinpath)
    if settled.hidden:
        click.echo("not shown: " + ", ".join(f"{count} {why}" for why, count in settled.hidden), err=True)
    return [finding for finding in settled.findings if finding.code != "PV100"]


def _known(project: Project, path: Path) -> Cache | None:
    """What judging `path` came to before, as `pv validate` keeps it; of a few files nothing is kept."""
    from pv.digest import digest
    from pv.validate.cache import FORMAT, cache_folder, open_cache, this_pv
    from pv.validate.items import FEW, list_items

    folder = cache_folder()
    if folder is None or len(list_items(path, project.shown)) < FEW:
        return None
    return open_cache(folder / f"{digest([FORMAT, this_pv(), 'gate', str(path)])[:40]}.json")


def _falls(row: Assessment, least: Level) -> bool:
    """Whether the gate is shut by `row`: a default subject below `least`, any other that was shown to be wrong.

    Beyond that, the others count as far as somebody relies on them: by promises.
    """
    return row.level < least if row.default else row.level is Level.FALSIFIED


def _below(project: Project, row: Assessment, least: Level) -> Finding:
    """PV404: a test below the level that the gate asks for."""
    from pv.assess.promises import mend
    from pv.report.status import freshness

    place = next(test.place for test in project.contract(row.contract).tests if test.id == row.test)
    why = freshness(row, project.scope) if row.stale or row.receipt is None else "; ".join(row.lacking)
    return Finding(
        "PV404",
        row.severity,
        place,
        f"{row.test} ({row.subject}) is at {row.level.short}, not {least.short}: {why}",
        mend(row),
    )


def _nothing(folder: str) -> Finding:
    return Finding(
        "PV405",
        Severity.UNMEASURED,
        Place(folder),
        "holds no falsification test: nothing was measured",
        f"write {folder}/NAME-v1.yaml, then pv scaffold NAME-v1",
    )


def _print(project: Project, sections: dict[str, list[Finding]], again: Reproduction | None, form: str) -> None:
    from pv.assess.promises import standing
    from pv.report.plain import finding_value, findings_text, json_text, tally
    from pv.report.status import standing_text, totals, totals_value

    rows = list(project.assessments().values())
    every = [finding for findings in sections.values() for finding in findings]
    counts = standing(sections["promises"])
    if form == "json":
        found = {name: [finding_value(finding) for finding in findings] for name, findings in sections.items()}
        more = {} if again is None else {"reproduction": again.counts}
        click.echo(json_text({"findings": found, **totals_value(rows), "promises": counts, **more}))
        return
    if every:
        click.echo(findings_text(every))
    for line in (*totals(rows), *standing_text(counts), *([] if again is None else [again.text])):
        click.echo(line)
    click.echo(f"gate: {tally(every)}")
