"""Two sides matched tensor by tensor; whatever can be told without values is told before any value is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pv.compare.axes import permutation
from pv.compare.operands import CAPTURE, FILE, WEIGHTS, Operand, Side, why_other
from pv.compare.result import Agreement, Comparison
from pv.compare.tolerance import Tolerance
from pv.finding import Exit, PvError

if TYPE_CHECKING:
    from pv.compare.source import Values

Told = Callable[[int], None]
_LARGE = 2**22


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One tensor of either side or both, and what came of it; `reason` where its values were not compared.

    `axes` are those of the comparison. `note` is what else there is to know: a permutation, a tied weight.
    """

    name: str
    agreement: Agreement
    a: Side | None
    b: Side | None
    axes: tuple[str, ...] = ()
    comparison: Comparison | None = None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ValueDiff:
    """All of it. `refused` says why nothing was compared; `differing` are the facts of the two sides that differ."""

    a: Operand
    b: Operand
    rows: tuple[Row, ...]
    differing: tuple[tuple[str, str, str], ...]
    refused: str = ""

    @property
    def agreement(self) -> Agreement:
        """The verdict over all rows; nothing compared is unmeasured. What differs without a value being read differs."""
        found = {row.agreement for row in self.rows}
        unread = any(row.agreement is Agreement.DIFFERS and row.comparison is None for row in self.rows)
        if self.refused or unread or self.a.problems or self.b.problems:
            return Agreement.DIFFERS
        if self.elements and self._supposed:
            return Agreement.UNVERIFIED
        if Agreement.DIFFERS in found:
            return Agreement.DIFFERS
        if Agreement.UNMEASURED in found or not self.elements:
            return Agreement.UNMEASURED
        return Agreement.IDENTICAL if found == {Agreement.IDENTICAL} else Agreement.WITHIN

    @property
    def _supposed(self) -> bool:
        """Whether values have axes that no manifest gives them; two files as they lie, value by value, have none."""
        verified = self.a.layout_verified and self.b.layout_verified
        return not verified and any(row.axes for row in self.rows if row.comparison)

    @property
    def elements(self) -> int:
        """How many elements were compared."""
        return sum(row.comparison.count for row in self.rows if row.comparison)


@dataclass(frozen=True, slots=True)
class Matched:
    """Two sides whose tensors are matched: `pairs` by name, and those that only one side has."""

    pairs: tuple[tuple[str, Side | None, Side | None, str], ...]

    @property
    def elements(self) -> int:
        """How many elements there are to compare, at most."""
        return sum(math.prod(a.shape) for _, a, b, _ in self.pairs if a and b)


def matched(a: Operand, b: Operand) -> Matched:
    """The tensors of both in the order of `a`, then those that only `b` has. Raises PvError for two kinds of operands."""
    if a.kind != b.kind:
        seen = f"{a.path} is {_article(a.kind)}, {b.path} is {_article(b.kind)}"
        raise PvError(f"{seen}: they have nothing to compare", hint="two files of stages, two captures, or two models")
    if a.kind == FILE:
        (one,), (other,) = a.tensors.values(), b.tensors.values()
        return Matched(((one.name, one, other, ""),))
    return Matched(tuple(_pairs(a, b)))


def compared(
    a: Operand, b: Operand, found: Matched, tolerance: Tolerance | None, top: int, told: Told = lambda count: None
) -> ValueDiff:
    """Every pair compared, with `tolerance` or with that of its dtypes, and the `top` elements of each."""
    refused = ""
    if a.tokens and b.tokens and a.tokens != b.tokens:
        at = next((n for n, (x, y) in enumerate(zip(a.tokens, b.tokens, strict=False)) if x != y), None)
        where = f"{len(a.tokens)} and {len(b.tokens)} tokens" if at is None else (
            f"token {at} is {a.tokens[at]} and {b.tokens[at]}")  # fmt: skip
        refused = f"the models read different tokens ({where}): values of different inputs say nothing about either"
    rows = () if refused else tuple(_row(*pair, tolerance, top, told) for pair in found.pairs)
    names = dict.fromkeys((*a.facts, *b.facts))
    differing = tuple((name, a.facts.get(name, ""), b.facts.get(name, "")) for name in names
                      if a.facts.get(name, "") != b.facts.get(name, ""))  # fmt: skip
    return ValueDiff(a, b, rows, differing, refused)


def _pairs(a: Operand, b: Operand) -> Iterator[tuple[str, Side | None, Side | None, str]]:
    for name in dict.fromkeys((*a.tensors, *b.tensors)):
        one, other, note = a.tensors.get(name), b.tensors.get(name), ""
        if a.kind == WEIGHTS and other is None and (stand_in := _tied(b, a, name)):
            other, note = b.tensors[stand_in], f"tied to {stand_in} in B"
        elif a.kind == WEIGHTS and one is None and (stand_in := _tied(a, b, name)):
            one, note = a.tensors[stand_in], f"tied to {stand_in} in A"
        yield name, one, other, note


_HEADS = ("lm_head.weight", "output.weight", "embed_out.weight")
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "token_embd.weight", "word_embeddings.weight")


def _tied(lacking: Operand, other: Operand, name: str) -> str:
    """The embedding that `lacking`, which says that it ties them, has in place of the head `name` of `other`."""
    if not lacking.tied or name not in _HEADS:
        return ""
    shape = other.tensors[name].shape
    return next((key for key, side in lacking.tensors.items()
                 if key.endswith(_EMBEDDINGS) and side.shape == shape and key in other.tensors), "")  # fmt: skip


class _Layout(NamedTuple):
    """How two tensors are laid on each other: `order` is that of the axes of B; `refused` says why they are not."""

    axes: tuple[str, ...]
    shape: tuple[int, ...]
    order: tuple[int, ...]
    refused: str = ""


def _row(
    name: str, a: Side | None, b: Side | None, note: str, tolerance: Tolerance | None, top: int, told: Told
) -> Row:  # fmt: skip
    if a is None or b is None:
        return Row(name, Agreement.UNMEASURED, a, b, reason=f"only in {'B' if a is None else 'A'}", note=note)
    layout = _layout(a, b)
    if reason := why_other(a, b) or layout.refused:
        told(math.prod(a.shape))
        return Row(name, Agreement.DIFFERS, a, b, layout.axes, reason=reason, note=note)
    if layout.order != tuple(range(len(layout.order))):
        note = f"axes of B, {' '.join(b.axes)}, put in the order {' '.join(layout.axes)}"
    try:
        found = _compared(a, b, layout, tolerance, top, told)
    except PvError as error:
        if error.exit is not Exit.RUN:
            raise
        hint = f" ({error.hint})" if error.hint else ""
        return Row(name, Agreement.UNMEASURED, a, b, layout.axes, reason=f"{error.message}{hint}", note=note)
    return Row(name, found.agreement, a, b, layout.axes, found, note=note)


def _layout(a: Side, b: Side) -> _Layout:
    same = tuple(range(len(b.shape)))
    if a.axes and b.axes:
        order = permutation(a.axes, b.axes)
        if order is None:
            seen = f"axes {' '.join(a.axes)} against {' '.join(b.axes)}, and nothing says which is which"
            return _Layout(a.axes, a.shape, same, seen)
        same = order
    elif math.prod(a.shape) == math.prod(b.shape) and 1 in (len(a.shape), len(b.shape)) and (a.axes or b.axes):
        wider = a if a.axes else b  # the other is a file by itself: its values lie as they were written
        return _Layout(wider.axes, wider.shape, tuple(range(len(wider.shape))))
    if a.shape != tuple(b.shape[axis] for axis in same):
        turned = "; transposed?" if a.shape == b.shape[::-1] else ""
        return _Layout(a.axes, a.shape, same, f"shape {_sizes(a.shape)} against {_sizes(b.shape)}{turned}")
    return _Layout(a.axes or b.axes, a.shape, same)


def _compared(a: Side, b: Side, layout: _Layout, tolerance: Tolerance | None, top: int, told: Told) -> Comparison:
    from pv.compare.arrays import compare
    from pv.compare.source import permuted

    if "AprQ4" in (a.stored, b.stored) and a.stored != b.stored:
        raise PvError(
            "AprQ4 does not say in which order the elements of a block lie",
            exit=Exit.RUN,
            hint="leave it out, or compare the file it was made from",
        )
    one, other = _read(a, b)
    if layout.order != tuple(range(len(layout.order))):
        other = permuted(other, layout.order)
    return compare(
        replace(one, shape=layout.shape), replace(other, shape=layout.shape), axes=layout.axes, tolerance=tolerance,
        top=top, exactly=a.indices or b.indices, told=told,
    )  # fmt: skip


def _read(a: Side, b: Side) -> tuple[Values, Values]:
    """Both sides; a large tensor of a capture is held against its SHA-256 meanwhile, which is worth a thread each."""
    if math.prod(a.shape) < _LARGE:
        return a.read(), b.read()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda side: side.read(), (a, b))
    return one, other


def _article(kind: str) -> str:
    return {FILE: "an APRT file", CAPTURE: "a capture"}.get(kind, "a model")


def _sizes(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"
