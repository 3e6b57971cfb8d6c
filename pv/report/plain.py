"""Findings and counts as lines of text, and anything as JSON; without rich, so that `pv validate` starts fast."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pv.finding import Finding, Severity

_DEEP = 2  # mappings in mappings that have a line for each key
_row = json.JSONEncoder(ensure_ascii=False).encode


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
    """JSON for programs, in the order given: a line each row of a list, as `grep` likes it.

    Rows are spelt by the encoder in C: with an indent the one in Python does it, in five times the time.
    """
    return _spelt(value, "")


def _spelt(value: object, margin: str) -> str:
    if isinstance(value, Mapping) and value and len(margin) < _DEEP:
        below = (f"{_row(str(key))}: {_spelt(row, margin + ' ')}" for key, row in value.items())
        return _among("{}", below, margin)
    if isinstance(value, (list, tuple)) and any(isinstance(row, (Mapping, list, tuple)) for row in value):
        return _among("[]", map(_row, value), margin)
    return _row(value)


def _among(brackets: str, rows: Iterable[str], margin: str) -> str:
    return f"{brackets[0]}\n{margin} " + f",\n{margin} ".join(rows) + f"\n{margin}{brackets[1]}"


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
