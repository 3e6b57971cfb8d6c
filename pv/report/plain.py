"""Findings and counts as lines of text, and anything as JSON; without rich, so that `pv validate` starts fast."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pv.finding import Finding, Severity


def findings_text(findings: Iterable[Finding]) -> str:
    """One line a finding, `path:line:column: severity CODE message`, and what to do below it."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.place}: {finding.severity.value} {finding.code} {finding.message}")
        if finding.hint:
            lines.append(f"    {finding.hint}")
    return "\n".join(lines)


def finding_value(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "path": finding.place.path,
        "line": finding.place.line,
        "column": finding.place.column,
        "message": finding.message,
        "hint": finding.hint,
    }


def json_text(value: Mapping[str, Any]) -> str:
    """JSON for programs: indented, sorted by nothing, in the order given."""
    return json.dumps(value, indent=1, ensure_ascii=False)


def tally(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`, each severity that occurs, errors and warnings always."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    shown = [Severity.ERROR, Severity.WARNING]
    shown += [severity for severity in (Severity.UNMEASURED, Severity.NOTE) if counts[severity]]
    return ", ".join(plural(counts[severity], severity.value) for severity in shown)


def plural(count: int, noun: str) -> str:
    """`1 test`, `2 tests`, `1,204 values`."""
    word = {"unmeasured": "unmeasured", "entry": "entries"}.get(noun, f"{noun}s")
    return f"{count:,} {noun if count == 1 else word}"
