"""Values that one side admits and the other does not: of ranges, dtypes, shapes, alphabets and tolerances.

Every function gives an `Apart`; it is empty exactly when both sides admit the same. A range is compared over what its
dtypes can hold; one whose upper end is a name, by what it admits with the greatest value of the name and what it refuses
with the least.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from pv.contract.model import Equation, Range, Tolerance, ValueSpec
from pv.semver.change import Apart, Witness

Number = int | float

_LARGEST = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38, "float32": 3.4028234663852886e38}
_DOUBLE = 1.7976931348623157e308


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers from `low` to `high`, without `high` itself when `is_open`; `whole` ones only, or all."""

    low: Number
    high: Number
    is_open: bool = False
    whole: bool = False

    def admits(self, value: Number) -> bool:
        """Whether `value` belongs to it."""
        return self.low <= value and (value < self.high if self.is_open else value <= self.high)


@dataclass(frozen=True, slots=True)
class Sized:
    """A value as its equation defines it: the names in its range and shape stand for sizes there."""

    spec: ValueSpec
    equation: Equation

    def sizes(self, name: str) -> Interval:
        """What a dimension or an integer argument may be; anything from 0 when it is neither."""
        for dimension in self.equation.dimensions:
            if dimension.name == name:
                return Interval(dimension.min, dimension.max, whole=True)
        for argument in self.equation.arguments:
            if (argument.name, argument.type) == (name, "integer"):
                bounds = argument.range._replace(below=_number(argument.range.below))
                return interval(bounds, -math.inf, math.inf, whole=True)
        return Interval(0, math.inf, whole=True)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Its dtypes, or those of the argument it is like."""
        for argument in self.equation.arguments:
            if argument.name == self.spec.like:
                return argument.dtypes
        return self.spec.dtypes


def ranges_apart(old: Sized, new: Sized) -> Apart:
    """Apart by `range`. The length of a text is a whole number."""
    dtypes = {*old.dtypes, *new.dtypes}
    same_name = old.spec.range.below == new.spec.range.below
    return Apart(
        _one_of("old", old, new, dtypes, same_name=same_name), _one_of("new", new, old, dtypes, same_name=same_name)
    )


def _one_of(side: str, here: Sized, there: Sized, dtypes: set[str], *, same_name: bool) -> Witness | None:
    """A value that `here` admits and `there` does not."""
    most = _admitted(here, dtypes, None if same_name else "most")
    least = _admitted(there, dtypes, None if same_name else "least")
    found = only(most, least)
    if found is None:
        return None
    name = there.spec.range.below
    extra = ((name, there.sizes(name).low),) if isinstance(name, str) and not same_name else ()
    return Witness(side, (("length" if here.spec.type == "text" else "value", found), *extra))


def _admitted(value: Sized, dtypes: set[str], named: str | None) -> Interval:
    spec = value.spec
    low, high = _limits(spec, dtypes)
    whole = spec.type in ("integer", "text") or (bool(dtypes) and all(_whole(dtype) for dtype in dtypes))
    below = spec.range.below
    if isinstance(below, str):
        sizes = value.sizes(below)
        bound = {None: None, "most": sizes.high, "least": sizes.low}[named]
        return interval(spec.range._replace(below=bound), low, high, whole=whole)
    return interval(spec.range, low, high, whole=whole)


def interval(bounds: Range, low: Number, high: Number, *, whole: bool) -> Interval:
    """What `bounds` admit of the numbers from `low` to `high`. A `below` that is a name must have been replaced."""
    below = _number(bounds.below)
    least = low if bounds.min is None else max(low, bounds.min)
    most = high if bounds.max is None else min(high, bounds.max)
    is_open = below is not None and below <= most
    most = below if below is not None and is_open else most
    if not whole:
        return Interval(least, most, is_open)
    if math.isfinite(most):
        most = math.ceil(most) - 1 if is_open else math.floor(most)
    return Interval(math.ceil(least) if math.isfinite(least) else least, most, whole=True)


def only(here: Interval, there: Interval) -> Number | None:
    """A number that `here` admits and `there` does not; its own ends before those in between."""
    candidates = _whole_candidates(here, there) if here.whole else _real_candidates(here, there)
    return next((value for value in candidates if here.admits(value) and not there.admits(value)), None)


def _whole_candidates(here: Interval, there: Interval) -> Iterator[Number]:
    for value in (here.low, here.high, there.low - 1, there.high + 1):
        if math.isfinite(value):
            yield int(value)
    if not math.isfinite(here.low) and not math.isfinite(here.high):
        yield 0


def _real_candidates(here: Interval, there: Interval) -> Iterator[Number]:
    yield from (here.low, here.high)
    middle = there.high / 2 + here.high / 2
    yield from (middle, there.high, math.nextafter(here.high, -math.inf))


def dtypes_apart(old: Sized, new: Sized) -> Apart:
    """Apart by `dtype` or `like`. The same dtype as another value's says more than one out of its dtypes."""
    before, after = set(old.dtypes), set(new.dtypes)
    if old.spec.like is not None and old.spec.like == new.spec.like:
        return Apart()  # it follows its argument, whose own change is told there
    old_like = old.spec.like if len(before) > 1 else None
    new_like = new.spec.like if len(after) > 1 else None
    apart = Apart(_dtype("old", before - after), _dtype("new", after - before))
    return apart | Apart(_unlike("old", before, new_like), _unlike("new", after, old_like))


def _dtype(side: str, dtypes: Iterable[str]) -> Witness | None:
    first = min(dtypes, default=None)
    return None if first is None else Witness(side, (("dtype", first),))


def _unlike(side: str, dtypes: set[str], like: str | None) -> Witness | None:
    """A dtype admitted here beside another one of `like` there, which the other side refuses."""
    if like is None or not dtypes:
        return None
    return Witness(side, (("dtype", min(dtypes)), (f"not that of {like}", "admitted")))


def flags_apart(name: str, *, old: bool, new: bool) -> Apart:
    """Apart by whether NaN, or infinity, is admitted."""
    before, after = Witness("old", (("value", name),)), Witness("new", (("value", name),))
    return Apart(before if old and not new else None, after if new and not old else None)


def constraints_apart(old: str | None, new: str | None) -> Apart:
    """Apart by `constraint`: a row of zeros is in no simplex."""
    return flags_apart("a row of zeros", old=old is None and new is not None, new=new is None and old is not None)


def alphabets_apart(old: str | None, new: str | None) -> Apart:
    """Apart by `alphabet`: of characters in any order; without one, every character is admitted."""
    if old == new:
        return Apart()
    if old is None or new is None:
        known = set(old or new or "")
        other = (("text", next(chr(code) for code in range(97, 97 + len(known) + 1) if chr(code) not in known)),)
        return Apart(None if old else Witness("old", other), None if new else Witness("new", other))
    return Apart(_letter("old", set(old) - set(new)), _letter("new", set(new) - set(old)))


def _letter(side: str, letters: set[str]) -> Witness | None:
    return Witness(side, (("text", min(letters)),)) if letters else None


def tolerances_apart(old: Tolerance, new: Tolerance) -> Apart:
    """Apart by |residual| ≤ absolute + relative · |expected| + of_largest · largest, in exact arithmetic."""
    return Apart(_residual("old", old, new), _residual("new", new, old))


def _residual(side: str, here: Tolerance, there: Tolerance) -> Witness | None:
    """A residual that `here` lets pass and `there` does not: at 0 the absolute part decides, far out the others."""
    # A bound is linear in (expected, largest), which lie between (0, largest) and (largest, largest).
    if all(one <= other for one, other in zip(_corners(here), _corners(there), strict=True)):
        return None
    by_largest = bool(here.of_largest or there.of_largest)
    for largest in (0.0, 1.0, *(10.0**k for k in range(3, 307, 3)), _DOUBLE):
        for expected in (0.0, largest) if by_largest else (largest,):
            residual = _between(_allowed(there, expected, largest), _allowed(here, expected, largest))
            if residual is not None:
                beside = (("largest", largest),) if by_largest else ()
                return Witness(side, (("expected", expected), *beside, ("residual", residual)))
    return Witness(side, (("expected", "real"), ("residual", "between the two, closer than doubles are")))


def _corners(tolerance: Tolerance) -> tuple[Fraction, Fraction, Fraction]:
    absolute, relative, of_largest = map(Fraction, tolerance)
    return absolute, of_largest, relative + of_largest


def _between(tight: Fraction, wide: Fraction) -> float | None:
    """A short double above `tight` and at most `wide`."""
    middle = _float(wide / 2 + tight / 2)
    for residual in (float(f"{middle:.1e}"), middle, _float(wide)):
        if math.isfinite(residual) and tight < Fraction(residual) <= wide:
            return residual
    return None


def _allowed(tolerance: Tolerance, expected: float, largest: float) -> Fraction:
    absolute, relative, of_largest = map(Fraction, tolerance)
    return absolute + relative * Fraction(expected) + of_largest * Fraction(largest)


def _float(value: Fraction) -> float:
    """The greatest finite double that is not above `value`, which is at least 0."""
    if value >= Fraction(_DOUBLE):
        return _DOUBLE
    nearest = float(value)
    return math.nextafter(nearest, 0.0) if Fraction(nearest) > value else nearest


def _whole(dtype: str) -> bool:
    return dtype == "bool" or "int" in dtype


def _limits(spec: ValueSpec, dtypes: Iterable[str]) -> tuple[Number, Number]:
    """The least and the greatest number that the type, or one of the dtypes, holds."""
    if spec.type == "text":
        return 0, math.inf
    if spec.type == "integer":
        return -math.inf, math.inf
    ends = [_ends(dtype) for dtype in dtypes] or [(-_DOUBLE, _DOUBLE)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _ends(dtype: str) -> tuple[Number, Number]:
    if dtype == "bool":
        return 0, 1
    if not _whole(dtype):
        largest = _LARGEST.get(dtype, _DOUBLE)
        return -largest, largest
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _number(value: Number | str | None) -> Number | None:
    return None if isinstance(value, str) else value
