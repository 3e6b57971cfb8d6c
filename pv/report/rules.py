"""The catalogue of codes: one of them in full, or all of them in a table made from their texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pv.report.plain import plural
from pv.rules import Rule


def rule_text(rule: Rule) -> str:
    """What `pv rule CODE` prints."""
    return f"{rule.code}  {rule.severity.value}\n\n{rule.text}"


def table_text(rules: Sequence[Rule]) -> str:
    """A line a code: code, severity, first line of its text; and how many there are."""
    rows = [f"{rule.code}  {rule.severity.value:10}  {rule.summary}" for rule in rules]
    return "\n".join([*rows, f"{plural(len(rules), 'code')}; pv rule CODE tells more"])


def rule_value(rule: Rule) -> dict[str, Any]:
    """A rule as JSON."""
    return {"code": rule.code, "severity": rule.severity.value, "summary": rule.summary, "text": rule.text}
