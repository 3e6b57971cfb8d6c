"""The reference of the rules: every code that `pv` can print, from the text that `pv rule CODE` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from pages.text import cell, notice, paragraph
from pv.rules import Rule, catalogue

_CHAPTERS = {
    "PV1": "Reading",
    "PV2": "One contract",
    "PV3": "A contract in its project",
    "PV4": "Levels and promises",
    "PV5": "Claims",
    "PV6": "The ledger",
    "PV7": "Documents",
}
_LEAD = """A finding names its rule by a code. `pv rule CODE` prints what stands here: the defect, why it matters, a line that
fails and one that passes. How to silence or weigh a finding is said by the rules of `# pv: ignore`, [PV190](#pv190) to
[PV192](#pv192). A code is never used again for something else."""
_ENDS = """An *error* is to be mended (exit 1), *unmeasured* asks for a run (exit 3), a *warning* and a *note* fail nothing."""


def rules_page() -> str:
    """The page of all rules, in the order of their codes."""
    parts = [notice("the rules' docstrings"), "# Rules", _LEAD, _ENDS]
    for beginning, group in groupby(catalogue(), key=lambda rule: rule.code[:3]):
        rules = list(group)
        rows = [
            f"| [{rule.code}](#{rule.code.lower()}) | {rule.severity.value} | {cell(rule.summary)} |" for rule in rules
        ]
        parts.append(f"## {_CHAPTERS[beginning]}")
        parts.append("\n".join(["| Code | Severity | Defect |\n|---|---|---|", *rows]))
        parts.extend(_section(rule) for rule in rules)
    return "\n\n".join(parts) + "\n"


def _section(rule: Rule) -> str:
    first, *rest = _blocks(rule)
    return "\n\n".join([f"### {rule.code}", f"*{rule.severity.value}*. {first}", *rest])


def _blocks(rule: Rule) -> Iterator[str]:
    """The text in Markdown: paragraphs, and what is indented as an example."""
    for block in re.split(r"\n\s*\n", rule.text):
        lines = block.split("\n")
        if all(line.startswith("    ") for line in lines):
            yield "\n".join(["```text", *(line[4:].rstrip() for line in lines), "```"])
        else:
            yield paragraph(block)
