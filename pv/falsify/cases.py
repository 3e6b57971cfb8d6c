"""Cases from an equation's `arguments`: one Hypothesis strategy per declared stratum, dtype and gradient.

A stratum is a region of the domain that every trial must visit, and a predicate that says whether a case is in it: a case
counts for a stratum only when the predicate is true of it. The strata are in `pv.falsify.strata`; docs/cases.md lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pv.contract.model import Equation, ValueSpec
from pv.contract.strata import why_outside
from pv.falsify.drawn import Drawn, Room, Strata, require_room, whole_numbers
from pv.falsify.strata import KNOWN
from pv.finding import Exit, PvError


class Case:
    """One set of arguments, by name: `case.indices`, `case["indices"]`, `*case` in the order of the equation.

    >>> import pv
    >>> case = pv.Case(indices=[0, 2], num_classes=3)
    >>> case.num_classes, case["indices"], [*case]
    (3, [0, 2], [[0, 2], 3])
    """

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


class Focus(NamedTuple):
    """What one region is about: a stratum, a dtype or a gradient (on or off) of one argument; nothing, or one of them."""

    argument: str = ""
    stratum: str = ""
    dtype: str = ""
    gradient: bool | None = None


def regions(equation: Equation, strata: Strata = KNOWN) -> tuple[Region, ...]:
    """Every stratum that the arguments of `equation` declare, one for each dtype where there are several, and one for each
    of gradient and none where it is admitted; one that is ordinary where nothing is declared.

    Raises PvError for a stratum that the argument cannot have, and for tensors that are too large.
    """
    require_room(equation)
    found = [
        _stratum(equation, argument, stratum, strata) for argument in equation.arguments for stratum in argument.strata
    ]
    for argument in equation.arguments:
        if len(argument.dtypes) > 1:
            found += [_dtype(equation, argument, dtype, strata) for dtype in argument.dtypes]
        if argument.gradient:
            found += [_gradient(equation, argument, strata, on=on) for on in (True, False)]
    return tuple(found) or (_region(equation, "ordinary", Focus(), lambda case: True, strata),)


def _stratum(equation: Equation, argument: ValueSpec, stratum: str, strata: Strata) -> Region:
    row = strata.get((argument.type, stratum))
    if row is None:
        raise PvError(
            f"{equation.name}: the {argument.type} argument {argument.name!r} has no stratum {stratum!r}; "
            f"it can have {', '.join(name for type_, name in strata if type_ == argument.type)}",
            exit=Exit.MEND,
            hint="choose one of these, or mark a function with @stratum",
        )
    outside = why_outside(argument, stratum)
    if outside:
        raise PvError(
            f"{equation.name}: {argument.name!r} {outside}, which {stratum!r} is not",
            exit=Exit.MEND,
            hint="leave the stratum out, or widen what the argument admits",
        )
    name, recognises = argument.name, row.holds

    def holds(case: Case) -> bool:
        value = case.values[name]
        return bool(recognises(value.detach() if argument.gradient else value, _known(argument, case)))

    return _region(equation, f"{name}.{stratum}", Focus(name, stratum), holds, strata)


def _known(argument: ValueSpec, case: Case) -> ValueSpec:
    """`argument` with a named bound replaced by what the case has for it; one that no argument has stays open."""
    below = argument.range.below
    if not isinstance(below, str):
        return argument
    return argument._replace(range=argument.range._replace(below=case.values.get(below)))


def _dtype(equation: Equation, argument: ValueSpec, dtype: str, strata: Strata) -> Region:
    name = argument.name
    focus = Focus(name, dtype=dtype)
    return _region(
        equation, f"{name}.{dtype}", focus, lambda case: str(case.values[name].dtype) == f"torch.{dtype}", strata
    )


def _gradient(equation: Equation, argument: ValueSpec, strata: Strata, *, on: bool) -> Region:
    name, focus = argument.name, Focus(argument.name, gradient=on)
    called = f"{name}.{'grad' if on else 'no_grad'}"
    return _region(equation, called, focus, lambda case: case.values[name].requires_grad is on, strata)


def _region(equation: Equation, name: str, focus: Focus, holds: Callable[[Case], bool], strata: Strata) -> Region:
    strategies = [_cases(equation, focus, strata, dense=dense) for dense in (True, False)]
    return Region(name, strategies[0], holds, strategies[1])


@st.composite
def _cases(draw: st.DrawFn, equation: Equation, focus: Focus, strata: Strata, *, dense: bool) -> Case:
    """A case in which the argument of `focus` is drawn as that says, and every other one ordinarily."""
    sizes: dict[str, int] = {}
    values: dict[str, Any] = {}
    focused = next((argument for argument in equation.arguments if argument.name == focus.argument), None)
    narrow = strata[focused.type, focus.stratum].sizes if focused is not None and focus.stratum else None
    letters = [letter for letter in focused.shape if isinstance(letter, str)] if focused else []
    room = Room(equation, narrow, letters)
    for dimension in equation.dimensions:
        sizes[dimension.name] = draw(whole_numbers(*room.limits(dimension.name, dimension.min, dimension.max, sizes)))
    for argument in sorted(equation.arguments, key=_dependence):
        here = focus if argument.name == focus.argument else Focus(gradient=False if focus.gradient is None else None)
        drawn = Drawn(strata, sizes, values, here.dtype, dense)
        if argument.type == "integer":
            least, _, most = room.limits(argument.name, *drawn.ends(argument), sizes)
            drawn = replace(drawn, limits={argument.name: (least, most)})
        value = strata[argument.type, here.stratum or "ordinary"].draw(draw, argument, drawn)
        if argument.gradient:
            value.requires_grad_(draw(st.booleans()) if here.gradient is None else here.gradient)
        values[argument.name] = value
        if argument.type == "integer":
            sizes[argument.name] = value
    return Case({argument.name: values[argument.name] for argument in equation.arguments})


def _dependence(argument: ValueSpec) -> int:
    """Where in the order of drawing: integers give sizes and bounds to others, and a tensor its dtype."""
    if argument.type == "integer":
        return 1 if isinstance(argument.range.below, str) else 0
    return 2 if argument.like is None else 3
