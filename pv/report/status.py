"""Levels as a table, and one test in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pv.assess.levels import Assessment
from pv.assess.policy import ANYWHERE, Scope
from pv.assess.promises import is_excused, mend
from pv.level import Level
from pv.report.plain import plural
from pv.verdict import Verdict

MEASURED = (Verdict.HELD, Verdict.FALSIFIED, Verdict.VACUOUS)


def print_status(rows: Sequence[Assessment], scope: Scope = ANYWHERE) -> None:
    """The table of `pv status`, and below it the totals."""
    from pv.report.grid import print_grid

    shared = _shared_ids(rows)
    print_grid(
        ("test", "subject", "level", "freshness", "last verdict", "cases", "checks", "slack"),
        [
            (
                f"{row.test} ({row.contract})" if row.test in shared else row.test,
                f"{row.equation}, {row.subject}",
                row.level.short,
                freshness(row, scope),
                *_counts(row),
            )
            for row in rows
        ],
    )
    for line in totals(rows):
        print(line)


def _shared_ids(rows: Iterable[Assessment]) -> set[str]:
    """Ids of which several contracts have a test."""
    homes: dict[str, set[str]] = {}
    for row in rows:
        homes.setdefault(row.test, set()).add(row.contract)
    return {test for test, contracts in homes.items() if len(contracts) > 1}


def totals(rows: Sequence[Assessment]) -> list[str]:
    """The level vector of each contract, of each of its subjects where there are several, and the counts of both."""
    lines = []
    subjects = subject_vectors(rows)
    for contract, vector in vectors(rows).items():
        lines.append(f"{contract}: {vector}")
        own = subjects.get(contract, {})
        lines += [f"  {name}: {other}" for name, other in own.items()] if len(own) > 1 else []
    others = _counts_of(row for row in rows if not row.default)
    lines.append(counts_text(summary_counts(rows)))
    return [*lines, f"{others['selected']:,} more on other subjects: {_named(others)}"] if others["selected"] else lines


def totals_value(rows: Sequence[Assessment]) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "vectors": vectors(rows),
        "subjects": subject_vectors(rows),
        "counts": dict(summary_counts(rows)),
        "others": dict(_counts_of(row for row in rows if not row.default)),
    }


def standing_text(counts: Mapping[str, int]) -> list[str]:
    """What there is to know of promises beside levels: how many are broken, waived and so on; nothing where there is none."""
    shown = [f"{count:,} {name}" for name, count in counts.items() if count]
    return [f"promises: {', '.join(shown)}"] if shown else []


def freshness(row: Assessment, scope: Scope = ANYWHERE) -> str:
    """`fresh`, `never run`, every cause with what the evidence once supported, or why the test does not apply.

    Fresh evidence that speaks for something else than the project's `scope` is shown as such.
    """
    if row.not_applicable:
        return row.not_applicable
    if row.receipt is None:
        return "never run"
    if not row.stale:
        outside = scope.outside(row.receipt)
        return f"fresh, outside the scope: {outside}" if outside else "fresh"
    was = f" (was {row.was.short})" if row.was > row.level else ""
    more = f" and {len(row.stale) - 3} more" if len(row.stale) > 3 else ""
    kept = "fresh; above it " if is_fresh(row) else ""
    return f"{kept}stale{was}: {'; '.join(str(cause) for cause in row.stale[:3])}{more}"


def is_fresh(row: Assessment) -> bool:
    """Whether what decides its level is fresh; what once showed a higher one may be stale all the same."""
    return row.receipt is not None and (not row.stale or row.level not in (Level.NO_EVIDENCE, Level.NO_CHECK))


def vectors(rows: Iterable[Assessment]) -> dict[str, str]:
    """`PARTIAL 30 · NO EVIDENCE 1` for each contract, highest first; never an average. Default subjects alone decide it."""
    levels: dict[str, list[Level]] = {}
    for row in rows:
        if row.default:
            levels.setdefault(row.contract, []).append(row.level)
    return {contract: _vector(found) for contract, found in levels.items()}


def subject_vectors(rows: Iterable[Assessment]) -> dict[str, dict[str, str]]:
    """For each contract the vector of each of its subjects, by name; an equation without a subject is in none."""
    levels: dict[str, dict[str, list[Level]]] = {}
    for row in rows:
        if row.subject:
            levels.setdefault(row.contract, {}).setdefault(row.subject, []).append(row.level)
    return {contract: {name: _vector(found) for name, found in own.items()} for contract, own in levels.items()}


def _vector(levels: Sequence[Level]) -> str:
    count = Counter(levels)
    return " · ".join(f"{level.short} {count[level]}" for level in sorted(count, reverse=True))


def assessment_value(row: Assessment, scope: Scope = ANYWHERE) -> dict[str, Any]:
    """An assessment as JSON."""
    receipt = row.receipt
    return {
        "contract": row.contract,
        "test": row.test,
        "equation": row.equation,
        "subject": row.subject,
        "default": row.default,
        "level": row.level.name,
        "not_applicable": row.not_applicable or None,
        "fresh": is_fresh(row),
        "stale": [{"cause": cause.cause, "what": cause.what, "how": cause.how} for cause in row.stale],
        "outside": (scope.outside(receipt) if receipt else "") or None,
        "was": row.was.name,
        "verdict": receipt.verdict.value if receipt else None,
        "reason": receipt.reason if receipt else None,
        "cases": receipt.cases if receipt else 0,
        "checks": receipt.checks if receipt else 0,
        "slack": _finite(receipt.slack) if receipt else None,
        "receipt": receipt.name if receipt else None,
        "receipts": [own.name for own in row.receipts],
        "kinds": [kind.value for kind in row.shown],
        "lacking": list(row.lacking),
        "next": None if row.level >= Level.PARTIAL_ALGORITHM_LEVEL or is_excused(row) else mend(row),
    }


def _counts(row: Assessment) -> tuple[str, str, str, str]:
    receipt = row.receipt
    if receipt is None:
        return "", "", "", ""
    slack = _finite(receipt.slack)
    exhausted = " (all)" if receipt.exhausted else ""
    return (
        receipt.verdict.label,
        f"{receipt.cases:,}{exhausted}",
        f"{receipt.checks:,}",
        "" if slack is None else f"{slack:.3g}",
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or value == float("inf") else value


def summary_counts(rows: Iterable[Assessment]) -> Mapping[str, int]:
    """Selected, measured, held, stale, toothless, not applicable: the denominators of a gate, of default subjects."""
    return _counts_of(row for row in rows if row.default)


def _counts_of(chosen: Iterable[Assessment]) -> Mapping[str, int]:
    rows = list(chosen)
    fresh = [row for row in rows if is_fresh(row)]
    return {
        "selected": len(rows),
        "measured": sum(1 for row in fresh if row.verdict in MEASURED),
        "held": sum(1 for row in fresh if row.verdict is Verdict.HELD),
        "stale": sum(1 for row in rows if row.stale),
        "toothless": sum(1 for row in fresh if row.verdict is Verdict.VACUOUS),
        "not_applicable": sum(1 for row in rows if row.not_applicable),
    }


def counts_text(counts: Mapping[str, int]) -> str:
    """`31 tests selected: 31 measured, 31 held, 0 stale, 0 toothless`."""
    return f"{plural(counts['selected'], 'test')} selected: {_named(counts)}"


def _named(counts: Mapping[str, int]) -> str:
    """Each count but that of all; what does not apply only where there is something."""
    shown = {
        name: count for name, count in counts.items() if name != "selected" and (count or name != "not_applicable")
    }
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in shown.items())
