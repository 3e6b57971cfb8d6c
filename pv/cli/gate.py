"""`pv gate`: one verdict over contracts, evidence, promises and claims."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pv.cli.policy import Named, check_policy, threshold
from pv.finding import Exit, Finding, Place, PvError, Severity, worst
from pv.level import Level, read_level

if TYPE_CHECKING:
    from pv.assess.levels import Assessment
    from pv.cli.reproduce import Reproduction
    from pv.project import Project
    from pv.report.gate import Gate
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
@click.option(
    "--hook",
    is_flag=True,
    help="As pre-commit runs it: what is only to be run is reported and passes at a commit; at a push it fails.",
)
@click.option(
    "--sarif",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the findings there too, for code scanning.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "markdown"]),
    default="text",
    show_default=True,
    help="For people, for programs, as annotations and job summary of GitHub, as a comment.",
)
def gate(
    rerun: str | None,
    min_level: str,
    against: str | None,
    reproduce: bool,
    named: tuple[Named, ...],
    hook: bool,
    sarif: Path | None,
    form: str,
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
    from pv.report.gate import gate_text
    from pv.validate.remembered import remembered

    least = read_level(min_level)
    if least is None:
        raise PvError(f"there is no level {min_level!r}", hint="PARTIAL, FUNCTIONAL or DISCHARGED")
    if rerun:
        _falsify_stale(form)
    project = open_project()
    with remembered(project.root) as project.memory:
        sections = examine(project, least, against)
    sections["policy"] = check_policy(project, named)
    again = None
    if reproduce:
        from pv.cli.reproduce import reproduce as run_again

        again = run_again(project, against)
        sections["reproduced"] = list(again.findings)
    answer = _answer(project, sections, again, _is_commit(hook))
    click.echo(gate_text(answer, form))
    _keep(answer, sarif, form)
    found = {finding.severity for finding in answer.findings}
    return worst(severity.exit for severity in found - ({Severity.UNMEASURED} if answer.lenient else set()))


def _falsify_stale(form: str) -> None:
    """Its lines are not part of what a program reads; what it found is, for the gate reads the receipts it leaves."""
    from pv.cli.group import pv
    from pv.project import open_project

    with contextlib.redirect_stdout(sys.stderr if form in ("json", "markdown") else sys.stdout):
        for subject in ("", *relied_on(open_project())):
            chosen = ["--subject", subject] if subject else []
            pv.main(args=["falsify", "--stale", *chosen], prog_name="pv", standalone_mode=False)


def relied_on(project: Project) -> list[str]:
    """Names of the subjects, other than default ones, that a promise of the ledger is about."""
    from pv.assess.ratchet import strongest

    others = {(row.contract, row.equation, row.name) for row in project.bindings if row.role == "subject"}
    for contract in project.contracts:
        defaults = (project.subject(contract, test) for test in contract.tests)
        others -= {(row.contract, row.equation, row.name) for row in defaults if row is not None}
    promised = {(contract, equation, subject) for contract, _, equation, subject in strongest(project.promotions)}
    return sorted({name for _, _, name in others & promised})


def examine(project: Project, least: Level, against: str | None) -> dict[str, list[Finding]]:
    """What `pv gate` finds wrong with `project`, by what was asked; `least` is what every test must have reached.

    >>> import pv
    >>> found = pv.examine(pv.open_project(), pv.Level.PARTIAL_ALGORITHM_LEVEL, against=None)
    >>> list(found)
    ['contracts', 'ledger', 'promises', 'levels', 'claims', 'tests']

    Raises PvError where there are no contracts, or no such git reference as `against`.
    """
    from pv.assess.promises import unsupported
    from pv.cli.ledger_verify import check_ledger
    from pv.project import CONTRACTS
    from pv.workers import Wire, spread, worker_count

    folder = project.root / CONTRACTS
    if not folder.is_dir():
        raise PvError(f"there is no {CONTRACTS}/ in {project.root}", exit=Exit.RUN, hint="write a contract")
    contracts = judge(project, folder)  # first: it may know the falsifiers

    def part(name: str) -> _Part:
        if name == "claims":
            return _claims(project)
        rows = project.assessments()
        told = unsupported(project.promotions, rows)
        below = (_below(project, row, least) for key, row in rows.items() if _falls(row, least) and key not in told)
        ledger = check_ledger(project, against)
        return {"ledger": ledger, "promises": list(project.promise_findings()), "levels": list(below),
                "tests": [] if rows else [_nothing(CONTRACTS)]}, {}  # fmt: skip

    # Documents take about as long as evidence, and neither looks at what the other reads.
    (rest, _), (claims, known) = spread(["rest", "claims"], part, worker_count(2), Wire(_packed, _unpacked))
    for name, told in known.items():
        project.memory.of(name).update(told)
    sections = {"contracts": contracts, **rest, **claims}
    return {name: sections[name] for name in ("contracts", "ledger", "promises", "levels", "claims", "tests")}


_Part = tuple[dict[str, list[Finding]], dict[str, dict[str, Any]]]
"""Findings by what was asked, and what was learnt of texts on the way (see `Memory`)."""


def _claims(project: Project) -> _Part:
    from pv.cli.claims import check_project_claims

    found = [finding for finding in check_project_claims(project)[1] if finding.code != "PV500"]
    return {"claims": found}, project.memory.kept


def _packed(part: _Part) -> list[Any]:
    from pv.validate.judgement import finding_rows

    return [{name: finding_rows(tuple(found), "") for name, found in part[0].items()}, part[1]]


def _unpacked(row: list[Any]) -> _Part:
    from pv.validate.judgement import findings_from

    return {name: list(findings_from(found, "")) for name, found in row[0].items()}, row[1]


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
    from pv.validate.cache import FORMAT, cache_folder_of_gate, open_cache, this_pv
    from pv.validate.items import FEW, list_items

    folder = cache_folder_of_gate()
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


def _answer(project: Project, sections: dict[str, list[Finding]], again: Reproduction | None, lenient: bool) -> Gate:
    from pv.assess.promises import standing
    from pv.report.gate import Gate

    def names_of(findings: Sequence[Finding]) -> list[str]:
        from pv.validate.known import Portable, name_all
        from pv.validate.lines import Lines

        return name_all(findings, Lines(project.root.joinpath), Portable())

    return Gate(
        sections=sections,
        idle=_idle(project),
        rows=list(project.assessments().values()),
        promises=standing(sections["promises"]),
        reproduction=None if again is None else again.counts,
        reproduced="" if again is None else again.text,
        lenient=lenient,
        names_of=names_of,
    )


def _idle(project: Project) -> list[str]:
    """The questions for which this project has nothing to look at."""
    contracts = project.contracts
    there = {
        "contracts": project.contract_files,
        "promises": project.promotions,
        "levels": any(contract.tests for contract in contracts),
        "claims": any(contract.claims or contract.documents for contract in contracts),
    }
    return [name for name, some in there.items() if not some]


def _is_commit(hook: bool) -> bool:
    """Whether pre-commit runs this at a commit: at a push it names the remote, where a range is checked its ends."""
    return hook and not {"PRE_COMMIT_REMOTE_NAME", "PRE_COMMIT_TO_REF"} & os.environ.keys()


def _keep(answer: Gate, sarif: Path | None, form: str) -> None:
    """What is read later: SARIF, and the summary of a job of GitHub Actions, which names the file for it."""
    from pv.report.gate import markdown_lines, sarif_text

    try:
        if sarif is not None:
            sarif.write_text(sarif_text(answer) + "\n", encoding="utf-8")
        summary = os.environ.get("GITHUB_STEP_SUMMARY") if form == "github" else None
        if summary:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write("\n".join(markdown_lines(answer)) + "\n")
    except OSError as error:
        raise PvError(
            f"{error.filename} cannot be written: {error.strerror}",
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error
