"""A subject beside its reference: what agrees, what differs, and what each of them may raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from pv.contract.model import Holds, Invariant, Tolerance
from pv.falsify.check import Check, Falsified
from pv.falsify.oracle import Oracle
from pv.falsify.subject import Subject
from pv.finding import Place, PvError

HERE = Place("c-v1.yaml")
CLAUSE = Invariant("f", "odd", HERE, "f is odd", Holds.EXACT)
NEAR = Invariant("f", "near", HERE, "f is near", Holds.BOUNDED, tolerances=(("float32", Tolerance(1e-3)),))
NAN, INF = float("nan"), float("inf")


def beside(subject: Callable[..., Any], reference: Callable[..., Any], *bounds: Invariant) -> tuple[Subject, Check]:
    check = Check((CLAUSE,))
    oracle = Oracle(Subject(reference, ["x"]), bounds, CLAUSE, ("x",))
    return oracle.beside(Subject(subject, ["x"]), check), check


def both(seen: Any, wanted: Any, *bounds: Invariant) -> Check:
    paired, check = beside(lambda x: seen, lambda x: wanted, *bounds)
    assert paired(1) is seen
    return check


def floats(*values: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


@pytest.mark.parametrize(("seen", "wanted"), [
    (floats(1, 2), floats(1, 2, dtype=torch.float64)),
    (floats(1, 2), floats(1, 2)),
    (floats(NAN, INF, -INF), floats(NAN, INF, -INF, dtype=torch.float64)),
    (torch.tensor([1, 2]), torch.tensor([1, 2])),
    (torch.tensor([1, 2]), floats(1, 2, dtype=torch.float64)),
    (([1, 2], "ab"), ([1, 2], "ab")),
    ({"a": floats(1)}, {"a": floats(1, dtype=torch.float64)}),
    (NAN, NAN), (1.5, 1.5), (None, None), (b"a", b"a"),
])  # fmt: skip
def test_what_agrees_is_counted(seen: Any, wanted: Any) -> None:
    assert both(seen, wanted).count >= 1


@pytest.mark.parametrize(("seen", "wanted"), [
    (floats(1, 2), floats(1, 2.0000001, dtype=torch.float64)),
    (floats(1, 2), floats(1, 2, dtype=torch.float16)),
    (floats(1, 2), floats(1)),
    (floats(1), [1.0]),
    (floats(NAN), floats(0)), (floats(0), floats(NAN)), (floats(INF), floats(-INF)),
    (torch.tensor([1]), torch.tensor([1], dtype=torch.int32)),
    (([1, 2], "ab"), ([1, 2], "ac")), (([1, 2], "ab"), [[1, 2], "ab"]), (([1], "ab"), ([1, 1], "ab")),
    ({"a": 1}, {"b": 1}),
    (1, 1.0), (1, True), (1.5, 1.25), (None, 0),
])  # fmt: skip
def test_what_differs_fails_under_the_clause_of_the_test(seen: Any, wanted: Any) -> None:
    paired, check = beside(lambda x: seen, lambda x: wanted)
    with pytest.raises(Falsified):
        paired(1)
    assert check.failure is not None
    assert (check.failure.invariant, "against the reference" in check.failure.message) == ("f/odd", True)


def test_within_a_bound_its_residual_is_kept_under_the_bound() -> None:
    check = both(floats(1.0005), floats(1, dtype=torch.float64), NEAR)
    [(key, near)] = check.nearest.items()
    assert (key, near.bound) == (("f/near", "float32"), 1e-3)
    assert 4e-4 < near.residual < 6e-4
    paired, check = beside(lambda x: floats(1.002), lambda x: floats(1, dtype=torch.float64), NEAR)
    with pytest.raises(Falsified, match=r"f/odd: .*> tolerance 0.001 \(float32\) at \[0\], against the reference"):
        paired(1)


def test_a_bound_says_nothing_of_a_dtype_that_it_does_not_name() -> None:
    paired, _ = beside(lambda x: floats(1.0005, dtype=torch.float64), lambda x: floats(1, dtype=torch.float64), NEAR)
    with pytest.raises(Falsified):
        paired(1)


def raising(error: Exception) -> Callable[..., Any]:
    def call(x: Any) -> Any:
        raise error

    return call


def test_an_error_of_the_same_type_agrees_and_goes_on() -> None:
    paired, check = beside(raising(ValueError("a")), raising(ValueError("b")))
    with pytest.raises(ValueError, match=r"^a$"):
        paired(1)
    assert (check.count, check.failure) == (1, None)


@pytest.mark.parametrize(("subject", "reference"), [
    (raising(ValueError("a")), raising(TypeError("a"))),
    (raising(ValueError("a")), lambda x: 1),
    (lambda x: 1, raising(ValueError("a"))),
])  # fmt: skip
def test_an_error_of_one_alone_differs(subject: Callable[..., Any], reference: Callable[..., Any]) -> None:
    paired, check = beside(subject, reference)
    with pytest.raises(Falsified):
        check.raises(ValueError, paired, 1)
    assert check.failure is not None


def test_what_is_wrong_with_the_project_is_no_answer() -> None:
    refused = PvError("x", hint="y")
    for subject, reference in ((raising(refused), lambda x: 1), (lambda x: 1, raising(refused))):
        paired, check = beside(subject, reference)
        with pytest.raises(PvError):
            paired(1)
        assert check.failure is None


def test_each_gets_arguments_of_its_own() -> None:
    given = floats(1, 2)
    paired, _ = beside(lambda x: x.sum().item(), lambda x: x.zero_().sum().item() + 3.0)
    assert (paired(given), given.tolist()) == (3.0, [1.0, 2.0])
    seen: list[bool] = []
    paired, _ = beside(lambda x: 1, lambda x: seen.append(x.requires_grad) or 1)
    paired(floats(1).requires_grad_())
    assert seen == [False]
