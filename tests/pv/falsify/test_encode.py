"""What a case holds is kept to the last bit, comes back as it was, and is told from everything else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict, namedtuple
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import pytest
import torch
from held_values import layout, tensors, values
from hypothesis import example, given, settings

from pv.digest import canonical
from pv.falsify.encode import ITEM_SIZES, Bits, bits_of, decode, encode, fingerprint, tensor_of

Point = namedtuple("Point", "x y")
Small = IntEnum("Small", "ONE TWO")


def again(value: Any) -> Any:
    """`value` after a journey through a JSON file."""
    return decode(json.loads(canonical(encode(value))))


def print_of(value: Any) -> str:
    return fingerprint({"it": value}).hex()


@settings(max_examples=400, deadline=None)
@given(values())
@example(torch.tensor(0.5, dtype=torch.bfloat16))
@example(torch.empty((0, 3), dtype=torch.complex128, requires_grad=True))
@example("\ud800\udc00")
@example([True, 1, 1.0, -0.0, float("nan"), None, b"", "", 2**70])
def test_a_value_comes_back_with_every_bit_and_its_layout(value: Any) -> None:
    back = again(value)
    assert (print_of(back), layout(back)) == (print_of(value), layout(value))
    assert encode(back) == encode(value)


@settings(max_examples=100, deadline=None)
@given(values())
def test_bits_without_torch_have_the_fingerprint_of_the_tensor(value: Any) -> None:
    assert print_of(decode(encode(value), lambda bits: bits)) == print_of(value)


@settings(max_examples=100, deadline=None)
@given(tensors())
def test_a_tensor_that_comes_back_shares_no_memory_and_can_be_written(tensor: torch.Tensor) -> None:
    bits = bits_of(tensor)
    first, second = tensor_of(bits), tensor_of(bits)
    if tensor.numel():
        storage = first.untyped_storage()
        storage[0] = storage[0] ^ 1
        assert print_of(second) == print_of(tensor)


def test_this_test_tells_apart_what_is_not_the_same() -> None:
    different = [
        torch.tensor(0.0), torch.tensor(-0.0), torch.tensor([0.0]), torch.tensor(0.0, dtype=torch.float64), 0, 0.0, -0.0,
        False, "0", b"0", None, [], (), {}, [0], (0,), {0: 0}, float("nan"), float("inf"), 0j, "\U00010000", "\ud800\udc00",
        torch.tensor([2143289344], dtype=torch.int32).view(torch.float32),
        torch.tensor([2143289345], dtype=torch.int32).view(torch.float32),
    ]  # fmt: skip
    assert len({print_of(value) for value in different}) == len(different)
    assert layout(torch.ones(2, 2).t()) != layout(torch.ones(2, 2))
    assert layout(torch.ones(2)) != layout(torch.ones(2, requires_grad=True))


def test_every_dtype_that_a_case_can_hold_is_one_of_torch_and_has_its_size() -> None:
    sizes = {name: torch.empty((), dtype=getattr(torch, name)).element_size() for name in ITEM_SIZES}
    assert sizes == dict(ITEM_SIZES)


def test_lazy_conjugates_and_negatives_are_kept_as_they_are_seen() -> None:
    turned = torch.tensor([1 + 2j, 3 - 4j]).conj()
    assert print_of(turned) == print_of(turned.resolve_conj().clone())
    assert print_of(turned.imag) == print_of(torch.tensor([-2.0, 4.0]))


@pytest.mark.parametrize(("value", "back"), [
    (torch.Size([2, 3]), (2, 3)),
    (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    (MappingProxyType({"a": 1}), {"a": 1}),
    (torch.nn.Parameter(torch.ones(1)).shape, (1,)),
])  # fmt: skip
def test_a_near_relative_comes_back_as_the_plain_kind(value: Any, back: Any) -> None:
    assert (again(value), type(again(value))) == (back, type(back))
    assert print_of(back) == print_of(value)


@pytest.mark.parametrize("value", [
    object(), {1, 2}, Point(1, 2), Small.ONE, [lambda: 0], torch.float32, torch.ones(2).to_sparse(),
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_what_would_not_come_back_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="a case cannot hold"):
        encode(value)


FOUR = {"tensor": "float32", "shape": [1], "data": "AAAAAA=="}


@pytest.mark.parametrize("value", [
    {}, {"what": 1}, [1], {"float": 1.0}, {"float": "one"}, {"list": {}}, {"mapping": [[1]]}, {"mapping": [[{"list": []}, 1]]},
    {"bytes": "é"}, {"bytes": "A"}, {"surrogates": "f"}, {"surrogates": "ff"}, {"complex": ["0x0.0p+0"]},
    {**FOUR, "shape": [2]}, {**FOUR, "shape": [1, -1]}, {**FOUR, "strides": [1, 1]}, {**FOUR, "tensor": "float33"},
    {**FOUR, "tensor": "Tensor"}, {**FOUR, "data": "AAAA"}, {**FOUR, "data": "not base64"},
], ids=repr)  # fmt: skip
def test_json_that_is_no_value_is_refused(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode(value)
    assert decode(FOUR, lambda bits: bits) == Bits("float32", (1,), bytes(4))


PROBE = """
import sys
from pv.falsify.encode import Bits, decode, encode, fingerprint
import pv.falsify.casefile, pv.falsify.kept, pv.source.pins, pv.report.paste
value = {"tensor": "float32", "shape": [1], "data": "AAAAAA=="}
assert fingerprint({"x": decode(value, lambda bits: bits)})
print([name for name in ("torch", "numpy", "hypothesis") if name in sys.modules])
decode(value)
print([name for name in ("torch", "hypothesis") if name in sys.modules])
"""


def test_torch_is_imported_only_where_a_tensor_is_made() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['torch']"]
