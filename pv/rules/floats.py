"""PV203, PV208: statements are true of floating-point numbers, not only of real ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pv.contract.model import Equation, Holds
from pv.contract.quote import mentions
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


# The closed table. Patterns stay text: `re` compiles one when a statement first has its signs, and keeps it.
# First: functions whose values are strictly inside their bounds as real numbers, and reach them as floats.
_SATURATES = ("softmax", "sigmoid", "logistic", "tanh", "exp")
_SATURATING = r"softmax|sigmoid|logistic|tanh|\bexp\b|exponential"
_NUMBER = r"[-−+]?\s*[01](?:\.0*)?(?![\w.])"
_STRICT = (
    rf"(?i)strictly\s+(?:between|positive|negative|inside|within|in|less|greater|above|below|smaller|larger)\b"
    rf"|(?<![-<>=!→])[<>](?![<>=])\s*{_NUMBER}|(?<![\w.]){_NUMBER}\s*[<>](?![<>=])"
    rf"|(?:∈|\bin)\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)|\bopen interval\b|\b(?:never|not)\s+(?:reach|exactly)"
)
_STRICT_SIGNS = ("<", ">", "∈", "in (", "in(", "trictly", "pen interval", "ever", "not ")
_CONDITION = r"(?i)\A.*(?:⟹|⇒|=>|\bimplies\b)|\b(?:for|if|when|whenever|where|with|provided)\b[^,;:]*"

# Then: equations between real numbers that rounding breaks. Each is looked for only where one of its signs stands,
# and as many opening parentheses as it has: most statements have fewer.
_IS = r"\s*={1,2}\s*"
_FACTOR = r"(?:sign\()?(?:α|alpha|λ|c)\)?"
_ORDER = "a sum or product in another order"
_EQUATIONS = (
    (
        "a sum",
        ("sum", "Σ", "∑"),
        0,
        rf"\bsums?\s+to\s+(?:1|one)\b|(?:Σ|∑|\bsum\b)[^=<>≤≥|]*[^=<>≤≥|!]{_IS}1(?:\.0*)?(?![\w.])",
    ),
    ("a round trip", ("-1",), 2, rf"\b(\w+)\(\1\^\{{?-1\}}?\((\w+)\)\){_IS}\2(?!\w)"),
    ("a round trip", ("(exp(",), 2, rf"\b(?:log|ln)\(exp\((\w+)\)\){_IS}\1(?!\w)"),
    ("a round trip", ("exp(l",), 2, rf"\bexp\((?:log|ln)\((\w+)\)\){_IS}\1(?!\w)"),
    ("a round trip", ("\u0302",), 0, rf"(?<!\w)(\w)\u0302{_IS}\1(?!\w)"),
    ("a norm", ("‖", "||"), 1, rf"(‖|\|\|)[^‖|=<>]*\([^‖|=<>]*\)\1{_IS}\1(\w+)\1"),
    ("a product", ("^T",), 0, rf"\b(\w)\^T\s*[·@]?\s*\1{_IS}I\b|\b(\w)\s*[·@]?\s*\2\^T{_IS}I\b"),
    (
        _ORDER,
        ("(",),
        2,
        rf"\(\s*(\w)\s*[·@*+]?\s*(\w)\s*\)\s*[·@*+]?\s*(\w){_IS}\1\s*[·@*+]?\s*\(\s*\2\s*[·@*+]?\s*\3\s*\)",
    ),
    (_ORDER, ("+",), 1, rf"\b(\w)\s*[·@*]?\s*\(\s*(\w)\s*\+\s*(\w)\s*\){_IS}\1\s*[·@*]?\s*\2\s*\+\s*\1\s*[·@*]?\s*\3"),
    (
        _ORDER,
        ("α", "alpha", "λ", "(c"),
        2,
        rf"\b(\w+)\({_FACTOR}\s*[·*×]\s*x((?:,\s*\w+)*)\){_IS}{_FACTOR}\s*[·*×]\s*\1\(x\2\)",
    ),
    (_ORDER, ("+ c)", "+c)"), 2, rf"\b(\w+)\(x\s*\+\s*c\){_IS}\1\(x\)"),
    (_ORDER, ("is associative",), 0, r"\bis associative\b"),
)
# Of counts, one-hot rows and greatest elements they are exact; a sum to 1 is rounded where something was divided.
_ROUNDED = r"(?i)softmax|attention|probabilit|normali[sz]|weights|ratio|sigmoid"
_EXACT = r"(?i)one.?hot|\bcounts?\b|boolean|concat|\bmax\b|\bmin\b|integer|logical|bitwise"
_LOOSE = r"(?i)≈|~|\bwithin\b|toleran|approx|\bulps?\b|\bnumerical|\bup to\b|\breal numbers?\b|\brounding\b|ε|\beps"


_BY_SIGN = tuple(
    tuple((sign, what, pattern) for what, signs, least, pattern in _EQUATIONS for sign in signs if least <= parentheses)
    for parentheses in range(3)
)
"""What to look for in a statement with no opening parenthesis, with one, and with more."""


class Rounded(NamedTuple):
    """Why a statement is false of floats: the words it is about, what happens to them, what to write."""

    words: str
    why: str
    hint: str


def strict_bound(subject: str, statement: str) -> Rounded | None:
    """The strict bound that `statement` claims of a function named in `subject` (or in itself), and floats reach."""
    if not mentions(statement, _STRICT_SIGNS):
        return None
    about = f"{subject} {statement}"
    plain = about.lower().replace("_", " ")
    named = mentions(plain, _SATURATES) and re.search(_SATURATING, plain)
    if not named and "σ(" not in about:  # as it stands: Σ( in small letters is σ( too
        return None
    strict = re.search(_STRICT, re.sub(_CONDITION, "", statement))
    if strict is None:
        return None
    hint = "state the closed bound (at least, at most), or write holds: real"
    return Rounded(strict.group().strip(), "reaches its bounds by rounding", hint)


def rounded_equation(subject: str, statement: str) -> Rounded | None:
    """The equation between real numbers that `statement` claims without a tolerance, and rounding breaks."""
    if "=" not in statement and "sum" not in statement and "associative" not in statement:
        return None
    for sign, what, pattern in _BY_SIGN[min(statement.count("("), 2)]:
        if sign not in statement:
            continue
        found = re.search(pattern, statement)
        if found and (what != "a sum" or re.search(_ROUNDED, f"{subject} {statement}")) and not _is_loose(statement):
            return Rounded(
                found.group().strip(), f"is {what}, which rounding changes", "state a tolerance, or holds: real"
            )
    return None


def _is_loose(statement: str) -> bool:
    return bool(re.search(_LOOSE, statement) or re.search(_EXACT, statement))


@rule("PV208", Severity.WARNING)
def floats_are_no_real_numbers(judged: Judged) -> Iterator[Report]:
    """A statement that is true of real numbers is claimed of floating-point code.

    As real numbers the values of softmax, sigmoid, tanh and exp lie strictly inside (0, 1), (−1, 1) or (0, ∞). As float32,
    softmax([0, 200]) is exactly [0, 1] and tanh(20) is 1. Sums to one, inverses, norms and orthogonality, and sums in another
    order hold up to rounding only. A test of such a statement passes by luck of its input. State the closed bound or a
    tolerance, or write `holds: real`. Conditions on the input ("for x > 0, …") do not count.

        FAIL    softmax    every entry is strictly between 0 and 1
        FAIL    softmax    rows sum to 1                                   holds: exact
        FAIL    matmul     (AB)C = A(BC)                                   holds: exact
        PASS    softmax    every entry is at least 0 and at most 1
        PASS    softmax    rows sum to 1                                   holds: bounded
        PASS    softmax    every entry is strictly between 0 and 1         holds: real
    """
    for equation in judged.contract.equations:
        if not _returned_floats(equation):
            continue
        for i, clause in enumerate(equation.invariants):
            if clause.holds is Holds.REAL:
                continue
            found = strict_bound(equation.name, clause.statement)
            if found is None and clause.holds is Holds.EXACT and not clause.tolerances:
                found = rounded_equation(equation.name, clause.statement)
            if found is not None:
                seen = f"{found.words!r} is false of floats: {clause.name} {found.why}"
                yield judged.at("equations", equation.name, "invariants", i, "statement"), seen, found.hint
