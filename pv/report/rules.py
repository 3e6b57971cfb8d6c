"""The catalogue of codes: one of them in full, or all of them in a table made from their texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pv.report.grid import folded, room
from pv.report.plain import plural
from pv.rules import Rule


def rule_text(rule: Rule) -> str:
    """What `pv rule CODE` prints: its examples as they are, its sentences as the terminal has room for them."""
    return "\n\n".join([f"{rule.code}  {rule.severity.value}", *map(_paragraph, rule.text.split("\n\n"))])


def _paragraph(text: str) -> str:
    longest = max(map(len, text.split("\n")))
    return text if longest <= room(longest) or text.startswith(" ") else folded(text.replace("\n", " "))


def table_text(rules: Sequence[Rule]) -> str:
    """A line a code: code, severity, first line of its text; and how many there are."""
    rows = [folded(f"{rule.code:7}{rule.severity.value:12}{rule.summary}", 19) for rule in rules]
    return "\n".join([*rows, f"{plural(len(rules), 'code')}; pv rule CODE tells more"])


def rule_value(rule: Rule) -> dict[str, Any]:
    """A rule as JSON."""
    return {"code": rule.code, "severity": rule.severity.value, "summary": rule.summary, "text": rule.text}
