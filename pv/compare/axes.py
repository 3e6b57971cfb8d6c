"""Axes by name, so that an element is `token 5, head 3, dim 7` and not number 1,255."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pv.compare.result import Location

# The letters of STYLE.md, "Shapes in tensor code"; a letter that is not here stands for itself.
WORDS: Mapping[str, str] = {
    "n": "token", "H": "head", "D": "dim", "E": "channel", "F": "channel", "V": "logit", "B": "sequence",
}  # fmt: skip
ROWS = "n"
HEADS = "H"
_MOST = 2**21  # sums of squares that are kept for rows and columns together: 16 MB


def names_of(axes: Sequence[str], shape: Sequence[int]) -> tuple[str, ...]:
    """A word for each axis, no two the same: of two token axes the first is the query's, the second the key's."""
    if len(axes) != len(shape):
        known = {0: (), 1: ("element",), 2: ("row", "column")}
        return known.get(len(shape), tuple(f"axis {at}" for at in range(len(shape))))
    pair = [at for at, letter in enumerate(axes) if letter == ROWS]
    words = [WORDS.get(letter, letter) for letter in axes]
    if len(pair) == 2:
        words[pair[0]], words[pair[1]] = "query", "key"
    return tuple(word if words.count(word) == 1 else f"{word} ({at})" for at, word in enumerate(words))


def locate(index: int, names: Sequence[str], shape: Sequence[int]) -> Location:
    """The row-major `index` unravelled."""
    found = []
    for name, size in zip(reversed(names), reversed(shape), strict=True):
        found.append((name, index % size))
        index //= size
    return tuple(reversed(found))


def location_text(at: Location) -> str:
    """`token 5, head 3, dim 7`."""
    return ", ".join(f"{name} {index:,}" for name, index in at)


def permutation(one: Sequence[str], other: Sequence[str]) -> tuple[int, ...] | None:
    """How the axes of `other` are put in the order of `one`; None where letters differ, or one that occurs twice moves."""
    if tuple(one) == tuple(other):
        return tuple(range(len(one)))
    if sorted(one) != sorted(other) or len(set(one)) < len(one):
        return None
    return tuple(list(other).index(letter) for letter in one)


class Split(NamedTuple):
    """A shape seen as a table: its first `leading` axes make the rows, the others the columns."""

    leading: int
    rows: int
    columns: int


def split_of(axes: Sequence[str], shape: Sequence[int]) -> Split | None:
    """Where a tensor falls into rows and columns: after the tokens, else before the last axis.

    None where it has fewer than two axes, no element, or more rows and columns than are worth a sum each.
    """
    if len(shape) < 2 or not math.prod(shape):
        return None
    wanted = 1 if len(axes) == len(shape) and axes[0] == ROWS else len(shape) - 1
    others = sorted(range(1, len(shape)), key=lambda at: math.prod(shape[:at]) + math.prod(shape[at:]))
    for leading in (wanted, *others):
        rows, columns = math.prod(shape[:leading]), math.prod(shape[leading:])
        if rows + columns <= _MOST:
            return Split(leading, rows, columns)
    return None


def slices(axes: Sequence[str], shape: Sequence[int], split: Split) -> Iterator[tuple[int, ...]]:
    """The kinds of slices whose worst is looked for: each axis by itself, and the columns of tokens as a whole."""
    for at in range(len(shape)):
        if shape[at] > 1:
            yield (at,)
    rest = tuple(range(split.leading, len(shape)))
    if len(axes) == len(shape) and axes[0] == ROWS and split.leading == 1 and len(rest) > 1:
        yield rest
