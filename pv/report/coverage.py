"""Coverage as a table: one row for each invariant, what is missing first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pv.assess.coverage import Attack, Cover, coverage_counts, holes_first
from pv.report.plain import plural
from pv.report.status import freshness


def print_coverage(rows: Sequence[Cover], unread: Sequence[str]) -> None:
    """The table of `pv coverage`, and below it how many invariants have each link of the chain."""
    from pv.report.grid import print_grid

    columns = ("invariant", "missing", "tests", "falsifier", "faults", "subject", "level")
    if rows:
        print_grid(columns, [_cells(row) for row in holes_first(rows)], several=True)
    for path in unread:
        print(f"{path} could not be read and is not counted: pv validate {path}")
    print(coverage_text(rows))


def coverage_text(rows: Sequence[Cover]) -> str:
    """`31 invariants: 31 with a test, 30 with a falsifier, …; 2 with something missing`."""
    counts = coverage_counts(rows)
    every = counts.pop("invariants")
    whole = counts.pop("whole")
    links = ", ".join(f"{count:,} with a {name}" for name, count in counts.items())
    return f"{plural(every, 'invariant')}: {links}; {every - whole:,} with something missing"


def coverage_value(rows: Sequence[Cover], unread: Sequence[str]) -> dict[str, Any]:
    """The same as JSON, holes first."""
    return {
        "invariants": [_value(row) for row in holes_first(rows)],
        "counts": coverage_counts(rows),
        "unreadable": list(unread),
    }


def _cells(row: Cover) -> tuple[str, ...]:
    return (
        f"{row.invariant.name}\n{row.invariant.place}",
        "\n".join(row.holes) or "-",
        "\n".join(attack.test.id for attack in row.attacks) or "none",
        "\n".join(entry.function for attack in row.attacks for entry in attack.falsifiers) or "none",
        "\n".join(fault.function for fault in row.faults) or "none",
        _subject(row),
        "\n".join(_level(attack) for attack in row.attacks) or "NO CHECK",
    )


def _level(attack: Attack) -> str:
    row = attack.assessment
    others = (f"{other.subject}: {other.level.short}, {freshness(other)}" for other in attack.others)
    return "\n".join((f"{row.level.short}, {freshness(row)}", *others))


def _subject(row: Cover) -> str:
    if row.subject is None or row.code is None:
        return "none"
    return f"{row.subject.code}\n{row.code.problem}" if row.code.problem else row.subject.code


def _value(row: Cover) -> dict[str, Any]:
    return {
        "contract": row.contract,
        "invariant": row.invariant.name,
        "place": str(row.invariant.place),
        "missing": list(row.holes),
        "tests": [
            {
                "id": attack.test.id,
                "falsifiers": [str(entry.place) for entry in attack.falsifiers],
                "level": attack.assessment.level.name,
                "freshness": freshness(attack.assessment),
                "others": [
                    {"subject": other.subject, "level": other.level.name, "freshness": freshness(other)}
                    for other in attack.others
                ],
            }
            for attack in row.attacks
        ],
        "faults": [str(fault.place) for fault in row.faults],
        "subject": row.subject.code if row.subject else None,
        "subject_problem": row.code.problem if row.code else None,
        "level": row.level.name,
    }
