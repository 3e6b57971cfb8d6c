"""Whether arguments that a command chose are a case of the equation."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pv.contract.model import Dimension, Equation, Range, ValueSpec
from pv.falsify.domain import why_outside
from pv.finding import Place

HERE = Place("c-v1.yaml")
EQUATION = Equation("f", HERE, "", "", "", dimensions=(Dimension("n", HERE, 1, 4),), arguments=(
    ValueSpec("x", HERE, "tensor", dtypes=("float32", "float64"), shape=("n", 2), range=Range(-1, 1)),
    ValueSpec("y", HERE, "tensor", like="x", shape=("n", "k"), nan=True, infinity=True),
    ValueSpec("i", HERE, "tensor", dtypes=("int64",), shape=("n",), range=Range(0, below="k")),
    ValueSpec("p", HERE, "tensor", like="x", shape=(3,), constraint="simplex"),
    ValueSpec("k", HERE, "integer", range=Range(1, 9)),
    ValueSpec("r", HERE, "real", range=Range(0, below=1)),
    ValueSpec("t", HERE, "text", alphabet="ab", range=Range(0, 3)),
    ValueSpec("u", HERE, "text", alphabet="ab", strata=("foreign",)),
))  # fmt: skip


def given(**changes: Any) -> dict[str, Any]:
    values = {
        "x": torch.zeros(2, 2), "y": torch.full((2, 5), float("nan")), "i": torch.tensor([0, 4]),
        "p": torch.tensor([0.1, 0.2, 0.7]), "k": 5, "r": 0.5, "t": "ab", "u": "A b",
    }  # fmt: skip
    return {**values, **changes}


def test_a_case_is_inside() -> None:
    assert why_outside(EQUATION, given()) == ""
    assert why_outside(EQUATION, given(x=torch.ones(2, 2, requires_grad=True))) == ""


@pytest.mark.parametrize(("changes", "why"), [
    ({"x": [0.0]}, "x is [0.0], no tensor"),
    ({"x": torch.zeros(2, 2).to_sparse()}, "x is a tensor, no tensor"),
    ({"x": torch.zeros(2, 2, dtype=torch.float16)}, "x is float16, not float32 or float64"),
    ({"y": torch.zeros(2, 5, dtype=torch.float64)}, "y is float64, not float32"),
    ({"x": torch.zeros(1, 2, 2)}, "x has the shape [1, 2, 2], not ['n', 2]"),
    ({"x": torch.zeros(5, 2)}, "x has the shape [5, 2]: n is 5, not 1 … 4"),
    ({"x": torch.zeros(2, 3)}, "x has the shape [2, 3]: 2 is 3, not 2 … 2"),
    ({"y": torch.zeros(3, 5)}, "y has the shape [3, 5]: n is 3, not 2"),
    ({"y": torch.zeros(2, 4)}, "y has the shape [2, 4]: k is 4, not 5"),
    ({"x": torch.full((2, 2), 1.5)}, "x has 1.5, above 1"),
    ({"x": torch.full((2, 2), -1.5)}, "x has -1.5, below -1"),
    ({"x": torch.full((2, 2), float("nan"))}, "x is not finite"),
    ({"x": torch.full((2, 2), float("inf"))}, "x is not finite"),
    ({"i": torch.tensor([0, 5])}, "i has 5, not below 5"),
    ({"p": torch.tensor([0.5, 0.5, 0.1])}, "p has a row whose sum is off 1 by 0.1"),
    ({"p": torch.tensor([1.5, -0.5, 0.0])}, "p has a negative entry"),
    ({"k": True}, "k is True, no integer"),
    ({"k": 5.0}, "k is 5.0, no integer"),
    ({"r": 1.0}, "r has 1.0, not below 1"),
    ({"r": 0}, "r is 0, no real"),
    ({"r": float("nan")}, "r is not finite"),
    ({"t": b"ab"}, "t is b'ab', no text"),
    ({"t": "abab"}, "t has 4 characters"),
    ({"t": "aB"}, "t has 'B', which is not of its alphabet"),
])  # fmt: skip
def test_what_is_outside_is_named(changes: dict[str, Any], why: str) -> None:
    assert why_outside(EQUATION, given(**changes)) == why


def test_what_is_too_large_is_not_captured() -> None:
    large = Equation("f", HERE, "", "", "", arguments=(ValueSpec("x", HERE, "tensor", dtypes=("int8",), shape=("n",)),))
    assert why_outside(large, {"x": torch.zeros(2**20, dtype=torch.int8)}) == ""
    assert why_outside(large, {"x": torch.zeros(2**20 + 1, dtype=torch.int8)}) == (
        "x has 1,048,577 elements; 1,048,576 are the most that is captured"
    )
