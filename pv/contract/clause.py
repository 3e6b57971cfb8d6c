"""The digest of a clause: what it means, not how it is told.

Equation and invariant go in with ids, formula, structured fields, statement and tolerances; descriptions, the words of
domain and codomain, rule, prediction, order, status and version do not. The statement does: it is what the falsifier was
written to attack, and evidence for "rows sum to one" must not speak for "rows sum to two".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pv.contract.model import Contract, Equation, FalsificationTest, Invariant, ValueSpec
from pv.digest import digest

TAG = "pv-clause-1"


def clause_parts(
    contract: Contract, test: FalsificationTest, of: Callable[[Equation], str] | None = None
) -> tuple[tuple[str, str], ...]:
    """(name, digest) of the equation and of each invariant that `test` is bound to; what does not resolve is left out.

    `of` is `equation_digest`, or what remembers it.
    """
    equation = contract.equation(test.equation)
    parts = [] if equation is None else [(equation.name, (of or equation_digest)(equation))]
    for name in test.binds_to:
        invariant = contract.invariant(name)
        if invariant is not None:
            parts.append((name, invariant_digest(invariant)))
    return tuple(sorted(parts))


def equation_digest(equation: Equation) -> str:
    """What an equation means, without its invariants."""
    return digest([TAG, "equation", _equation(equation)])


def invariant_digest(invariant: Invariant) -> str:
    """What one invariant means, tolerances included."""
    return digest([TAG, "invariant", _invariant(invariant)])


def _equation(equation: Equation) -> dict[str, Any]:
    return {
        "name": equation.name,
        "formula": _words(equation.formula),
        "dimensions": {row.name: [row.min, row.max] for row in equation.dimensions},
        "arguments": [_value(spec) for spec in equation.arguments],
        "returns": [_value(spec) for spec in equation.returns],
    }


def _value(spec: ValueSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "type": spec.type,
        "dtypes": sorted(spec.dtypes),
        "like": spec.like,
        "shape": list(spec.shape),
        "range": [_number(spec.range.min), _number(spec.range.max), _number(spec.range.below)],
        "constraint": spec.constraint,
        "alphabet": spec.alphabet,
        "normal": _number(spec.normal),
        "strata": sorted(spec.strata),
        "nan": spec.nan,
        "infinity": spec.infinity,
        # Left out where it is not asked for: a key that came later makes no clause stale that does not use it.
        **({"gradient": True} if spec.gradient else {}),
    }


def _invariant(invariant: Invariant) -> dict[str, Any]:
    return {
        "name": invariant.name,
        "statement": _words(invariant.statement),
        "holds": invariant.holds.value,
        "about": invariant.about,
        "tolerances": {
            # As with `gradient`: the part that came later is left out where it is not used.
            dtype: [_number(part) for part in (tolerance if tolerance.of_largest else tolerance[:2])]
            for dtype, tolerance in invariant.tolerances
        },
    }


def _words(text: str) -> str:
    return " ".join(text.split())


def _number(value: float | int | str | None) -> float | int | str | None:
    """1 and 1.0 are the same bound; an integer that no float holds stays what it is."""
    return float(value) if isinstance(value, int) and abs(value) < 2**53 else value
