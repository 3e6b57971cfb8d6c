"""The strata that a contract may name without more: for each type of value its regions, in words.

A stratum is a region of the domain that every trial must visit. How a value of one is drawn and recognised is in
`pv.falsify.strata`, which a test holds against this table; a project adds its own with `@pv.stratum` (docs/cases.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from pv.contract.model import Equation, ValueSpec

STRATA: Mapping[tuple[str, str], str] = {
    ("integer", "ordinary"): "any integer of the range",
    ("integer", "edges"): "the smallest or the largest of the range",
    ("real", "ordinary"): "any number of the range",
    ("real", "edges"): "the smallest or the largest number of the range",
    ("text", "ordinary"): "characters of the alphabet alone",
    ("text", "empty"): "no character at all",
    ("text", "foreign"): "some character that is not of the alphabet",
    (
        "tensor",
        "ordinary",
    ): "finite, of magnitude at most 10 where the range reaches that far down; integers: any of the range",
    ("tensor", "huge"): "some magnitude in the upper half of the range, or of what the dtype holds",
    ("tensor", "denormal"): "some value is not zero and below the smallest normal number",
    ("tensor", "zeros"): "nothing but zeros",
    ("tensor", "ties"): "some row (along the last axis) holds a value twice",
    ("tensor", "edges"): "an end of the range stands somewhere; of a simplex: one entry of a row has it all",
    ("tensor", "one_sided"): "no value is positive",
    ("tensor", "size_one"): "the letters of its shape are as small as they may be, one side is 1",
    ("tensor", "nan"): "NaN somewhere; needs `nan: admitted`",
    ("tensor", "infinite"): "an infinity somewhere; needs `infinity: admitted`",
}
_OF_FLOATS = ("denormal", "nan", "infinite")
_ON_A_SIMPLEX = ("ordinary", "ties", "edges", "size_one")


def strata_of(type_: str) -> list[str]:
    """The names that an argument of this type may have without more."""
    return [name for kind, name in STRATA if kind == type_]


def named_by(equation: Equation) -> set[tuple[str, str]]:
    """Every (type, name) that the arguments of `equation` declare."""
    return {(spec.type, name) for spec in equation.arguments for name in spec.strata}


def why_outside(spec: ValueSpec, stratum: str) -> str:
    """Why every value of `stratum` lies outside the domain that `spec` states; empty where that need not be."""
    if (spec.type, stratum) not in STRATA:
        return ""  # a project's own may lie anywhere
    if spec.constraint == "simplex" and stratum not in _ON_A_SIMPLEX:
        return "is a simplex"
    if (stratum == "nan" and not spec.nan) or (stratum == "infinite" and not spec.infinity):
        return "admits finite values only"
    whole = [dtype for dtype in spec.dtypes if "float" not in dtype]
    return f"may be {whole[0]}" if stratum in _OF_FLOATS and whole else ""
