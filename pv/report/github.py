"""Findings as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions; the escapes are those of
actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pv.finding import Finding, Severity

_COMMANDS = {
    Severity.ERROR: "error",
    Severity.UNMEASURED: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}


def annotation_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """`::error file=…,line=…,col=…,title=…::message`, one line a finding."""
    for finding in findings:
        place = finding.place
        properties = {"file": place.path, "line": place.line, "col": place.column, "title": finding.code}
        listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
        yield f"::{_COMMANDS[finding.severity]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
