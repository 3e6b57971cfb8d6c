"""What a stratum is to those who draw cases, and what they know while they draw: sizes, bounds and dtypes decided so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from pv.contract.model import Equation, ValueSpec
from pv.finding import Exit, PvError

USUAL_ELEMENTS = 2**14
MOST_ELEMENTS = 2**20
"""No tensor is drawn with more, and seldom one with more than `USUAL_ELEMENTS`, unless its least sizes ask for it."""
LARGEST_ELEMENTS = 2**24
"""What the least sizes may ask for."""

Sizes = Callable[[int, int, bool], tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """How a value of this stratum is drawn, whether a value is in it, and what it asks of a shape letter.

    `sizes(min, max, is_last)` narrows the range of a letter of the value's shape.
    """

    draw: Callable[[st.DrawFn, ValueSpec, Drawn], Any]
    holds: Callable[[Any, ValueSpec], bool]
    sizes: Sizes | None = None


Strata = Mapping[tuple[str, str], Stratum]
"""By (type, name)."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What has been drawn so far: sizes by letter, values by argument, the dtype asked for (or empty).

    `dense` admits tensors made from a seed, which reach more and shrink less. `limits` are those of integer arguments that
    are letters of shapes.
    """

    strata: Strata
    sizes: Mapping[str, int]
    values: Mapping[str, Any]
    dtype: str = ""
    dense: bool = True
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def ordinary(self, draw: st.DrawFn, spec: ValueSpec) -> Any:
        """An ordinary value of `spec`: what a stratum of a project's own may begin with."""
        return self.strata[spec.type, "ordinary"].draw(draw, spec, self)

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

    def ends(self, spec: ValueSpec) -> tuple[int, int]:
        """The least and the greatest integer that `spec` admits here. Raises PvError when its range is open."""
        low, high, below = self.bounds(spec)
        if low is None or (high is None and below is None):
            raise PvError(
                f"the integer argument {spec.name!r} needs a range with both ends",
                exit=Exit.MEND,
                hint="give its range `min` and `max`",
            )
        tops = ([] if high is None else [math.floor(high)]) + ([] if below is None else [math.ceil(below) - 1])
        least, greatest = self.limits.get(spec.name, (math.ceil(low), min(tops)))
        return max(least, math.ceil(low)), min(greatest, *tops)


class Room:
    """How large the letters of an equation's shapes may be, so that none of its tensors, arguments or results, is too large.

    `narrow` narrows the letters in `narrowed`, the last of which is told so.
    """

    def __init__(self, equation: Equation, narrow: Sizes | None, narrowed: Sequence[str]) -> None:
        self._shapes = [spec.shape for spec in (*equation.arguments, *equation.returns) if spec.type == "tensor"]
        self._narrow = narrow
        self._narrowed = narrowed
        self._least = {letter: low for letter, low, _ in _letters(equation)}

    def limits(self, letter: str, low: int, high: int, sizes: Mapping[str, int]) -> tuple[int, int, int]:
        """The least, the usually greatest and the greatest size of `letter`, now that `sizes` are known."""
        if self._narrow is not None and letter in self._narrowed:
            low, high = self._narrow(low, high, letter == self._narrowed[-1])
        usual, most = (
            min((self._room(letter, shape, sizes, elements) for shape in self._shapes if letter in shape), default=high)
            for elements in (USUAL_ELEMENTS, MOST_ELEMENTS)
        )
        return low, max(low, min(high, usual)), max(low, min(high, most))

    def _room(self, letter: str, shape: Sequence[int | str], sizes: Mapping[str, int], elements: int) -> int:
        known = {**self._least, **sizes}
        others = math.prod(
            max(1, known.get(side, 1) if isinstance(side, str) else side) for side in shape if side != letter
        )
        return _root(elements // others, shape.count(letter))


def require_room(equation: Equation) -> None:
    """Raises PvError when even the least sizes make a tensor that is not drawn."""
    least = {letter: low for letter, low, _ in _letters(equation)}
    for spec in equation.arguments:
        count = math.prod(least.get(side, 1) if isinstance(side, str) else side for side in spec.shape)
        if count > LARGEST_ELEMENTS:
            raise PvError(
                f"{equation.name}: {spec.name!r} has at least {count:,} elements; no case has a tensor of more than "
                f"{LARGEST_ELEMENTS:,}",
                exit=Exit.MEND,
                hint="lower the least sizes in `dimensions`",
            )


def _letters(equation: Equation) -> Iterator[tuple[str, int, int]]:
    """Every name that can stand in a shape, with its least and greatest size where they are known."""
    yield from ((row.name, row.min, row.max) for row in equation.dimensions)
    for spec in equation.arguments:
        if spec.type == "integer" and spec.range.min is not None:
            yield spec.name, math.ceil(spec.range.min), math.floor(spec.range.max or spec.range.min)


def _root(number: int, degree: int) -> int:
    """The greatest integer whose power of `degree` is at most `number`."""
    root = int(number ** (1 / degree))
    return root + 1 if (root + 1) ** degree <= number else root - (root**degree > number)


@lru_cache(1024)
def whole_numbers(low: int, usual: int, high: int) -> st.SearchStrategy[int]:
    """Integers from `low` to `usual`, seldom more: the ends and the neighbours of powers of two far more often than others."""
    if high == usual < low + 16:
        return st.integers(low, usual)
    corners = {sign * (2**power + near) for power in range(64) for near in (-1, 0, 1) for sign in (-1, 1)}
    powers = sorted(corner for corner in corners if low < corner < usual) or [low]
    every = st.integers(low, usual)  # first, and so what the others shrink to
    return st.one_of(every, every, st.sampled_from(sorted({low, usual, high})), st.sampled_from(powers))
