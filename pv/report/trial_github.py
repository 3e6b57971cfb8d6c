"""A campaign as annotations of GitHub Actions, which shows ten errors of a step and drops the others without a word."""

from __future__ import annotations

from collections.abc import Iterator

from pv.finding import Finding, Severity
from pv.report.github import annotation_lines
from pv.report.trial_formats import Result, Summary
from pv.report.trials import failure_finding, not_run_finding, summary_line
from pv.verdict import Verdict

SHOWN = 10
_WORST = (Severity.ERROR, Severity.UNMEASURED, Severity.WARNING, Severity.NOTE)


def campaign_github(summary: Summary) -> str:
    """`--format github`: the worst, how many more there are, and the counts."""
    found = sorted(_findings(summary), key=lambda finding: _WORST.index(finding.severity))
    lines = list(annotation_lines(found[:SHOWN]))
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more, without an annotation: pv falsify --format text shows all")
    return "\n".join([*lines, summary_line(summary)])


def _findings(summary: Summary) -> Iterator[Finding]:
    broken = [row for row in summary.results if row.finished.outcome.verdict is not Verdict.HELD]
    broken.sort(key=lambda row: row.finished.outcome.verdict is not Verdict.FALSIFIED)
    yield from map(_finding, broken)
    yield from (not_run_finding(trial, why) for trial, why in summary.not_run)
    yield from summary.findings


def _finding(result: Result) -> Finding:
    """Beside the code that is wrong, where it is the subject: a pull request shows only lines of files that it changes."""
    finding = failure_finding(result)
    if result.finished.outcome.verdict is not Verdict.FALSIFIED or result.subject is None:
        return finding
    return finding._replace(place=result.subject, message=f"{finding.message} ({finding.place})")
