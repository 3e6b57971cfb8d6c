"""PV206, PV207, PV209, PV218, PV219, PV220: the structured domain of an equation agrees with itself."""

from __future__ import annotations

from collections.abc import Iterator

from pv.contract.model import Equation, ValueSpec
from pv.contract.quote import nearest
from pv.contract.strata import STRATA, strata_of, why_outside
from pv.finding import Severity
from pv.rules.references import spoken_once
from pv.rules.registry import Judged, Report, rule


@rule("PV206")
def names_in_a_domain_are_defined(judged: Judged) -> Iterator[Report]:
    """A shape letter, a `below` or a `like` names nothing.

    Cases are drawn from this structure. A letter stands for a dimension or an integer argument, `below` too; `like`
    names an argument that has a dtype of its own.

        FAIL    dimensions: {n: 4}    x: {type: tensor, dtype: [float32], shape: [m]}
        PASS    dimensions: {n: 4}    x: {type: tensor, dtype: [float32], shape: [n]}
    """
    for equation in judged.contract.equations:
        sizes = _sizes(equation)
        typed = [spec.name for spec in equation.arguments if spec.dtypes]
        for at, spec in _specs(equation):
            for where, letter in _letters(spec):
                if letter not in sizes:
                    seen = f"{letter!r} is no dimension and no integer argument of {equation.name}"
                    near = f"; {nearest(letter, sizes)}" if sizes else ""
                    yield (
                        judged.at(*at, *where),
                        seen,
                        f"declare it: dimensions: {{{letter}: {{min: 1, max: 8}}}}{near}",
                    )
            if spec.like is not None and spec.like not in typed:
                seen = f"{spec.like!r} is no argument of {equation.name} with a dtype"
                yield judged.at(*at, "like"), seen, nearest(spec.like, typed)


def _letters(spec: ValueSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a value's shape and range name something, and what."""
    yield from ((("shape", i), axis) for i, axis in enumerate(spec.shape) if isinstance(axis, str))
    if isinstance(spec.range.below, str):
        yield ("range", "below"), spec.range.below


@rule("PV207", Severity.WARNING)
def dimensions_are_used(judged: Judged) -> Iterator[Report]:
    """A dimension is defined and occurs in no shape and no `below`.

    Either a shape was meant to use it, and sizes are drawn otherwise than its author believes, or it is left over.

        FAIL    dimensions: {n: 4, E: 16}    shapes: [n]
        PASS    dimensions: {n: 4, E: 16}    shapes: [n, E]
    """
    for equation in judged.contract.equations:
        used = {letter for _, spec in _specs(equation) for _, letter in _letters(spec)}
        for dimension in equation.dimensions:
            if dimension.name not in used:
                seen = f"dimension {dimension.name!r} of {equation.name} is used in no shape"
                yield dimension.place, seen, "use it in a shape, or remove it"


@rule("PV209")
def ranges_hold_something(judged: Judged) -> Iterator[Report]:
    """A range or a dimension holds no value: its `min` is above its `max`, or not below its `below`.

    No case can be drawn, so nothing can be shown. Where `below` is a name, its greatest value counts.

        FAIL    range: {min: 1, max: 0}
        FAIL    range: {min: 0, below: 0}
        PASS    range: {min: 0, max: 0}
    """
    for equation in judged.contract.equations:
        sizes = _sizes(equation)
        for at, spec in _specs(equation):
            low, high, below = spec.range.min, spec.range.max, spec.range.below
            bound = sizes.get(below) if isinstance(below, str) else below
            if low is not None and ((high is not None and low > high) or (bound is not None and low >= bound)):
                limit = f"max {high}" if high is not None and low > high else f"below {below}"
                yield judged.at(*at, "range"), f"the range of {spec.name!r} is empty: min {low}, {limit}", "widen it"
        for dimension in equation.dimensions:
            if dimension.min > dimension.max:
                seen = f"dimension {dimension.name!r} has no size: min {dimension.min}, max {dimension.max}"
                yield judged.at("equations", equation.name, "dimensions", dimension.name), seen, "exchange the two"


@rule("PV218", Severity.WARNING)
def returns_are_stated(judged: Judged) -> Iterator[Report]:
    """Equations that do not say in structure what they return.

    Tolerances, the smoke check and semver go by `returns`: without it a bounded invariant may lack its number unseen, and a
    subject may return anything. An imported contract begins so. Spoken once per contract.

        FAIL    codomain: "[0, 1]^n"
        PASS    codomain: "[0, 1]^n"    returns: {y: {type: tensor, like: x, shape: [n]}}
    """
    equations = judged.contract.equations
    bare = [(equation.name, equation.place) for equation in equations if not equation.returns]
    yield from spoken_once(bare, f"{len(equations)} equations have no returns", "add returns: {…}")


@rule("PV219")
def strata_are_known(judged: Judged) -> Iterator[Report]:
    """An argument names a stratum that its type does not have, or that lies outside its domain.

    No case could be drawn from it, and the trial would be errored. A project adds strata of its own in a module of
    falsifiers: `@stratum("tensor", "checkerboard", holds=…)`; outside of a project only those of pv are known.

        FAIL    x: {type: tensor, …, strata: [ordinray]}
        FAIL    x: {type: tensor, …, strata: [nan]}
        PASS    x: {type: tensor, …, strata: [ordinary, nan], nan: admitted}
    """
    for equation in judged.contract.equations:
        for at, spec in _specs(equation):
            for i, name in enumerate(spec.strata):
                outside = why_outside(spec, name)
                if outside:
                    seen = f"{spec.name!r} {outside}, which the stratum {name!r} is not"
                    yield judged.at(*at, "strata", i), seen, "leave the stratum out, or widen the domain"
                elif (spec.type, name) not in STRATA and name not in (own := _own_strata(judged, spec.type)):
                    seen = f"{spec.type} arguments have no stratum {name!r}"
                    yield judged.at(*at, "strata", i), seen, nearest(name, [*strata_of(spec.type), *own])


def _own_strata(judged: Judged, type_: str) -> list[str]:
    """The names of the strata that the project around the contract marks for arguments of this type."""
    marks = judged.project.falsifiers.strata if judged.project is not None else ()
    return [mark.name for mark in marks if mark.type == type_]


@rule("PV220")
def gradients_are_asked_of_floats(judged: Judged) -> Iterator[Report]:
    """A `gradient` is admitted where there can be none: in a tensor that is not floating-point, or in a result.

    Cases come with requires_grad on and off; torch refuses it for integers and truth values. What the gradient of a result
    must be is an invariant (`about: gradient`).

        FAIL    indices: {type: tensor, dtype: [int64], shape: [n], gradient: true}
        PASS    x: {type: tensor, dtype: [float32], shape: [n], gradient: true}
    """
    for equation in judged.contract.equations:
        dtypes = {spec.name: spec.dtypes for spec in equation.arguments}
        for at, spec in _specs(equation):
            if not spec.gradient:
                continue
            whole = [name for name in spec.dtypes or dtypes.get(spec.like or "", ()) if "float" not in name]
            if at[2] == "returns":
                yield judged.key_at(*at, "gradient"), f"{spec.name!r} is a result", "write an invariant about: gradient"
            elif whole:
                seen = f"{spec.name!r} admits a gradient, and may be {whole[0]}"
                yield judged.key_at(*at, "gradient"), seen, "leave out gradient, or the dtype"


def _specs(equation: Equation) -> Iterator[tuple[tuple[str, ...], ValueSpec]]:
    """Every argument and returned value, with its pointer."""
    for part, specs in (("arguments", equation.arguments), ("returns", equation.returns)):
        yield from ((("equations", equation.name, part, spec.name), spec) for spec in specs)


def _sizes(equation: Equation) -> dict[str, float | None]:
    """What a shape letter or `below` may name, with the greatest value it takes where that is known."""
    integers = {spec.name: spec.range.max for spec in equation.arguments if spec.type == "integer"}
    return {**integers, **{dimension.name: dimension.max for dimension in equation.dimensions}}
