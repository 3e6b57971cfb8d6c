"""Sizes: none too large, the ends often, and a domain that cannot be drawn is an error."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, seed
from hypothesis import strategies as st

from pv.contract.model import Dimension, Equation, Range, ValueSpec
from pv.falsify.cases import Case, regions
from pv.falsify.drawn import LARGEST_ELEMENTS, MOST_ELEMENTS, USUAL_ELEMENTS, Room, whole_numbers
from pv.falsify.explore import explore
from pv.finding import Place, PvError

HERE = Place("c.yaml")


def tensor(*shape: int | str, name: str = "x") -> ValueSpec:
    return ValueSpec(name, HERE, "tensor", ("float32",), shape=shape, range=Range(-1, 1))


def equation(*specs: ValueSpec, returns: tuple[ValueSpec, ...] = (), **sizes: tuple[int, int]) -> Equation:
    dimensions = tuple(Dimension(name, HERE, *ends) for name, ends in sizes.items())
    return Equation("eq", HERE, "f", "d", "c", dimensions, specs, returns)


def drawn(target: Equation, count: int = 60) -> list[Case]:
    seen: list[Case] = []
    for region in regions(target):
        explore(region, seen.append, examples=count, seed=0, shrink=False)
    return seen


def integer(name: str, least: int, most: int) -> ValueSpec:
    return ValueSpec(name, HERE, "integer", range=Range(least, most))


@pytest.mark.parametrize(("target", "least"), [
    (equation(tensor("n", "m"), n=(1, 10**9), m=(1, 10**9)), 1),
    (equation(tensor("n", "n", "n"), n=(1, 10**6)), 1),
    (equation(tensor("n"), tensor("n", "m", name="y"), m=(4, 10**9), n=(1, 10**9)), 1),
    (equation(tensor("count"), integer("count", 1, 10**12)), 1),
    (equation(tensor("n", 1024), n=(0, 10**9)), 0),
], ids=["matrix", "cube", "shared", "integer", "fixed"])  # fmt: skip
def test_no_tensor_has_more_elements_than_are_drawn(target: Equation, least: int) -> None:
    counts = [value.numel() for case in drawn(target) for value in case if isinstance(value, torch.Tensor)]
    assert least == min(counts)
    assert USUAL_ELEMENTS < max(counts) <= MOST_ELEMENTS
    assert sum(count > USUAL_ELEMENTS for count in counts) < len(counts) / 2


def test_what_the_results_need_counts_too() -> None:
    target = equation(integer("n", 1, 10**9), returns=(tensor("n", "n", name="mask"),))
    assert max(case.n for case in drawn(target)) == math.isqrt(MOST_ELEMENTS)


def test_least_sizes_are_drawn_as_they_are_up_to_a_bound() -> None:
    side = math.isqrt(LARGEST_ELEMENTS)
    (found,) = {tuple(case.x.shape) for case in drawn(equation(tensor("n", "m"), n=(side, side), m=(side, 10**9)), 3)}
    assert found == (side, side)
    with pytest.raises(
        PvError, match=r"^eq: 'x' has at least 16,781,312 elements; no case has a tensor of more than 16,777,216$"
    ):
        regions(equation(tensor("n", "m"), n=(side, side), m=(side + 1, 10**9)))
    with pytest.raises(PvError, match="'x' has at least 100,000,000 elements"):
        regions(equation(tensor("count", 10**7), integer("count", 10, 20)))


@given(
    shape=st.lists(st.sampled_from(["n", "m", 3]), min_size=1, max_size=4),
    ends=st.tuples(st.integers(0, 2**12), st.integers(0, 2**40)).map(sorted),
    other=st.integers(0, 2**12),
)
def test_the_room_of_a_letter_is_all_there_is(shape: list[int | str], ends: list[int], other: int) -> None:
    target = equation(tensor(*shape), n=(ends[0], ends[1]), m=(other, other))
    low, usual, most = Room(target, None, ()).limits("n", ends[0], ends[1], {"m": other})
    assert ends[0] == low <= usual <= most <= ends[1]

    def elements(size: int) -> int:
        return math.prod(max(1, {"n": size, "m": other}.get(str(side), 3)) for side in shape)

    for found, bound in ((usual, USUAL_ELEMENTS), (most, MOST_ELEMENTS)):
        if "n" in shape:
            assert found == low or elements(found) <= bound
            assert found == ends[1] or elements(found + 1) > bound
        else:
            assert found == ends[1]


def test_the_ends_come_often_and_everything_comes() -> None:
    runs: list[set[int]] = []

    def draw(size: int) -> None:
        runs[-1].add(size)

    for number in range(8):
        runs.append(set())
        seed(number)(given(whole_numbers(1, 1000, 5000))(draw))()
    seen = set.union(*runs)
    assert (min(seen), max(seen), any(1000 < size < 5000 for size in seen)) == (1, 5000, False)
    assert set.intersection(*runs) >= {1, 1000, 5000}
    assert {31, 32, 33, 63, 64, 65, 127, 128, 129} <= seen
    assert len(seen) > 150


def test_a_small_range_has_one_encoding_for_each_size() -> None:
    found = {case.n for case in drawn(equation(integer("n", 1, 16)), 40)}
    assert found == set(range(1, 17))
