"""The strata that pv draws: one row each, for what `pv.contract.strata` says in words; and those of a project's own."""

from __future__ import annotations

from collections.abc import Iterable

from pv.falsify import scalars, tensors
from pv.falsify.declare import OwnStratum
from pv.falsify.drawn import Strata, Stratum
from pv.finding import Exit, PvError


def _at_least_two(low: int, high: int, last: bool) -> tuple[int, int]:
    return (min(max(low, 2), high), high) if last else (low, high)


def _smallest(low: int, high: int, last: bool) -> tuple[int, int]:
    return low, low


KNOWN: Strata = {
    ("integer", "ordinary"): Stratum(scalars.integer, lambda value, spec: True),
    ("integer", "edges"): Stratum(scalars.integer_edge, scalars.is_edge),
    ("real", "ordinary"): Stratum(scalars.real, lambda value, spec: True),
    ("real", "edges"): Stratum(scalars.real_edge, scalars.is_edge),
    ("text", "ordinary"): Stratum(scalars.text, scalars.is_of_its_alphabet),
    ("text", "empty"): Stratum(lambda draw, spec, drawn: "", lambda value, spec: value == ""),
    ("text", "foreign"): Stratum(scalars.foreign_text, lambda value, spec: not scalars.is_of_its_alphabet(value, spec)),
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


def with_own(own: Iterable[OwnStratum]) -> Strata:
    """The known strata and those that a project marks with `@stratum`. Raises PvError when one has the name of another."""
    found = dict(KNOWN)
    for mark in own:
        key = (mark.type, mark.name)
        if key in found:
            whose = "pv's own" if key in KNOWN else "marked twice"
            raise PvError(
                f"the {mark.type} stratum {mark.name!r} is {whose}: give it another name",
                exit=Exit.MEND,
                hint="rename it in @stratum and in the contract",
            )
        found[key] = Stratum(mark.draw, mark.holds, mark.sizes)
    return found
