"""Integers, real numbers and texts for cases."""

from __future__ import annotations

import math
from functools import lru_cache

from hypothesis import strategies as st

from pv.contract.model import ValueSpec
from pv.falsify.drawn import Drawn, whole_numbers

LONGEST_AT_ONCE = 256
"""A text is drawn at its full length now and then, unless that is more."""


def integer(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> int:
    """Any integer of the range."""
    low, high = drawn.ends(spec)
    return draw(whole_numbers(low, high, high) if low <= high else st.nothing())


def integer_edge(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> int:
    """The least or the greatest integer of the range."""
    low, high = drawn.ends(spec)
    return draw(st.sampled_from(sorted({low, high})) if low <= high else st.nothing())


def real(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> float:
    """Any finite number of the range."""
    low, high, below = drawn.bounds(spec)
    open_top = high is None and below is not None
    top = below if open_top else high
    every = st.floats(low, top, exclude_max=open_top, allow_nan=False, allow_infinity=False)
    plain = _plain_numbers(low, top, open_top=open_top)
    return draw(st.one_of(every, every, every, st.sampled_from(plain)) if plain else every)


@lru_cache(1024)
def _plain_numbers(low: float | None, high: float | None, *, open_top: bool) -> list[float]:
    """The ends, small multiples of ½, ¼ and ⅛, and eighths of the range: what meets other numbers exactly."""
    found = {sign * count / parts for count in range(9) for parts in (1, 2, 4, 8) for sign in (-1, 1)}
    if low is not None and high is not None:
        found |= {low + (high - low) * count / 8 for count in range(9)} | {float(low), float(high)}
    least, most = (-math.inf if low is None else low), (math.inf if high is None else high)
    return sorted(number for number in found if least <= number <= most and (number < most or not open_top))


def real_edge(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> float:
    """The least or the greatest number of the range."""
    low, high, below = drawn.bounds(spec)
    top = high if high is not None else math.nextafter(below, -math.inf) if below is not None else None
    return draw(st.sampled_from([float(end) for end in (low, top) if end is not None]))


def is_edge(value: float, spec: ValueSpec) -> bool:
    """Whether `value` is the least or the greatest of the range."""
    below = spec.range.below
    under = (
        []
        if not isinstance(below, (int, float))
        else [below - 1 if isinstance(value, int) else math.nextafter(below, -math.inf)]
    )
    return value in (spec.range.min, spec.range.max, *under)


def text(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> str:
    """Characters of the alphabet, of any length that the range admits."""
    return draw(_letters(_alphabet(spec), _shortest(spec), _longest(spec)))


def foreign_text(draw: st.DrawFn, spec: ValueSpec, drawn: Drawn) -> str:
    """Some character that is not of the alphabet, among others that are."""
    inside, rest = _alphabet(spec), _longest(spec) - 1
    if rest < 0:
        return draw(st.nothing())
    before = draw(st.text(_one_of(inside), max_size=rest // 2))
    least = max(0, _shortest(spec) - 1 - len(before))
    after = draw(st.text(min_size=least, max_size=max(least, rest // 2)))
    return before + draw(_foreign(inside)) + after


# Making a strategy of characters takes longer than drawing a text from it.
@lru_cache(64)
def _one_of(characters: str) -> st.SearchStrategy[str]:
    return st.sampled_from(characters)


@lru_cache(64)
def _letters(inside: str, shortest: int, longest: int) -> st.SearchStrategy[str]:
    every = st.text(_one_of(inside), min_size=shortest, max_size=longest)
    full = st.text(_one_of(inside), min_size=longest, max_size=longest)
    return every if longest > LONGEST_AT_ONCE or shortest == longest else st.one_of(every, every, every, full)


@lru_cache(64)
def _foreign(inside: str) -> st.SearchStrategy[str]:
    """Characters beside the alphabet: those in the other case and next to its own in the order of code points, and any."""
    near = {other for letter in inside for other in (letter.upper(), letter.lower(), letter.title())}
    near |= {chr(ord(letter) + step) for letter in inside for step in (-1, 1) if 0 <= ord(letter) + step < 0xD800}
    beside = sorted(other for other in near if len(other) == 1 and other not in inside)
    every = st.characters(exclude_characters=inside, codec="utf-8")
    return st.one_of(every, st.sampled_from(beside)) if beside else every


def is_of_its_alphabet(value: str, spec: ValueSpec) -> bool:
    """Whether every character is of the alphabet."""
    return set(value) <= set(_alphabet(spec))


def _alphabet(spec: ValueSpec) -> str:
    return spec.alphabet or "abc"


def _shortest(spec: ValueSpec) -> int:
    return int(spec.range.min) if spec.range.min is not None else 0


def _longest(spec: ValueSpec) -> int:
    return int(spec.range.max) if spec.range.max is not None else 32
