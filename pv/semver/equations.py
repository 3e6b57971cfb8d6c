"""What changed in the equations: what a caller must supply, what comes back, and the clauses that hold of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pv.contract.model import Dimension, Equation, Holds, Invariant, Range, Tolerance, ValueSpec
from pv.semver.change import Apart, Both, Change, Witness, keyed
from pv.semver.polarity import Move, Role
from pv.semver.shape import shapes_apart, sizes_apart, used_in
from pv.semver.witness import (
    Interval,
    Sized,
    alphabets_apart,
    constraints_apart,
    dtypes_apart,
    flags_apart,
    ranges_apart,
    tolerances_apart,
)

_STRENGTH = (Holds.REAL, Holds.BOUNDED, Holds.EXACT)


def compare_equation(both: Both, old: Equation, new: Equation) -> Iterator[Change]:
    """What changed in one equation; `both` stands at its body."""
    name = new.name
    yield from both.down("formula", name=f"{name}: formula").text(Role.PROMISED, old.formula, new.formula)
    yield from both.down("domain", name=f"{name}: domain").text(Role.WORDS, old.domain, new.domain)
    yield from both.down("codomain", name=f"{name}: codomain").text(Role.WORDS, old.codomain, new.codomain)
    yield from _dimensions(both, old, new)
    yield from _values(both, "arguments", old, new)
    yield from _values(both, "returns", old, new)
    yield from _invariants(both, old, new)


def _dimensions(both: Both, old: Equation, new: Equation) -> Iterator[Change]:
    """A letter of one side only weighs nothing by itself: the shapes that use it do."""
    before = {row.name: row for row in old.dimensions}
    after = {row.name: row for row in new.dimensions}
    for name in [*before, *(name for name in after if name not in before)]:
        here = both.down("dimensions", name, name=f"{new.name}: dimension {name}")
        if name not in after:
            yield here.change(Role.PROSE, Move.REMOVED, _bounds(before[name]))
        elif name not in before:
            yield here.change(Role.PROSE, Move.ADDED, new=_bounds(after[name]))
        else:
            role = used_in(old, name) if used_in(old, name) is not Role.PROSE else used_in(new, name)
            yield from _dimension(here, role, before[name], after[name])


def _dimension(both: Both, role: Role, old: Dimension, new: Dimension) -> Iterator[Change]:
    if (old.min, old.max) == (new.min, new.max):
        return
    if role is Role.PROSE:
        yield both.change(role, Move.CHANGED, _bounds(old), _bounds(new))
        return
    sides = Interval(old.min, old.max, whole=True), Interval(new.min, new.max, whole=True)
    yield from both.moved(role, sizes_apart(*sides, f"size {new.name}"), _bounds(old), _bounds(new))


def _bounds(row: Dimension) -> str:
    return str(row.min) if row.min == row.max else f"{row.min} … {row.max}"


def _values(both: Both, part: str, old: Equation, new: Equation) -> Iterator[Change]:
    """Arguments or returned values: which, in what order, and what each admits."""
    role, noun = (Role.ASKED, "argument") if part == "arguments" else (Role.PROMISED, "result")
    before = {spec.name: spec for spec in (old.arguments if part == "arguments" else old.returns)}
    after = {spec.name: spec for spec in (new.arguments if part == "arguments" else new.returns)}
    for name in [*before, *(name for name in after if name not in before)]:
        here = both.down(part, name, name=f"{new.name}: {noun} {name}")
        if name not in after:
            yield here.change(Role.FORM, Move.REMOVED, before[name].type)
        elif name not in before:
            yield here.change(Role.FORM, Move.ADDED, new=after[name].type)
        else:
            yield from _value(here, role, Sized(before[name], old), Sized(after[name], new))
    kept = [[name for name in one if name in other] for one, other in ((before, after), (after, before))]
    if kept[0] != kept[1]:
        here = both.down(part, name=f"{new.name}: {part}")
        yield here.change(Role.FORM, Move.REORDERED, ", ".join(before), ", ".join(after))


def _value(both: Both, role: Role, old: Sized, new: Sized) -> Iterator[Change]:
    """One argument or returned value."""
    a, b = old.spec, new.spec
    if a.type != b.type:
        apart = Apart(Witness("old", (("type", a.type),)), Witness("new", (("type", b.type),)))
        yield from both.down("type", name=f"{both.name}, type").moved(role, apart, a.type, b.type)
        return
    for field, apart, before, after in (
        ("like" if a.like and b.like else "dtype", dtypes_apart(old, new), _dtype(a), _dtype(b)),
        ("shape", shapes_apart(role, old, new), _shape(a), _shape(b)),
        ("range", ranges_apart(old, new), _range(a.range), _range(b.range)),
        ("constraint", constraints_apart(a.constraint, b.constraint), a.constraint or "none", b.constraint or "none"),
        ("alphabet", alphabets_apart(a.alphabet, b.alphabet), a.alphabet or "any", b.alphabet or "any"),
        ("nan", flags_apart("NaN", old=a.nan, new=b.nan), _admits(a.nan), _admits(b.nan)),
        ("infinity", flags_apart("∞", old=a.infinity, new=b.infinity), _admits(a.infinity), _admits(b.infinity)),
        ("gradient", flags_apart("requires_grad=True", old=a.gradient, new=b.gradient),
         _admits(a.gradient), _admits(b.gradient)),
    ):  # fmt: skip
        yield from both.down(field, name=f"{both.name}, {field}").moved(role, apart, before, after)
    yield from _effort(both, a, b)


def _effort(both: Both, old: ValueSpec, new: ValueSpec) -> Iterator[Change]:
    """How the cases are drawn; see `polarity` on strata."""
    here = both.down("strata", name=f"{both.name}, strata")
    if dropped := sorted({*old.strata} - {*new.strata}):
        yield here.change(Role.EFFORT, Move.REMOVED, ", ".join(dropped))
    if added := sorted({*new.strata} - {*old.strata}):
        yield here.change(Role.EFFORT, Move.ADDED, new=", ".join(added))
    if old.normal != new.normal:
        was, now = ("none" if spec.normal is None else repr(spec.normal) for spec in (old, new))
        yield both.down("normal", name=f"{both.name}, normal").change(Role.EFFORT, Move.CHANGED, was, now)


def _dtype(spec: ValueSpec) -> str:
    return f"like {spec.like}" if spec.like else ", ".join(sorted(spec.dtypes))


def _shape(spec: ValueSpec) -> str:
    return f"[{', '.join(map(str, spec.shape))}]"


def _range(bounds: Range) -> str:
    ends = (("min", bounds.min), ("max", bounds.max), ("below", bounds.below))
    return ", ".join(f"{key} {value}" for key, value in ends if value is not None) or "any"


def _admits(flag: bool) -> str:
    return "admitted" if flag else "forbidden"


def _invariants(both: Both, old: Equation, new: Equation) -> Iterator[Change]:
    before, after = keyed(old.invariants), keyed(new.invariants)
    for key in [*before, *(key for key in after if key not in before)]:
        old_index, was = before.get(key, (len(before), None))
        new_index, now = after.get(key, (len(after), None))
        here = both.down_to(("invariants", old_index), ("invariants", new_index), f"{new.name}/{key[0]}")
        if was is not None and now is not None:
            yield from _invariant(here, was, now, {*_dtypes(old), *_dtypes(new)})
        elif was is not None:
            yield here.change(Role.PROMISED, Move.REMOVED, was.statement)
        elif now is not None:
            yield here.change(Role.PROMISED, Move.ADDED, new=now.statement)


def _invariant(both: Both, old: Invariant, new: Invariant, dtypes: set[str]) -> Iterator[Change]:
    """One clause. Between two senses of `holds` the tolerance is part of the sense, and not told twice."""
    statement = both.down("statement", name=f"{both.name}: statement")
    yield from statement.text(Role.PROMISED, old.statement, new.statement)
    if old.about != new.about:
        yield both.down("about", name=f"{both.name}: about").change(Role.PROMISED, Move.CHANGED, old.about, new.about)
    if old.holds is new.holds:
        yield from _tolerances(both, old, new, dtypes)
        return
    stronger = _STRENGTH.index(new.holds) > _STRENGTH.index(old.holds)
    move, witness = (Move.TIGHTENED, _passing("old", old)) if stronger else (Move.LOOSENED, _passing("new", new))
    here = both.down("holds", name=f"{both.name}: holds")
    yield here.change(Role.PROMISED, move, old.holds.value, new.holds.value, witness)


def _passing(side: str, invariant: Invariant) -> Witness | None:
    """A residual that a bounded clause lets pass and an exact one does not."""
    found = ((dtype, tolerances_apart(bound, Tolerance(0.0))) for dtype, bound in invariant.tolerances)
    first = next(((dtype, apart.old) for dtype, apart in found if apart.old), None)
    return None if first is None else Witness(side, (("dtype", first[0]), *first[1].values))


def _tolerances(both: Both, old: Invariant, new: Invariant, dtypes: set[str]) -> Iterator[Change]:
    """For each dtype; for one that no value of the equation has, a tolerance promises nothing."""
    before, after = dict(old.tolerances), dict(new.tolerances)
    for dtype in [*before, *(dtype for dtype in after if dtype not in before)]:
        here = both.down("tolerance", dtype, name=f"{both.name}: tolerance {dtype}")
        was, now = before.get(dtype), after.get(dtype)
        role = Role.PROMISED if not dtypes or dtype in dtypes else Role.PROSE
        if was is not None and now is not None:
            if was != now:
                yield from here.moved(Role.PROMISED, tolerances_apart(was, now), _tolerance(was), _tolerance(now))
        elif was is not None:
            yield here.change(role, Move.REMOVED, _tolerance(was))
        elif now is not None:
            yield here.change(role, Move.ADDED, new=_tolerance(now))


def _tolerance(bound: Tolerance) -> str:
    parts = (
        (f"{bound.relative!r} · |expected|", bound.relative),
        (f"{bound.of_largest!r} · max |expected|", bound.of_largest),
    )
    return " + ".join([repr(bound.absolute), *(text for text, part in parts if part)])


def _dtypes(equation: Equation) -> Sequence[str]:
    return [dtype for spec in (*equation.arguments, *equation.returns) for dtype in spec.dtypes]
