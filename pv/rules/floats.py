"""PV203, PV208: statements are true of floating-point numbers, not only of real ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pv.contract.model import Equation, Holds, Invariant
from pv.finding import Severity
from pv.rules.registry import Judged, Report, rule

_FLOATS = ("float16", "bfloat16", "float32", "float64")


@rule("PV203")
def bounds_are_stated(judged: Judged) -> Iterator[Report]:
    """A bounded invariant has no tolerance for a float dtype its equation returns, or an exact one has a tolerance.

    Without a number, whoever checks it chooses one, and 25 % is a number too. What holds exactly needs none. Tolerances
    are per dtype since rounding is; a returned `real` counts as float64.

        FAIL    holds: bounded    tolerance: {float32: 1e-6}      returns: dtype [float32, float64]
        FAIL    holds: exact      tolerance: {float32: 1e-6}
        PASS    holds: bounded    tolerance: {float32: 1e-6, float64: 1e-12}
    """
    for equation in judged.contract.equations:
        returned = _returned_floats(equation)
        for i, clause in enumerate(equation.invariants):
            at = ("equations", equation.name, "invariants", i, "tolerance")
            missing = [dtype for dtype in returned if clause.tolerance(dtype) is None]
            if clause.holds is Holds.BOUNDED and missing:
                seen = f"{clause.name} is bounded, with no tolerance for {', '.join(missing)}"
                yield judged.at(*at), seen, f"add tolerance: {{{missing[0]}: …}}, or say how else it holds"
            elif clause.holds is Holds.EXACT and clause.tolerances:
                seen = f"{clause.name} is exact, and carries a tolerance"
                yield judged.key_at(*at), seen, "remove the tolerance, or write holds: bounded"


def _returned_floats(equation: Equation) -> list[str]:
    arguments = {spec.name: spec.dtypes for spec in equation.arguments}
    returned = {dtype for spec in equation.returns for dtype in (*spec.dtypes, *arguments.get(spec.like or "", ()))}
    if any(spec.type == "real" for spec in equation.returns):
        returned.add("float64")
    return [dtype for dtype in _FLOATS if dtype in returned]


# The closed table: functions whose values are strictly inside their bounds as real numbers, and reach them as floats.
_SATURATING = re.compile(r"softmax|sigmoid|logistic|σ|tanh|\bexp\b|exponential", re.IGNORECASE)
_NUMBER = r"[-−+]?\s*[01](?:\.0*)?(?![\w.])"
_STRICT = re.compile(
    rf"strictly\s+(?:between|positive|negative|inside|within|in|less|greater|above|below|smaller|larger)\b"
    rf"|(?<![<>=!])[<>](?![<>=])\s*{_NUMBER}|(?<![\w.]){_NUMBER}\s*[<>](?![<>=])"
    rf"|(?:∈|\bin)\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)|\bopen interval\b|\b(?:never|not)\s+(?:reach|exactly)",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:for|if|when|whenever|where|with|provided)\b[^,;:]*", re.IGNORECASE)


@rule("PV208", Severity.WARNING)
def bounds_are_reached(judged: Judged) -> Iterator[Report]:
    """A strict bound on softmax, sigmoid, tanh or exp is claimed of floating-point code.

    As real numbers their values lie strictly inside (0, 1), (−1, 1) or (0, ∞). As float32, softmax([0, 200]) is exactly
    [0, 1] and tanh(20) is 1: the statement is false, and a test of it passes only by luck of its input.
    State the closed bound, or write `holds: real`. Conditions on the input ("for x > 0, …") do not count.

        FAIL    softmax    every entry is strictly between 0 and 1
        PASS    softmax    every entry is at least 0 and at most 1
        PASS    softmax    every entry is strictly between 0 and 1          holds: real
    """
    for equation in judged.contract.equations:
        if not _returned_floats(equation):
            continue
        for i, clause in enumerate(equation.invariants):
            if clause.holds is Holds.REAL or not _saturates(equation, clause):
                continue
            if strict := _STRICT.search(_CONDITION.sub("", clause.statement)):
                seen = f"{strict.group().strip()!r} is false of floats: {clause.name} reaches its bounds by rounding"
                at = ("equations", equation.name, "invariants", i, "statement")
                yield judged.at(*at), seen, "state the closed bound (at least, at most), or write holds: real"


def _saturates(equation: Equation, clause: Invariant) -> bool:
    return bool(_SATURATING.search(f"{equation.name} {clause.statement}".replace("_", " ")))
