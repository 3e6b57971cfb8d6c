"""The equations of a contract in full, as text and as the body of a LaTeX document."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from pv.contract.model import Contract, Dimension, Equation, Invariant, Range, Tolerance, ValueSpec
from pv.report.grid import room
from pv.report.plain import plural
from pv.report.tex import escape, tex

_WIDTH = 110


def equations_text(contract: Contract) -> str:
    """Every equation of `contract`: a line a fact, wrapped; and how many there are."""
    blocks = ["\n".join(_block(equation)) for equation in contract.equations]
    clauses = sum(1 for _ in contract.invariants())
    return "\n\n".join([*blocks, f"{plural(len(blocks), 'equation')}, {plural(clauses, 'invariant')}"])


def equations_latex(contract: Contract) -> str:
    """Every equation of `contract` as LaTeX, to be pasted or \\input into a document with amsmath and amssymb."""
    head = [
        f"% pv equations {escape(contract.path)}: needs \\usepackage{{amsmath,amssymb}}",
        f"\\section*{{{escape(contract.name)}, version {escape(contract.version)}}}",
        tex(contract.description),
    ]
    return "\n".join([*head, *(line for equation in contract.equations for line in _section(equation))])


def facts(equation: Equation) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    """What there is to say of `equation`: heading, rows of name and text; a heading without names has one row."""
    yield "formula", [("", equation.formula)]
    yield "domain", [("", equation.domain)]
    yield "codomain", [("", equation.codomain)]
    if equation.dimensions:
        yield "dimensions", [(row.name, _sizes(row)) for row in equation.dimensions]
    if equation.arguments:
        yield "arguments", [(spec.name, _value(spec)) for spec in equation.arguments]
    yield "returns", [(spec.name, _value(spec)) for spec in equation.returns]
    yield "invariants", [(clause.id, _clause(clause)) for clause in equation.invariants]


def _block(equation: Equation) -> Iterator[str]:
    yield f"{equation.name}  {equation.place}"
    for head, rows in facts(equation):
        for at, (name, text) in enumerate(rows):
            left = f"  {head if at == 0 else '':10}  {name + '  ' if name else ''}"
            plain = " ".join(text.split())
            yield textwrap.fill(
                plain, room(_WIDTH), initial_indent=left, subsequent_indent=" " * 14, break_long_words=False
            )


def _section(equation: Equation) -> Iterator[str]:
    yield f"\n\\subsection*{{\\texttt{{{escape(equation.name)}}}}}"
    yield "\\begin{description}"
    for head, rows in facts(equation):
        if not rows[0][0]:
            yield f"  \\item[{head.capitalize()}] {tex(rows[0][1])}"
            continue
        yield f"  \\item[{head.capitalize()}] \\leavevmode"
        yield "    \\begin{itemize}"
        yield from (f"      \\item \\texttt{{{escape(name)}}}: {tex(text)}" for name, text in rows)
        yield "    \\end{itemize}"
    yield "\\end{description}"


def _sizes(dimension: Dimension) -> str:
    return str(dimension.min) if dimension.min == dimension.max else f"{dimension.min} … {dimension.max}"


def _value(spec: ValueSpec) -> str:
    """`tensor float32 or float64 [n, E], at least −1e9, at most 1e9; strata ordinary, huge`."""
    kind = [spec.type]
    if spec.type == "tensor":
        kind.append(f"like {spec.like}" if spec.like else " or ".join(spec.dtypes))
        kind.append(f"[{', '.join(map(str, spec.shape))}]")
    facts = [" ".join(kind), *_bounds(spec.range)]
    facts += [spec.constraint] if spec.constraint else []
    facts += [f"drawn from N(0, {_number(spec.normal)}²)"] if spec.normal is not None else []
    facts += [f"letters of {spec.alphabet}"] if spec.alphabet else []
    admitted = [name for name, is_admitted in (("NaN", spec.nan), ("infinity", spec.infinity)) if is_admitted]
    facts += [f"{' and '.join(admitted)} admitted"] if admitted else []
    facts += ["with a gradient or without"] if spec.gradient else []
    return ", ".join(facts) + (f"; strata {', '.join(spec.strata)}" if spec.strata else "")


def _bounds(bounds: Range) -> Iterator[str]:
    for words, value in (("at least", bounds.min), ("at most", bounds.max), ("below", bounds.below)):
        if value is not None:
            yield f"{words} {value if isinstance(value, str) else _number(value)}"


def _clause(clause: Invariant) -> str:
    """`(bounded, about gradient) statement; tolerance float32: 1e-6 + 1e-5 · |expected|`."""
    about = "" if clause.about == "value" else f", about {clause.about}"
    bounds = [f"{dtype}: {_tolerance(bound)}" for dtype, bound in clause.tolerances]
    return f"({clause.holds.value}{about}) {clause.statement}" + (f"; tolerance {', '.join(bounds)}" if bounds else "")


def _tolerance(bound: Tolerance) -> str:
    named = (bound.absolute, ""), (bound.relative, " · |expected|"), (bound.of_largest, " · max |expected|")
    return " + ".join(_number(part) + words for part, words in named if part) or "0"


def _number(value: float) -> str:
    """As people write it: 1e-6, 1e9, 4192, −1."""
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value).replace("-", "−")
    short = f"{value:g}"
    mantissa, e, exponent = (short if float(short) == value else repr(value)).partition("e")
    return mantissa.replace("-", "−") + e + (str(int(exponent)) if e else "")
