"""`pv validate`: contracts against the schema and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit, Finding, Place, Severity, worst

if TYPE_CHECKING:
    from pv.project import Project, Walked


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@FORMAT
def validate(paths: tuple[Path, ...], form: str) -> Exit:
    """Check contracts: well-formed, closed, resolved, and not claiming what no run supports.

    PATHS are files or folders; without any, the contracts of the project. A file named here is judged as a contract whatever it
    holds; in a folder, YAML files that say they are something else are skipped, by name. Nothing that a contract
    names is imported or run.

    \b
      pv validate contracts
      pv validate contracts/microgpt-v1.yaml --format json
    """
    from pv.cli.judge import judge, judge_whole
    from pv.project import CONTRACTS, open_project, walk

    operands = paths or (open_project().root / CONTRACTS,)
    walked = [walk(operand) for operand in operands]
    every = merge(walked)
    projects: dict[Path, Project] = {}
    findings = judge(every, projects)
    if every.bindings or not paths:
        findings += [finding for project in projects.values() for finding in judge_whole(project)]
    findings += [nothing_in(operand) for operand, found in zip(operands, walked, strict=True) if not found.contracts]
    print_findings(every, findings, form)
    return worst(finding.severity.exit for finding in findings)


def nothing_in(operand: Path) -> Finding:
    """An operand without a contract was not measured; that is no pass."""
    hint = "name a contract file, or a folder that holds one; a contract says `schema: pv/contract-v1`"
    return Finding(
        "PV100", Severity.UNMEASURED, Place(operand.as_posix()), "holds no contract: nothing was checked", hint
    )


def merge(walked: Iterable[Walked]) -> Walked:
    """Several operands as one, each file once."""
    from pv.project import Walked

    found = list(walked)
    return Walked(
        tuple({file.document.path: file for one in found for file in one.contracts}.values()),
        tuple({file.document.path: file for one in found for file in one.bindings}.values()),
        tuple(dict.fromkeys(path for one in found for path in one.skipped)),
    )


def print_findings(walked: Walked, findings: Sequence[Finding], form: str) -> None:
    """Findings and what was looked at, in the form asked for."""
    from pv.report.plain import finding_value, findings_text, json_text

    counts = counted(walked)
    if form == "json":
        rows = [finding_value(finding) for finding in findings]
        click.echo(json_text({"findings": rows, "checked": counts, "skipped": list(walked.skipped)}))
        return
    if findings:
        click.echo(findings_text(findings))
    for path in walked.skipped:
        click.echo(f"{path}: skipped, it does not say that it is a contract")
    click.echo(summary(counts, findings))


def counted(walked: Walked) -> dict[str, int]:
    """What was looked at: the denominator of the verdict."""
    from pv.rules import catalogue

    contracts = [file.contract for file in walked.contracts if file.contract is not None]
    return {
        "files": len(walked.contracts) + len(walked.bindings),
        "contracts": len(contracts),
        "invariants": sum(1 for contract in contracts for _ in contract.invariants()),
        "tests": sum(len(contract.tests) for contract in contracts),
        "rules": len(catalogue()),
    }


def summary(counts: dict[str, int], findings: Sequence[Finding]) -> str:
    """`2 files, 1 contract, 30 invariants, 31 tests, 25 rules; 0 errors, 0 warnings`."""
    from pv.report.plain import plural, tally

    return ", ".join(plural(count, noun[:-1]) for noun, count in counts.items()) + f"; {tally(findings)}"
