"""Cases from an equation's `arguments`: one Hypothesis strategy per declared stratum.

A stratum is a region of the domain that every trial must visit, and a predicate that says whether a case is in it: a case
counts for a stratum only when the predicate is true of it. To add one: a row in `STRATA`, its name in the contract schema.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from pv.contract.model import Equation, ValueSpec
from pv.falsify import tensors
from pv.finding import Exit, PvError


class Case:
    """One set of arguments, by name: `case.indices`, `case["indices"]`, `*case` in the order of the equation."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        self.values: Mapping[str, Any] = {**(values or {}), **named}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(f"the case has no argument {name!r}; it has {', '.join(self.values)}") from None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values.values())

    def __repr__(self) -> str:
        return f"Case({', '.join(f'{name}={value!r}' for name, value in self.values.items())})"


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A named part of the domain: how to draw a case of it, and whether a case is in it.

    `simple` draws less of it, in a form that shrinks further: where a failing case is looked for a second time.
    """

    name: str
    strategy: st.SearchStrategy[Case]
    holds: Callable[[Case], bool]
    simple: st.SearchStrategy[Case] | None = None


def regions(equation: Equation) -> tuple[Region, ...]:
    """Every stratum that the arguments of `equation` declare, and one for each dtype where there are several."""
    found = [_region(equation, argument, stratum) for argument in equation.arguments for stratum in argument.strata]
    for argument in equation.arguments:
        if len(argument.dtypes) > 1:
            found += [_dtype_region(equation, argument, dtype) for dtype in argument.dtypes]
    if not found:
        simple = _cases(equation, "", "", "", dense=False)
        found.append(Region("ordinary", cases(equation), lambda case: True, simple))
    return tuple(found)


def cases(equation: Equation) -> st.SearchStrategy[Case]:
    """Any case of the equation's domain, as ordinary as its arguments allow."""
    return _cases(equation, "", "", "")


def _region(equation: Equation, argument: ValueSpec, stratum: str) -> Region:
    holds = _ROWS[argument.type, stratum].holds if (argument.type, stratum) in _ROWS else None
    if holds is None:
        raise PvError(
            f"{equation.name}: the {argument.type} argument {argument.name!r} has no stratum {stratum!r}; "
            f"it can have {', '.join(row for kind, row in _ROWS if kind == argument.type)}",
            exit=Exit.MEND,
        )
    outside = _outside(argument, stratum)
    if outside:
        raise PvError(f"{equation.name}: {argument.name!r} {outside}, which {stratum!r} is not", exit=Exit.MEND)
    name = argument.name
    return Region(
        f"{name}.{stratum}",
        _cases(equation, name, stratum, ""),
        lambda case: bool(holds(case.values[name], _known(argument, case))),
        _cases(equation, name, stratum, "", dense=False),
    )


def _known(argument: ValueSpec, case: Case) -> ValueSpec:
    """`argument` with a named bound replaced by what the case has for it; one that no argument has stays open."""
    below = argument.range.below
    if not isinstance(below, str):
        return argument
    return replace(argument, range=replace(argument.range, below=case.values.get(below)))


def _outside(argument: ValueSpec, stratum: str) -> str:
    """Why every case of `stratum` would lie outside the domain; empty where it need not."""
    if argument.constraint == "simplex" and stratum not in ("ordinary", "ties", "edges", "size_one"):
        return "is a simplex"
    if (stratum == "nan" and not argument.nan) or (stratum == "infinite" and not argument.infinity):
        return "admits finite values only"
    return ""


def _dtype_region(equation: Equation, argument: ValueSpec, dtype: str) -> Region:
    name = argument.name
    return Region(
        f"{name}.{dtype}",
        _cases(equation, name, "", dtype),
        lambda case: str(case.values[name].dtype) == f"torch.{dtype}",
        _cases(equation, name, "", dtype, dense=False),
    )


@st.composite
def _cases(draw: st.DrawFn, equation: Equation, focus: str, stratum: str, dtype: str, *, dense: bool = True) -> Case:
    """A case in which the argument `focus` is drawn in `stratum` (or in `dtype`), and every other one ordinarily."""
    sizes: dict[str, int] = {}
    values: dict[str, Any] = {}
    focused = next((argument for argument in equation.arguments if argument.name == focus), None)
    narrow = _ROWS[focused.type, stratum].sizes if focused is not None and stratum else None
    letters = [letter for letter in focused.shape if isinstance(letter, str)] if focused else []
    for dimension in equation.dimensions:
        low, high = dimension.min, dimension.max
        if narrow is not None and dimension.name in letters:
            low, high = narrow(low, high, dimension.name == letters[-1])
        sizes[dimension.name] = draw(st.integers(low, high))
    for argument in sorted(equation.arguments, key=_dependence):
        chosen = stratum if argument.name == focus and stratum else "ordinary"
        row = _ROWS[argument.type, chosen]
        kind = dtype if argument.name == focus and dtype else ""
        values[argument.name] = row.draw(draw, argument, Drawn(sizes, values, kind, dense))
        if argument.type == "integer":
            sizes[argument.name] = values[argument.name]
    return Case({argument.name: values[argument.name] for argument in equation.arguments})


def _dependence(argument: ValueSpec) -> int:
    """Where in the order of drawing: integers give sizes and bounds to others, and a tensor its dtype."""
    if argument.type == "integer":
        return 1 if isinstance(argument.range.below, str) else 0
    return 2 if argument.like is None else 3


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What has been drawn so far: sizes by letter, values by argument, the dtype asked for (or empty).

    `dense` admits tensors made from a seed, which reach more and shrink less.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, Any]
    dtype: str = ""
    dense: bool = True

    def shape(self, spec: ValueSpec) -> tuple[int, ...]:
        """The shape of `spec` with its letters replaced."""
        return tuple(self.sizes[side] if isinstance(side, str) else side for side in spec.shape)

    def bounds(self, spec: ValueSpec) -> tuple[float | None, float | None, float | None]:
        """(min, max, below) of `spec`, with a named bound replaced."""
        below = spec.range.below
        return spec.range.min, spec.range.max, self.sizes[below] if isinstance(below, str) else below

    def dtypes(self, spec: ValueSpec) -> tuple[str, ...]:
        """The dtypes to draw `spec` from."""
        if spec.like is not None:
            return (str(self.values[spec.like].dtype).removeprefix("torch."),)
        return (self.dtype,) if self.dtype else spec.dtypes


Sizes = Callable[[int, int, bool], tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """How a value of this stratum is drawn, whether a value is in it, and what it asks of a shape letter.

    `sizes(min, max, is_last)` narrows the range of a letter of the value's shape.
    """

    draw: Callable[[st.DrawFn, ValueSpec, Drawn], Any]
    holds: Callable[[Any, ValueSpec], bool]
    sizes: Sizes | None = None


def _at_least_two(low: int, high: int, last: bool) -> tuple[int, int]:
    return (min(max(low, 2), high), high) if last else (low, high)


def _smallest(low: int, high: int, last: bool) -> tuple[int, int]:
    return low, low


def _integer(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> int:
    low, high = _ends(spec, drawn)
    return draw(st.integers(low, high) if low <= high else st.nothing())


def _integer_edge(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> int:
    low, high = _ends(spec, drawn)
    return draw(st.sampled_from(sorted({low, high})) if low <= high else st.nothing())


def _ends(spec: ValueSpec, drawn: Drawn) -> tuple[int, int]:
    low, high, below = drawn.bounds(spec)
    if low is None or (high is None and below is None):
        raise PvError(f"the integer argument {spec.name!r} needs a range with both ends", exit=Exit.MEND)
    ends = [high] if below is None else [math.ceil(below) - 1] if high is None else [high, math.ceil(below) - 1]
    return math.ceil(low), math.floor(min(end for end in ends if end is not None))


def _real(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> float:
    low, high, below = drawn.bounds(spec)
    open_top = high is None and below is not None
    top = below if open_top else high
    return draw(st.floats(low, top, exclude_max=open_top, allow_nan=False, allow_infinity=False))


def _real_edge(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> float:
    low, high, below = drawn.bounds(spec)
    top = high if high is not None else math.nextafter(below, -math.inf) if below is not None else None
    return draw(st.sampled_from([float(end) for end in (low, top) if end is not None]))


def _is_edge(value: float, spec: ValueSpec) -> bool:
    below = spec.range.below
    under = (
        []
        if not isinstance(below, (int, float))
        else [below - 1 if isinstance(value, int) else math.nextafter(below, -math.inf)]
    )
    return value in (spec.range.min, spec.range.max, *under)


def _text(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> str:
    return draw(st.text(st.sampled_from(spec.alphabet or "abc"), min_size=_shortest(spec), max_size=_longest(spec)))


def _foreign_text(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> str:
    inside, rest = spec.alphabet or "abc", _longest(spec) - 1
    if rest < 0:
        return draw(st.nothing())
    before = draw(st.text(st.sampled_from(inside), max_size=rest // 2))
    least = max(0, _shortest(spec) - 1 - len(before))
    after = draw(st.text(min_size=least, max_size=max(least, rest // 2)))
    return before + draw(st.characters(exclude_characters=inside, codec="utf-8")) + after


def _shortest(spec: ValueSpec) -> int:
    return int(spec.range.min) if spec.range.min is not None else 0


def _longest(spec: ValueSpec) -> int:
    return int(spec.range.max) if spec.range.max is not None else 32


_ROWS: dict[tuple[str, str], Stratum] = {
    ("integer", "ordinary"): Stratum(_integer, lambda value, spec: True),
    ("integer", "edges"): Stratum(_integer_edge, _is_edge),
    ("real", "ordinary"): Stratum(_real, lambda value, spec: True),
    ("real", "edges"): Stratum(_real_edge, _is_edge),
    ("text", "ordinary"): Stratum(_text, lambda value, spec: set(value) <= set(spec.alphabet or "abc")),
    ("text", "empty"): Stratum(lambda draw, spec, drawn: "", lambda value, spec: value == ""),
    ("text", "foreign"): Stratum(_foreign_text, lambda value, spec: not set(value) <= set(spec.alphabet or "abc")),
    ("tensor", "ordinary"): Stratum(tensors.ordinary, tensors.is_ordinary),
    ("tensor", "huge"): Stratum(tensors.huge, tensors.is_huge),
    ("tensor", "denormal"): Stratum(tensors.denormal, tensors.is_denormal),
    ("tensor", "zeros"): Stratum(tensors.zeros, tensors.is_zeros),
    ("tensor", "ties"): Stratum(tensors.ties, tensors.has_ties, _at_least_two),
    ("tensor", "edges"): Stratum(tensors.edges, tensors.has_edges),
    ("tensor", "one_sided"): Stratum(tensors.one_sided, tensors.is_one_sided),
    ("tensor", "size_one"): Stratum(tensors.ordinary, lambda value, spec: 1 in value.shape, _smallest),
    ("tensor", "nan"): Stratum(tensors.with_nan, tensors.has_nan),
    ("tensor", "infinite"): Stratum(tensors.with_infinity, tensors.has_infinity),
}
