"""A counterexample is printed as code: what is pasted makes the same bits again."""

from __future__ import annotations

import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pv.falsify.encode import encode, fingerprint
from pv.report.paste import LONGEST, assignments, expression

DTYPES = ("float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")


def pasted(value: object) -> object:
    return eval(expression(encode(value)), {"torch": torch})  # noqa: S307 -- this is what a person does with it


def is_same(left: object, right: object) -> bool:
    return fingerprint({"it": left}) == fingerprint({"it": right})


@st.composite
def tensors_of_any_bits(draw: st.DrawFn) -> torch.Tensor:
    dtype = getattr(torch, draw(st.sampled_from(DTYPES)))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    count = torch.Size(shape).numel()
    if dtype is torch.bool:
        return torch.tensor(draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=dtype).reshape(shape)
    size = torch.empty((), dtype=dtype).element_size()
    raw = draw(st.binary(min_size=size * count, max_size=size * count))
    return (
        torch.tensor(list(raw), dtype=torch.uint8).view(dtype).reshape(shape)
        if count
        else torch.empty(shape, dtype=dtype)
    )


@st.composite
def floats_of_every_kind(draw: st.DrawFn) -> torch.Tensor:
    dtype = getattr(torch, draw(st.sampled_from(DTYPES[:4])))
    info = torch.finfo(dtype)
    special = [
        0.0,
        -0.0,
        float("nan"),
        float("inf"),
        -float("inf"),
        info.max,
        info.min,
        info.tiny,
        info.tiny * info.eps,
    ]
    number = st.sampled_from(special) | st.floats(-1e4, 1e4)
    return torch.tensor(draw(st.lists(number, min_size=1, max_size=6)), dtype=torch.float64).to(dtype)


@settings(max_examples=200, deadline=None)
@given(tensors_of_any_bits() | floats_of_every_kind())
@example(torch.full((2,), torch.finfo(torch.float32).max))
@example(torch.empty((0, 3)))
def test_the_pasted_expression_is_the_tensor_bit_for_bit(value: torch.Tensor) -> None:
    assert is_same(pasted(value), value)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
))  # fmt: skip
def test_plain_values_come_back_too(value: object) -> None:
    assert repr(pasted(value)) == repr(value)


def test_the_comparison_of_these_tests_tells_bits_apart() -> None:
    assert not is_same(torch.tensor(0.0), torch.tensor(-0.0))
    assert not is_same(torch.tensor([1]), torch.tensor(1))
    assert not is_same(torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64))


def test_float32_is_written_with_as_few_digits_as_read_back() -> None:
    assert assignments({"x": encode(torch.tensor([0.1, 2.0])), "n": encode(3)}) == [
        "x = torch.tensor([0.1, 2.0], dtype=torch.float32)",
        "n = 3",
    ]


def test_equal_values_are_written_once() -> None:
    assert expression(encode(torch.zeros(2, 3))) == "torch.full((2, 3), 0.0, dtype=torch.float32)"


def test_of_a_long_tensor_only_the_size_is_said() -> None:
    longest = expression(encode(torch.arange(LONGEST)))
    assert longest.startswith("torch.tensor([0, 1, ")
    longer = expression(encode(torch.arange(LONGEST + 1)))
    assert longer == f"...  # a int64 tensor of shape [{LONGEST + 1}]: too long to print"
