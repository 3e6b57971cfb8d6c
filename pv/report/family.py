"""A family of models by itself and beside another one, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pv.families.model import Family
from pv.families.sizes import LABELS
from pv.families.words import CLASSES, WORDS, compare, kernel_class, word
from pv.report.grid import heading, print_grid


def print_family(family: Family, *, verbose: bool) -> None:
    """A family by itself: class, numbers with their sources, and, when asked, its constraints."""
    heading(f"{family.display_name}: model family")
    print(f"  {'Kernel class':<16} {class_text(family)}")
    print(f"  {'Classes':<16} {', '.join(family.architectures) or '-'}")
    print(f"  {'Also called':<16} {', '.join(family.aliases) or '-'}")
    print("\nSizes")
    names = [name for name in LABELS if any(name in row.sizes for row in family.variants)]
    rows = [(row.name, *(_number(row.sizes.get(name)) for name in names), row.source) for row in family.variants]
    columns = ("size", *(row[0] for row in rows))
    print_grid(columns, [(LABELS[name], *(row[at + 1] for row in rows)) for at, name in enumerate(names)])
    for name, source in family.sources.items():
        used = [row.name for row in family.variants if row.source == name]
        print(f"  {', '.join(used) or name}: {source}")
    if verbose:
        print_constraints(family)


def print_constraints(family: Family) -> None:
    """What every model of the family is, in words."""
    print("\nConstraints")
    print_grid(
        ("constraint", "value", "meaning"),
        [(name, word(value), WORDS[name][value]) for name, value in _constraints(family)],
    )


def print_comparison(ours: Family, theirs: Family) -> None:
    """Constraint by constraint, what `ours` does more simply than `theirs`."""
    print(f"\n{theirs.display_name} beside {ours.display_name}")
    rows = list(compare(ours, theirs))
    print_grid(
        ("constraint", theirs.display_name, ours.display_name, f"{ours.display_name} is", f"in {ours.display_name}"),
        [
            (row.constraint, word(row.theirs), word(row.ours), row.relation.value, WORDS[row.constraint][row.ours])
            for row in rows
        ],
    )
    simpler = [row.constraint for row in rows if row.relation.value == "simpler"]
    print(f"{ours.display_name} does {len(simpler)} of {len(rows)} more simply: {', '.join(simpler) or 'none'}")


def family_value(family: Family) -> dict[str, Any]:
    """A family as JSON."""
    return {
        "family": family.name,
        "display_name": family.display_name,
        "kernel_class": kernel_class(family) or None,
        "architectures": list(family.architectures),
        "aliases": list(family.aliases),
        "sources": dict(family.sources),
        "sizes": [{"name": row.name, "source": row.source, **row.sizes} for row in family.variants],
        "constraints": constraints_value(family),
        "constraints_source": family.sources.get(family.constraints_source, family.constraints_source),
    }


def constraints_value(family: Family) -> dict[str, Any]:
    """What every model of the family is, as JSON."""
    return {name: {"value": value, "meaning": WORDS[name][value]} for name, value in _constraints(family)}


def comparison_value(ours: Family, theirs: Family) -> dict[str, Any]:
    """The constraints of two families, side by side, as JSON."""
    return {
        "with": ours.name,
        "constraints": [
            {"constraint": row.constraint, "theirs": row.theirs, "ours": row.ours, "ours_is": row.relation.value}
            for row in compare(ours, theirs)
        ],
    }


def class_text(family: Family) -> str:
    """`A (RMSNorm, …)`, or that it is in none."""
    letter = kernel_class(family)
    return f"{letter} ({CLASSES[letter]})" if letter else "none of the predecessor's"


def _constraints(family: Family) -> Iterator[tuple[str, str | bool]]:
    return ((name, family.constraints[name]) for name in WORDS)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
