"""What changed between two states of contracts, as text and as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pv.finding import Exit, Place
from pv.report.plain import finding_value, findings_text, plural
from pv.semver.change import Change, Witness
from pv.semver.diff import Diff, Moved
from pv.semver.polarity import Step

_SHOWN = 60
_SIGNS = {Exit.OK: "ok", Exit.MEND: "error", Exit.RUN: "unmeasured"}


def diffs_text(diffs: Sequence[Diff]) -> str:
    """Each contract with its verdict and its changes, the gravest first, then what was compared."""
    lines = []
    for diff in diffs:
        lines.append(f"{diff.place}: {_SIGNS[diff.moved.exit]} {diff.name}: {verdict_text(diff)}")
        if diff.findings:
            lines.append(findings_text(diff.findings))
        for change in sorted(diff.changes, key=lambda change: -change.step):
            lines += _change_lines(change)
    return "\n".join([*lines, summary(diffs)])


def verdict_text(diff: Diff) -> str:
    """`1.4.0 → 1.4.0, the changes require 2.0.0 (major)`, and what is particular about it."""
    note = f"; {diff.note}" if diff.note else ""
    versions = f"{diff.old_version} → {diff.new_version}"
    if diff.moved is Moved.GONE:
        return f"{diff.old_version} is gone{note}"
    if diff.moved is Moved.UNREADABLE or diff.required is None:
        return diff.note
    if diff.moved is Moved.BACKWARDS:
        return f"{versions} is a step back, {diff.required} is required ({diff.step.word}){note}"
    if diff.step is Step.NONE:
        return f"{versions}, nothing changed{note}"
    enough = "as" if diff.moved is Moved.ENOUGH else "but"
    return f"{versions}, {enough} the changes require {diff.required} ({diff.step.word}){note}"


def summary(diffs: Sequence[Diff]) -> str:
    """`1 contract compared (9 equations, 30 invariants, 39 tests); 2 changes: 1 major, 1 minor; 1 to mend`."""
    counts = counted(diffs)
    parts = ", ".join(plural(counts[noun], noun[:-1]) for noun in ("equations", "invariants", "tests"))
    steps = Counter(change.step for diff in diffs for change in diff.changes)
    told = ", ".join(f"{steps[step]} {step.word}" for step in sorted(steps, reverse=True))
    changes = plural(steps.total(), "change") + (f": {told}" if told else "")
    exits = Counter(diff.moved.exit for diff in diffs)
    return (
        f"{plural(counts['contracts'], 'contract')} compared ({parts}); {changes}; {exits[Exit.MEND]} to mend"
        + (f", {exits[Exit.RUN]} not compared" if exits[Exit.RUN] else "")
    )  # fmt: skip


def counted(diffs: Sequence[Diff]) -> dict[str, int]:
    """What was compared: the denominator of the verdict."""
    contracts = [diff.contract for diff in diffs if diff.contract is not None and diff.old_version]
    return {
        "contracts": len(contracts),
        "equations": sum(len(contract.equations) for contract in contracts),
        "invariants": sum(1 for contract in contracts for _ in contract.invariants()),
        "tests": sum(len(contract.tests) for contract in contracts),
    }


def diffs_value(diffs: Sequence[Diff]) -> dict[str, Any]:
    """The same as JSON."""
    return {"contracts": [_diff_value(diff) for diff in diffs], "compared": counted(diffs)}


def witness_text(witness: Witness) -> str:
    """`the new admits expected 0.0, residual 5e-06`."""
    values = ", ".join(f"{name} {value}" for name, value in witness.values)
    return f"only the {witness.side} admits {values}"


def _change_lines(change: Change) -> list[str]:
    texts = _around_the_difference(change.old_text, change.new_text)
    arrow = " → ".join(texts) if all(texts) else "".join(texts)
    sure = "" if change.certain or change.step is Step.MAJOR else "at least "
    why = change.why if change.witness is None else f"{change.why}; {witness_text(change.witness)}"
    return [
        f"  {sure}{change.step.word}: {change.what} {change.move.value}{f': {arrow}' if arrow else ''}",
        f"      {why}",
        f"      {change.old_place} → {change.new_place}",
    ]


def _around_the_difference(old: str, new: str) -> list[str]:
    """Both texts on one line each, cut to where they begin to differ."""
    lines = [" ".join(text.split()) for text in (old, new)]
    same = next((i for i, (a, b) in enumerate(zip(*lines, strict=False)) if a != b), 0)
    start = 0 if max(map(len, lines)) <= _SHOWN else max(0, same - _SHOWN // 4)
    return [_cut(line, start) for line in lines]


def _cut(line: str, start: int) -> str:
    """At most `_SHOWN` characters of the line, from `start` on."""
    kept = line[start : start + _SHOWN]
    return f"{'…' if start else ''}{kept}{'…' if start + _SHOWN < len(line) else ''}"


def _diff_value(diff: Diff) -> dict[str, Any]:
    return {
        "contract": diff.name,
        "path": diff.place.path,
        "verdict": diff.moved.value,
        "step": diff.step.word,
        "old_version": diff.old_version or None,
        "new_version": diff.new_version or None,
        "required": diff.required,
        "note": diff.note,
        "changes": [_change_value(change) for change in diff.changes],
        "findings": [finding_value(finding) for finding in diff.findings],
    }


def _change_value(change: Change) -> dict[str, Any]:
    return {
        "what": change.what,
        "role": change.role.name.lower(),
        "move": change.move.value,
        "step": change.step.word,
        "certain": change.certain,
        "why": change.why,
        "old": _side(change.old_place, change.old_text),
        "new": _side(change.new_place, change.new_text),
        "witness": None if change.witness is None else _witness_value(change.witness),
    }


def _witness_value(witness: Witness) -> dict[str, Any]:
    """An infinite size is text: JSON has no number for it."""
    values = {name: str(value) if value in (math.inf, -math.inf) else value for name, value in witness.values}
    return {"admitted_by": witness.side, "values": values}


def _side(place: Place, text: str) -> dict[str, Any]:
    return {"path": place.path, "line": place.line, "column": place.column, "text": text or None}
