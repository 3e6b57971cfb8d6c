"""Faults of an output: what each makes of tensors, arrays and plain values, and where it has nothing to change."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import torch

from pv.mutants.output import OUTPUT_FAULTS, damage

SQUARE = [[1.0, 2.0], [3.0, 4.0]]
Pair = namedtuple("Pair", ["first", "second"])

# fault, what it damages, what comes out, what it leaves alone
EXAMPLES: list[tuple[str, Any, Any, Any]] = [
    ("roll", SQUARE, [[2.0, 1.0], [4.0, 3.0]], [[1.0, 1.0]]),
    ("swap-rows", [[1.0], [2.0], [3.0]], [[2.0], [1.0], [3.0]], [[1.0, 2.0]]),
    ("transpose", SQUARE, [[1.0, 3.0], [2.0, 4.0]], [[1.0, 2.0]]),
    ("zero-channel", SQUARE, [[0.0, 2.0], [0.0, 4.0]], [[0.0, 2.0]]),
    ("scale-few", [1.0, -2.0], [1.5, -3.0], [0.0, 0.0]),
    ("scale-many", [1.0, -2.0], [5.0, -10.0], [0.0, 0.0]),
    ("raise-one", SQUARE, [[2.0, 2.0], [3.0, 4.0]], [[float("nan")]]),
    ("negate", [1.0, 0.0, -2.0], [-1.0, 0.0, 2.0], [0.0]),
    ("next", [True, False], [False, True], [1.0, 2.0]),
]
PLAIN: list[tuple[str, Any, Any, Any]] = [
    ("scale-few", 2.0, 3.0, 2),
    ("negate", 3, -3, "3"),
    ("next", 3, 4, 3.5 * float("nan")),
    ("next", True, False, "x"),
    ("drop-last", "abc", "ab", ""),
    ("drop-last", [1, 2], [1], (1, 2)),
    ("reverse", "abc", "cba", "aba"),
    ("reverse", (1, "a"), ("a", 1), (1, 1)),
    ("next", [1, [2, True]], [2, [3, False]], ["a"]),
    ("next", {"a": 1, "b": "x"}, {"a": 2, "b": "x"}, {}),
    ("next", Pair(1, "a"), Pair(2, "a"), Pair("a", "b")),
]
TOLERANCE = 0.125


def fault(name: str) -> Any:
    (found,) = [fault for fault in OUTPUT_FAULTS if fault.name == name]
    return found


@pytest.mark.parametrize("library", [torch.tensor, np.array])
@pytest.mark.parametrize(("name", "value", "expected", "untouched"), EXAMPLES)
def test_a_fault_damages_tensors_and_arrays_alike(
    library: Any, name: str, value: Any, expected: Any, untouched: Any
) -> None:
    output = library(value)
    wrong = damage(fault(name), output, TOLERANCE)
    assert (type(wrong), wrong.dtype, wrong.shape) == (type(output), output.dtype, output.shape)
    assert wrong.tolist() == expected
    assert output.tolist() == value
    assert damage(fault(name), library(untouched), TOLERANCE) is None


@pytest.mark.parametrize(("name", "value", "expected", "untouched"), PLAIN)
def test_a_fault_damages_plain_values(name: str, value: Any, expected: Any, untouched: Any) -> None:
    wrong = damage(fault(name), value, TOLERANCE)
    assert (type(wrong), wrong) == (type(value), expected)
    assert damage(fault(name), untouched, TOLERANCE) is None


def test_every_fault_has_an_example() -> None:
    assert {fault.name for fault in OUTPUT_FAULTS} == {name for name, *_ in EXAMPLES + PLAIN}


@pytest.mark.parametrize(
    "output", [torch.tensor(2.0), torch.ones(0), torch.ones(2, 0), np.float32(2.0), np.ones((0, 3)), None]
)
@pytest.mark.parametrize("found", OUTPUT_FAULTS, ids=lambda found: found.name)
def test_an_output_without_axes_or_entries_is_damaged_or_left_alone(found: Any, output: Any) -> None:
    wrong = damage(found, output, TOLERANCE)
    assert wrong is None or (wrong.shape == output.shape and bool(wrong != output))


def test_where_the_tolerance_is_zero_faults_of_its_size_have_no_effect() -> None:
    sized = [found.name for found in OUTPUT_FAULTS if damage(found, torch.tensor(SQUARE), 0.0) is None]
    assert sized == ["scale-few", "scale-many", "raise-one", "next", "drop-last", "reverse"]


def test_a_tuple_of_tensors_is_damaged_in_every_part() -> None:
    one, two = damage(fault("negate"), (torch.ones(2), torch.ones(3)), TOLERANCE)
    assert (one.tolist(), two.tolist()) == ([-1.0] * 2, [-1.0] * 3)
    back = damage(fault("reverse"), (torch.ones(2), torch.ones(3)), TOLERANCE)
    assert [len(part) for part in back] == [3, 2]


def test_gradients_pass_through_a_fault() -> None:
    for found in OUTPUT_FAULTS:
        x = torch.tensor(SQUARE, requires_grad=True)
        wrong = damage(found, x * 3, TOLERANCE)
        if wrong is not None:
            (gradient,) = torch.autograd.grad(wrong.sum(), x)
            assert bool((gradient != 0).any()), found.name
