"""`check.*` asserts exactly what it says: each method fails when it should, and says where and why."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from pv.contract.model import Holds, Invariant, Tolerance
from pv.falsify import comparison
from pv.falsify.check import Check, Falsified
from pv.falsify.outcome import Failure, Nearest
from pv.finding import Place, PvError

NAN, INF = math.nan, math.inf


class Pair(NamedTuple):
    left: object
    right: object

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


BOUNDED = (("float32", Tolerance(1e-3, 1e-2)), ("float64", Tolerance(1e-9)))


def clause(id_: str = "it", holds: Holds = Holds.EXACT, *tolerances: tuple[str, Tolerance]) -> Invariant:
    return Invariant("equation", id_, Place("c.yaml"), f"the statement of {id_}", holds, tolerances=tuple(tolerances))


def exact() -> Check:
    return Check([clause()])


def bounded() -> Check:
    return Check([clause("it", Holds.BOUNDED, *BOUNDED)])


def failure_of(check: Check, assertion: Callable[[], None]) -> Failure:
    """What the assertion failed with; it must fail, and be counted once."""
    before = check.count
    with pytest.raises(Falsified):
        assertion()
    assert check.count == before + 1
    assert check.failure is not None
    return check.failure


def fails(check: Check, assertion: Callable[[], None]) -> bool:
    try:
        assertion()
    except Falsified:
        return True
    return False


# --- equal


@pytest.mark.parametrize(("observed", "expected"), [
    (torch.tensor([1, 2]), torch.tensor([1, 2])),
    (torch.tensor([1.5, 1.5]), 1.5),
    (torch.tensor([0.1]), 0.1),
    (torch.tensor([3, 3]), 3),
    (torch.tensor([3, 3]), 3.0),
    (torch.tensor([True]), True),
    (torch.tensor([INF]), INF),
    (torch.tensor([-0.0]), torch.tensor([0.0])),
    (torch.ones(2, 2), [[1, 1.0], [1, 1]]),
    (torch.tensor([1j]), torch.tensor([1j])),
    (torch.tensor([0.1], dtype=torch.bfloat16), 0.1),
    (torch.nn.Parameter(torch.ones(2)), torch.ones(2)),
    (torch.tensor([2**53 + 1]), 2**53 + 1),
    (-0.0, 0.0),
    ("text", "text"),
    ("", ""),
    ((1, [2.0, None]), (1, [2.0, None])),
    ({"a": [1.0], 2: (torch.ones(2), None)}, {2: (torch.ones(2), None), "a": [1.0]}),
    ({1, "b"}, {"b", 1}),
    (Pair(1, torch.ones(2)), Pair(1, torch.ones(2))),
    (torch.zeros(2, 3).shape, torch.Size([2, 3])),
    (torch.float32, torch.float32),
])  # fmt: skip
def test_equal_holds_of_equal_values_and_counts_once(observed: object, expected: object) -> None:
    check = exact()
    check.equal(observed, expected)
    assert (check.count, check.failure) == (1, None)


@pytest.mark.parametrize(("observed", "expected", "message"), [
    (torch.tensor([1, 2, 3]), torch.tensor([1, 9, 3]), "differs at [1]"),
    (torch.zeros(2, 2), torch.tensor([[0.0, 0.0], [0.0, 1.0]]), "differs at [1, 1]"),
    (torch.tensor(1.0), 2.0, "differs"),
    (torch.ones(2), torch.ones(2, dtype=torch.float64), "has another dtype"),
    (torch.ones(2), torch.ones(2, 1), "has another shape"),
    (torch.ones(2), torch.ones(1), "has another shape"),
    (torch.ones(2), torch.tensor(1.0), "has another shape"),
    (torch.ones(3, 2), [1.0, 1.0], "has another shape"),
    (torch.tensor([NAN]), torch.tensor([NAN]), "differs at [0]"),
    (torch.tensor([NAN]), NAN, "differs at [0]"),
    (torch.tensor([1, 1]), 1.5, "torch.int64 cannot hold the number expected"),
    (torch.tensor([True]), 2, "torch.bool cannot hold the number expected"),
    (torch.tensor([INF]), 1e300, "torch.float32 cannot hold the number expected"),
    (torch.tensor([2.0**24]), 2**24 + 1, "torch.float32 cannot hold the number expected"),
    (torch.tensor([44], dtype=torch.uint8), 300, "torch.uint8 cannot hold the number expected"),
    (torch.tensor([1]), True, "torch.int64 cannot hold the number expected"),
    (torch.tensor([1.0]), True, "torch.float32 cannot hold the number expected"),
    (torch.tensor([True]), 1, "torch.bool cannot hold the number expected"),
    (torch.tensor([2**53 + 1]), 2**53, "differs at [0]"),
    (torch.tensor([1 + 1j]), torch.tensor([1 + 2j]), "differs at [0]"),
    (torch.ones(2), [1.0, 2.0], "differs at [1]"),
    (torch.ones(2), "ones", "is a tensor"),
    (torch.ones(2), None, "is a tensor"),
    (1.0, torch.tensor(1.0), "is no tensor"),
    (None, torch.ones(2), "is no tensor"),
    (NAN, NAN, "differs"),
    ([NAN], [NAN], "differs"),
    (1, 1.0, "differs"),
    (1, True, "differs"),
    ([1], [True], "differs"),
    ((1,), [1], "differs"),
    ("a", "b", "differs"),
    (b"a", "a", "differs"),
    ([torch.ones(2)], [torch.ones(1)], "differs"),
    ([torch.ones(1)], [torch.ones(1, dtype=torch.float64)], "differs"),
    ([torch.tensor(NAN)], [torch.tensor(NAN)], "differs"),
    ({1: "a"}, {True: "a"}, "differs"),
    ({1: "a"}, {1: "b"}, "differs"),
    ({NAN: 1}, {NAN: 1}, "differs"),
    ({1}, {True}, "differs"),
    (Pair(1, 2), Pair(1, 3), "differs"),
    (Pair(1, 2), (1, 2), "differs"),
    (torch.float32, torch.float64, "differs"),
])  # fmt: skip
def test_equal_fails_of_anything_else(observed: object, expected: object, message: str) -> None:
    check = exact()
    failure = failure_of(check, lambda: check.equal(observed, expected))
    assert (failure.invariant, failure.message) == ("equation/it", message)


def test_nan_on_both_sides_fails_also_where_it_is_the_same_object() -> None:
    shared = [NAN]
    assert shared == shared
    assert fails(exact(), lambda: exact().equal(shared, shared))


def test_a_failure_says_what_was_seen_what_was_expected_and_where() -> None:
    check = exact()
    line = sys._getframe().f_lineno + 1
    failure = failure_of(check, lambda: check.equal(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5])))
    assert failure == Failure("equation/it", "differs at [1]", "2.0", "2.5", f"{Path(__file__).as_posix()}:{line}")


# --- close


@given(
    expected=st.floats(-1e6, 1e6),
    tolerance=st.builds(Tolerance, st.floats(1e-6, 1.0), st.floats(0, 0.1), st.floats(0, 0.1)),
    sign=st.sampled_from([-1, 1]),
)
def test_half_the_tolerance_holds_and_twice_fails(expected: float, tolerance: Tolerance, sign: int) -> None:
    bound = tolerance.absolute + (tolerance.relative + tolerance.of_largest) * abs(expected)
    assume(bound > 1e-9 * abs(expected))  # otherwise half of it is lost in the addition
    check = Check([clause("it", Holds.BOUNDED, ("float64", tolerance))])
    wanted = torch.tensor([expected], dtype=torch.float64)
    check.close(wanted + sign * bound / 2, wanted)
    assert fails(check, lambda: check.close(wanted + sign * bound * 2, wanted))


@pytest.mark.parametrize(("expected", "holds"), [([0.0, 100.0], True), ([0.0, 1.0], False)])
def test_a_part_of_the_largest_is_room_for_the_small_ones_beside_it(expected: list[float], holds: bool) -> None:
    check = Check([clause("it", Holds.BOUNDED, ("float32", Tolerance(0.0, 0.0, 0.01)))])
    wanted = torch.tensor(expected)

    assert fails(check, lambda: check.close(wanted + torch.tensor([0.5, 0.0]), wanted)) is not holds


def test_the_tolerance_is_that_of_the_observed_dtype_or_of_the_one_named() -> None:
    check = bounded()
    near = torch.tensor([1.005])
    check.close(near, 1.0)
    check.close(near.double(), 1.0, dtype=torch.float32)
    failure = failure_of(check, lambda: check.close(near.double(), 1.0))
    assert failure.message == "|Δ| 0.005 > tolerance 1e-09 (float64) at [0]"


def test_close_reports_the_worst_element() -> None:
    check = bounded()
    failure = failure_of(check, lambda: check.close(torch.tensor([1.0, 1.1, 9.0]), torch.tensor([1.0, 1.0, 1.0])))
    assert (failure.message, failure.observed) == ("|Δ| 8 > tolerance 0.011 (float32) at [2]", "9.0")


@pytest.mark.parametrize("observed", [NAN, INF, -INF])
@pytest.mark.parametrize("expected", [NAN, INF, -INF, 1.0])
def test_close_fails_of_what_is_not_finite_on_either_side(observed: float, expected: float) -> None:
    check = bounded()
    for left, right in ((observed, expected), (expected, observed)):
        failure = failure_of(
            check, lambda left=left, right=right: check.close(torch.tensor([left]), torch.tensor([right]))
        )
        assert failure.message == "is not finite at [0]"


@pytest.mark.parametrize("shape", [(1,), (2, 1), (1, 2), ()])
def test_close_and_at_most_never_broadcast_a_tensor(shape: tuple[int, ...]) -> None:
    for method in ("close", "at_most", "at_least"):
        check = bounded()
        failure = failure_of(
            check, lambda check=check, method=method: getattr(check, method)(torch.ones(2), torch.ones(shape))
        )
        assert failure.message == "has another shape"


def test_a_tolerance_that_the_contract_does_not_state_is_an_error_and_no_verdict() -> None:
    for check in (exact(), bounded()):
        with pytest.raises(PvError, match=re.escape("equation/it states no tolerance for float16")):
            check.close(torch.ones(1, dtype=torch.float16), 1.0)
        assert check.failure is None


def test_plain_numbers_are_compared_as_float64() -> None:
    check = bounded()
    check.close(0.1, 0.1)
    check.at_most(0.1, 0.1)
    check.at_least([0.1, 0.2], 0.1)
    assert fails(check, lambda: check.close(0.1, 0.1 + 3e-9))
    assert check.nearest == {("equation/it", "float64"): Nearest(0.1 + 3e-9 - 0.1, 1e-9)}


def test_the_comparison_nearest_to_its_bound_is_kept_for_each_dtype() -> None:
    check = bounded()
    check.close(torch.tensor([0.0]), torch.tensor([0.0]))
    assert check.nearest == {("equation/it", "float32"): Nearest(0.0, 1e-3)}
    check.close(torch.tensor([0.0, 0.0005]), torch.tensor([0.0, 0.0]))
    check.close(torch.tensor([0.0001]), torch.tensor([0.0]))
    check.close(torch.tensor([0.0], dtype=torch.float64), 1e-10)
    kept = {dtype: (row.residual, row.bound) for (_, dtype), row in check.nearest.items()}
    assert kept == {"float32": (pytest.approx(0.0005), 1e-3), "float64": (1e-10, 1e-9)}


# --- what would let a comparison lie


class Agreeable(torch.Tensor):
    """A tensor that says whatever a comparison wants to hear."""

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return torch.zeros(())

    def __eq__(self, other: object) -> bool:  # type: ignore[override] # so that it may lie
        return True

    @property
    def shape(self) -> torch.Size:  # type: ignore[override] # as above
        return torch.Size([1])


class Deputy(torch.Tensor):
    """A tensor without elements of its own, which has an answer to every operation."""

    @staticmethod
    def __new__(cls) -> Deputy:
        made: Deputy = torch.Tensor._make_wrapper_subclass(cls, (1,))  # type: ignore[attr-defined] # torch's own way
        return made

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return torch.ones(1)


class Chameleon:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment] # it need not be a key


@pytest.mark.parametrize("method", ["equal", "close", "at_most", "at_least"])
@pytest.mark.parametrize("sides", [(3.0, 1.0), (1.0, 3.0)])
def test_a_tensor_class_of_its_own_cannot_say_that_it_is_right(method: str, sides: tuple[float, float]) -> None:
    check = bounded()
    one, other = (torch.tensor([side]) for side in sides)
    wrong = fails(bounded(), lambda: getattr(bounded(), method)(one, other))
    for pair in ((one.as_subclass(Agreeable), other), (one, other.as_subclass(Agreeable))):
        assert fails(check, lambda pair=pair: getattr(check, method)(*pair)) is wrong
    assert fails(check, lambda: check.shape(torch.ones(3).as_subclass(Agreeable), [1]))


def test_a_tensor_that_requires_grad_is_compared_by_its_values() -> None:
    check = bounded()
    leaf = torch.ones(2, requires_grad=True)
    check.equal(leaf * 2, 2.0)
    check.close(leaf * 2, leaf + 1)
    assert fails(check, lambda: check.close(leaf * 2, 1.0))


@pytest.mark.parametrize(("value_of", "said"), [
    (Deputy, "Deputy answers for its elements itself"),
    (lambda: torch.ones(2).to_sparse(), "a torch.sparse_coo tensor does not store every element; compare its .to_dense()"),
    (lambda: torch.ones(2, device="meta"), "a tensor on the device meta has no elements"),
    (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "a torch.qint8 tensor stands for other numbers"),
    (lambda: torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]), "a nested tensor has no shape"),
], ids=["deputy", "sparse", "meta", "quantized", "nested"])  # fmt: skip
@pytest.mark.filterwarnings("ignore")  # torch says of the last two that they are not final
@pytest.mark.parametrize("method", ["equal", "close", "at_most", "at_least"])
def test_a_tensor_whose_elements_cannot_be_seen_is_an_error(
    value_of: Callable[[], torch.Tensor], said: str, method: str
) -> None:
    for pair in ((value_of(), torch.ones(2)), (torch.ones(2), value_of())):
        check = bounded()
        with pytest.raises(PvError, match=re.escape(said)):
            getattr(check, method)(*pair, **({} if method == "equal" else {"dtype": "float32"}))
        assert (check.count, check.failure) == (0, None)


@pytest.mark.parametrize("method", ["close", "at_most", "at_least"])
def test_complex_numbers_are_not_cut_to_their_real_part(method: str) -> None:
    check = bounded()
    with pytest.raises(PvError, match=r"compare \.real and \.imag"):
        getattr(check, method)(torch.tensor([1 + 5j]), torch.tensor([1 - 5j]), dtype="float32")


@pytest.mark.parametrize("large", [torch.tensor([2**53 + 1]), 2**53 + 1, [1, 2**70], -(2**53) - 1])
def test_integers_that_float64_does_not_hold_are_not_rounded(large: Any) -> None:
    for method in ("close", "at_most", "at_least"):
        check = Check([clause("it", Holds.BOUNDED, ("int64", Tolerance(0.5)), ("float64", Tolerance(0.5)))])
        for pair in ((large, 2.0**53), (2**53 - 1, large)):
            with pytest.raises(PvError, match=re.escape("float64 does not hold integers from 2**53 on")):
                getattr(check, method)(*pair)
        getattr(check, method)(torch.tensor([2**53 - 1]), 2**53 - 1)
        assert check.count == 1


@pytest.mark.parametrize("value", [None, "1.0", {}, Chameleon()])
def test_what_is_no_number_is_close_to_nothing(value: Any) -> None:
    for pair in ((value, 1.0), (torch.ones(1), value)):
        check = bounded()
        assert failure_of(check, lambda check=check, pair=pair: check.close(*pair)).message == "is no number"


@pytest.mark.parametrize(("one", "other"), [
    (Chameleon(), Chameleon()), ([Chameleon()], [Chameleon()]), ({"a": Chameleon()}, {"a": Chameleon()}),
    ({Pair(1, 2): 1}, {Pair(1, 2): 1}), (frozenset([Pair(1, 2)]), frozenset([Pair(1, 2)])), (range(2), range(2)),
])  # fmt: skip
def test_a_class_that_decides_itself_what_it_equals_is_an_error(one: Any, other: Any) -> None:
    check = exact()
    with pytest.raises(PvError, match="decides itself what it equals"):
        check.equal(one, other)
    assert check.count == 0


def test_tensors_of_any_float_are_compared_without_rounding() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        check = Check([clause("it", Holds.BOUNDED, (name, Tolerance(1e-9)))])
        one = torch.tensor([1.0], dtype=dtype)
        check.close(one, 1.0)
        assert fails(check, lambda check=check, one=one: check.close(one.nextafter(one + 1), 1.0))
        assert fails(check, lambda check=check, one=one: check.equal(one.nextafter(one + 1), 1.0))


# --- counting


EMPTY = torch.ones(2)[torch.tensor([False, False])]


@pytest.mark.parametrize("method", ["equal", "close", "at_most", "at_least"])
def test_a_comparison_without_elements_is_no_executed_check(method: str) -> None:
    check = bounded()
    getattr(check, method)(EMPTY, 7.0)
    getattr(check, method)(EMPTY, torch.zeros(0))
    assert (check.count, check.failure, check.nearest) == (0, None, {})
    getattr(check, method)(torch.ones(1), 1.0)
    assert check.count == 1
    assert failure_of(check, lambda: getattr(check, method)(EMPTY, torch.ones(1))).message == "has another shape"


def test_an_empty_comparison_of_another_dtype_still_fails() -> None:
    check = exact()
    assert (
        failure_of(check, lambda: check.equal(EMPTY, torch.zeros(0, dtype=torch.int64))).message == "has another dtype"
    )


def test_a_falsifier_cannot_count_for_itself() -> None:
    check = exact()
    with pytest.raises(AttributeError):
        check.count = 9  # type: ignore[misc] # that is the test
    with pytest.raises(AttributeError):
        check.counted = 9  # type: ignore[attr-defined] # that is the test
    assert check.count == 0


# --- the probe


@pytest.mark.parametrize(("tolerance", "expected", "said"), [
    (Tolerance(INF), 1.0, "the tolerance is not finite: everything passes"),
    (Tolerance(0.0, INF), 1.0, "the tolerance is not finite: everything passes"),
    (Tolerance(1e39), 1.0, "the tolerance at 1.0 is 1e+39: every float32 passes"),
    (Tolerance(0.0, 1e39), 2.0, "the tolerance at 2.0 is 2e+39: every float32 passes"),
    (Tolerance(1e-20), 1.0, "the tolerance at 1.0 is 1e-20: less than float64 tells apart"),
    (Tolerance(0.0, 1e-17), 3.0, "the tolerance at 3.0 is 3e-17: less than float64 tells apart"),
    (Tolerance(0.1), 1e17, "the tolerance at 1e+17 is 0.1: less than float64 tells apart"),
])  # fmt: skip
@pytest.mark.parametrize("method", ["close", "at_most", "at_least"])
def test_a_tolerance_that_cannot_tell_right_from_wrong_is_an_error(
    method: str, tolerance: Tolerance, expected: float, said: str
) -> None:
    check = Check([clause("it", Holds.BOUNDED, ("float32", tolerance))])
    for _ in range(2):  # also when the falsifier swallows it and goes on
        with pytest.raises(PvError, match=re.escape(f"equation/it cannot be judged within its tolerance: {said}")):
            getattr(check, method)(torch.tensor([expected]), expected)
    assert (check.count, check.failure) == (0, None)


@given(
    expected=st.floats(-1e300, 1e300, allow_subnormal=False),
    tolerance=st.builds(
        Tolerance,
        st.sampled_from([0.0, 1e-300]) | st.floats(0, 1e3),
        *[st.just(0.0) | st.floats(4.5e-16, 0.5)] * 2,
    ),
    method=st.sampled_from(["close", "at_most", "at_least"]),
)
def test_a_tolerance_that_float64_can_tell_apart_passes_the_probe(
    expected: float, tolerance: Tolerance, method: str
) -> None:
    bound = tolerance.absolute + (tolerance.relative + tolerance.of_largest) * abs(expected)
    assume(bound == 0 or bound >= math.ulp(expected))
    check = Check([clause("it", Holds.BOUNDED, ("float64", tolerance))])
    getattr(check, method)(torch.tensor([expected], dtype=torch.float64), expected)
    assert check.count == 1


@pytest.mark.parametrize("broken", [
    lambda seen, wanted, bound: torch.zeros_like(seen, dtype=torch.bool),
    lambda seen, wanted, bound: (seen - wanted).abs() > 3 * bound,
    lambda seen, wanted, bound: (seen - wanted).abs() > bound / 3,
    lambda seen, wanted, bound: (seen - wanted) > bound,
    lambda seen, wanted, bound: (wanted - seen) > bound,
    lambda seen, wanted, bound: (seen - wanted).float().abs() > bound.float() + 1e-6,
], ids=["nothing is wrong", "three times as wide", "a third", "above only", "below only", "in float32"])  # fmt: skip
def test_a_comparison_that_is_wrong_itself_is_noticed(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe goes through the comparison that it is about: here is one broken in ways that a mistake would break it."""

    def compare(seen: torch.Tensor, wanted: torch.Tensor, tolerance: Tolerance, side: comparison.Side) -> Any:
        found = honest(seen, wanted, tolerance, side)
        return found._replace(wrong=broken(seen, wanted, found.bound))

    honest = comparison.compare
    one = torch.ones(1, dtype=torch.float64)
    check = Check([clause("it", Holds.BOUNDED, ("float64", Tolerance(1e-9)))])
    check.close(one, 1.0)
    monkeypatch.setattr(comparison, "compare", compare)
    with pytest.raises(PvError, match=r"(half|twice) the tolerance 1e-09 at 1\.0 (passes|fails)"):
        Check([clause("it", Holds.BOUNDED, ("float64", Tolerance(1e-9)))]).close(one, 1.0)


def test_without_room_one_unit_in_the_last_place_has_to_fail() -> None:
    check = Check([clause("it", Holds.BOUNDED, ("float64", Tolerance(0.0, 1e-9)))])
    zero = torch.zeros(1, dtype=torch.float64)
    check.close(zero, 0.0)
    assert fails(check, lambda: check.close(zero.nextafter(zero + 1), 0.0))


def test_the_probe_looks_where_the_bound_is_largest_and_finite() -> None:
    expected = torch.tensor([0.0, 1.0, 1e10], dtype=torch.float64)
    check = Check([clause("it", Holds.BOUNDED, ("float64", Tolerance(1e-20, 1e-9)))])
    check.close(expected, expected)
    small = Check([clause("it", Holds.BOUNDED, ("float64", Tolerance(1e-20, 1e-18)))])
    with pytest.raises(PvError, match=r"at 10000000000\.0 is 1e-08"):
        small.close(expected, expected)


# --- at_most, at_least


def test_an_exact_limit_has_no_room() -> None:
    check = exact()
    check.at_most(torch.tensor([1.0, 0.5]), 1.0)
    check.at_least(torch.tensor([1.0, 1.5]), 1.0)
    above = failure_of(check, lambda: check.at_most(torch.tensor([1.0, 1.0000001]), 1.0))
    assert above.message == "is above the limit at [1]"
    check = exact()
    below = failure_of(check, lambda: check.at_least(torch.tensor([2.0, 0.5]), 1.0))
    assert (below.message, below.observed, below.expected) == ("is below the limit at [1]", "0.5", "1.0")


def test_a_bounded_limit_has_the_room_of_its_tolerance() -> None:
    check = bounded()
    check.at_most(torch.tensor([1.01]), 1.0)
    check.at_least(torch.tensor([0.99]), 1.0)
    check.at_most(torch.tensor([1.01], dtype=torch.float64), 1.0, dtype=torch.float32)
    assert fails(check, lambda: check.at_most(torch.tensor([1.02]), 1.0))
    assert fails(check, lambda: check.at_least(torch.tensor([0.98]), 1.0))


def test_limits_hold_of_unsigned_integers_and_booleans() -> None:
    check = exact()
    check.at_least(torch.tensor([5], dtype=torch.uint8), 3)
    check.at_least(torch.tensor([True]), 0)
    assert fails(check, lambda: check.at_least(torch.tensor([2], dtype=torch.uint8), 3))


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_limit_fails_of_what_is_not_finite(value: float) -> None:
    for check, method in ((exact(), "at_most"), (exact(), "at_least")):
        failure = failure_of(
            check, lambda check=check, method=method: getattr(check, method)(torch.tensor([value]), 0.0)
        )
        assert failure.message == "is not finite at [0]"


# --- that, shape, raises


def test_that_takes_a_bool_and_nothing_like_one() -> None:
    check = exact()
    check.that(True, "seen")
    for almost in (1, torch.tensor(True), None, []):
        with pytest.raises(TypeError, match="takes a bool"):
            check.that(almost, "seen")  # type: ignore[arg-type] # that is the test
    assert check.count == 1
    failure = failure_of(check, lambda: check.that(False, "seen"))
    assert (failure.observed, failure.expected) == ("seen", "the statement of it")


def test_shape_compares_every_side_and_refuses_what_has_none() -> None:
    check = exact()
    check.shape(torch.zeros(2, 3), [2, 3])
    check.shape(torch.tensor(1.0), [])
    assert fails(check, lambda: check.shape(torch.zeros(2, 3), [3, 2]))
    assert fails(check, lambda: check.shape([1, 2], [2]))


def refuse(message: str, kind: type[Exception] = ValueError) -> Callable[[], None]:
    def call() -> None:
        raise kind(message)

    return call


@pytest.mark.parametrize(("message", "naming"), [
    ("index 5 is outside 0 … 2", [5]),
    ("index 5 is outside 0 … 2", [5, 2, "outside"]),
    ("index -1 is outside", [-1]),
    ("must be in 1-5.", [5]),
    ("is 0.5", [0.5]),
    ("character 'É'", ["'É'"]),
])  # fmt: skip
def test_raises_holds_when_the_error_names_everything(message: str, naming: list[object]) -> None:
    check = exact()
    check.raises(ValueError, refuse(message), naming=naming)
    assert (check.count, check.failure) == (1, None)


@pytest.mark.parametrize(("message", "naming"), [
    ("index 15 is outside 0 … 52", [5]),
    ("index -5 is outside", [5]),
    ("is 0.5", [5]),
    ("is 5.5", [5]),
    ("index is outside", [5]),
    ("tokens", ["token"]),
])  # fmt: skip
def test_raises_fails_when_something_is_not_named_by_itself(message: str, naming: list[object]) -> None:
    check = exact()
    failure = failure_of(check, lambda: check.raises(ValueError, refuse(message), naming=naming))
    assert failure.message == "the error does not name it"


def test_raises_fails_when_nothing_or_something_else_is_raised() -> None:
    check = exact()
    assert failure_of(check, lambda: check.raises(ValueError, lambda: 7)).message == "nothing was raised"
    check = exact()
    other = failure_of(check, lambda: check.raises(ValueError, refuse("no", IndexError)))
    assert (other.message, other.observed, other.expected) == (
        "another error was raised",
        "IndexError('no')",
        "ValueError",
    )


def test_raises_lets_an_error_of_the_check_itself_out() -> None:
    check = exact()
    with pytest.raises(PvError, match="no tolerance"):
        check.raises(Exception, lambda: check.close(torch.ones(1), 1.0))


# --- clauses


def test_with_several_invariants_a_check_names_its_clause() -> None:
    check = Check([clause("a"), clause("b", Holds.BOUNDED, *BOUNDED)])
    check.equal(1, 1, clause="equation/a")
    check.close(torch.tensor([1.001]), 1.0, clause="equation/b")
    failure = failure_of(check, lambda: check.that(False, "no", clause="equation/b"))
    assert (failure.invariant, failure.expected) == ("equation/b", "the statement of b")
    for wrong in ("", "equation/c", "a"):
        with pytest.raises(PvError, match="its test is bound to equation/a, equation/b"):
            check.equal(1, 1, clause=wrong)


def test_the_first_failure_is_kept_when_the_falsifier_goes_on() -> None:
    check = exact()
    assert fails(check, lambda: check.equal(1, 2))
    assert fails(check, lambda: check.equal(3, 4))
    assert check.failure is not None
    assert (check.failure.observed, check.failure.expected) == ("1", "2")
