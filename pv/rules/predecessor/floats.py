"""PV203, PV208, PV215: statements about floating-point numbers carry the tolerance they need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pv.contract.predecessor.model import FORMAL, PROPERTY, Item
from pv.contract.quote import mentions, shorten
from pv.finding import Severity
from pv.rules.floats import Rounded, rounded_equation, strict_bound
from pv.rules.predecessor.judged import JudgedPredecessor, also, predecessor_rule, spoken_once
from pv.rules.registry import Report

_SMALL = r"(?:ε|eps|epsilon|tol|tolerance|bound)(?!\w)"
_BOUNDED = re.compile(
    rf"≈|\bwithin\b[\w\s-]*\btoleranc\w*|(?:<=?|≤)\s*(?:[^<>≤≥=,;]*\+\s*)?{_SMALL}|\bapproximately equal", re.IGNORECASE
)
_SIGNS = ("≈", "ε", "eps", "tol", "bound", "approx")
_STATED = re.compile(r"\bwithin\s+[\d.]|±\s*\d|[<≤]=?\s*\d|\b\d+\s*ulp|toleranc\w*[\s:=]+\d", re.IGNORECASE)
_DTYPE = re.compile(
    r"\bulps?\b|\b(?:f|float|bf|bfloat)(?:16|32|64)\b|\b(?:single|double|half) precision", re.IGNORECASE
)
_DTYPE_SIGNS = ("ulp", "16", "32", "64", "prec")
_SAME = {
    "is a sum,": ("sum", "σ"),
    "is a sum or": ("associativ", "distribut", "homogen", "shift", "linear", "scale"),
    "is a round": ("inver", "round", "reconstruct"),
    "is a norm": ("norm",),
    "is a product": ("orthogonal",),
}
"""By what `Rounded.why` begins with: words of an obligation that is about the same."""


@also("PV203")
def bounds_are_stated(judged: JudgedPredecessor) -> Iterator[Report]:
    """An obligation that holds up to ≈, ε or "tolerance", and states no number."""
    contract = judged.contract
    if any(equation.body.get("float_tolerance") is not None for equation in contract.equations.values()):
        return
    for item in contract.obligations:
        if item.tolerance is not None:
            continue
        said = f"{item.text(*PROPERTY)}; {item.text(*FORMAL)}"
        if mentions(said, _SIGNS) and (found := _BOUNDED.search(said)) and not _STATED.search(said):
            seen = f"{item.text(*PROPERTY)!r} holds up to {found.group().strip()!r}, and no tolerance is stated"
            yield judged.key_at(item.at), seen, "add `tolerance:` with a number"


@also("PV208")
def floats_are_no_real_numbers(judged: JudgedPredecessor) -> Iterator[Report]:
    """Of invariants of equations, unless an obligation says the same with a tolerance, and of obligations."""
    contract = judged.contract
    loose = [f"{item.text(*PROPERTY)} {item.text(*FORMAL)}".lower() for item in contract.obligations if item.tolerance]
    for name, equation in contract.equations.items():
        subject = f"{name} {equation.text('formula')}"
        for i, clause in enumerate(equation.body.get("invariants", ())):
            found = strict_bound(subject, clause) or rounded_equation(subject, clause)
            if found is not None and not _covered(found, loose):
                yield from _reports(judged, (*equation.at, "invariants", i), found)
    for item in contract.obligations:
        if not item.tolerance:
            found = _false(item)
            if found is not None:
                yield from _reports(judged, item.key(*FORMAL), found)


def _false(item: Item) -> Rounded | None:
    subject = item.text(*PROPERTY)
    statement = item.text(*FORMAL) or subject
    return strict_bound(subject, statement) or rounded_equation(subject, statement)


def _covered(found: Rounded, loose: list[str]) -> bool:
    """Whether an obligation says of the same sum, inverse or order how closely it holds."""
    stems = next((stems for start, stems in _SAME.items() if found.why.startswith(start)), ())
    return any(stem in text for stem in stems for text in loose)


def _reports(judged: JudgedPredecessor, at: tuple[str | int, ...], found: Rounded) -> Iterator[Report]:
    seen = f"{found.words!r} is false of floats: it {found.why}"
    yield judged.at(at), seen, found.hint.replace("holds: real", "that it is meant of real numbers")


@predecessor_rule("PV215", Severity.WARNING)
def tolerances_name_their_dtype(judged: JudgedPredecessor) -> Iterator[Report]:
    """Tolerances that do not say for which dtype.

    1e-6 is close for float32 and far for float64, and float16 cannot reach it: whoever checks has to guess. Name the dtype in
    the obligation; our own format has a tolerance for each. One in ULP follows the dtype by itself, and 0 is exact for all.
    Spoken once per contract.

        FAIL    tolerance: 1.0e-6     formal: "|Σ y - 1| < ε"
        PASS    tolerance: 1.0e-6     formal: "|Σ y - 1| < ε in float32"
        PASS    tolerance: 4.0        property: "SIMD matches scalar within 4 ULP"
    """
    stated = [item for item in judged.contract.obligations if item.tolerance]
    bare = [item for item in stated if not _names_dtype(f"{item.text(*PROPERTY)} {item.text(*FORMAL)}")]
    rows = (
        (f"{item.tolerance} of {shorten(item.text(*PROPERTY), 40)}", judged.at((*item.at, "tolerance")))
        for item in bare
    )
    yield from spoken_once(rows, len(stated), "tolerances name no dtype", "say in which dtype, or in ULP")


def _names_dtype(text: str) -> bool:
    return mentions(text.lower(), _DTYPE_SIGNS) and _DTYPE.search(text) is not None
