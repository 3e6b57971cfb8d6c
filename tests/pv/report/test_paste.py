"""A counterexample is printed as code: what is pasted makes the same bits again, and makes the call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from held_values import cases, layout, tensors
from hypothesis import HealthCheck, example, given, settings

from pv.contract.model import Binding
from pv.falsify.casefile import write_case
from pv.falsify.encode import decode, encode, fingerprint
from pv.finding import Place
from pv.report.paste import LONGEST, expression, script

TEST = "FALSIFY-D-001"
PLAIN = Binding(
    "double-v1", "double", "plain", Place("contracts/binding.yaml"), "subject", True, "kernels.double:double"
)


def written(value: Any) -> str:
    return expression(decode(encode(value), lambda bits: bits))


def pasted(value: Any) -> Any:
    return eval(written(value), {"torch": torch})  # noqa: S307 -- this is what a person does with it


def is_same(left: Any, right: Any) -> bool:
    return (fingerprint({"it": left}), layout(left)) == (fingerprint({"it": right}), layout(right))


def lines_of(arguments: dict[str, Any], binding: Binding | None = None, order: tuple[str, ...] = ()) -> list[str]:
    return script({name: encode(value) for name, value in arguments.items()}, "kept.json", binding, order)


def run(lines: list[str]) -> dict[str, Any]:
    """What the names stand for once `lines` are pasted."""
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)  # noqa: S102 -- as above
    return names


@settings(max_examples=300, deadline=None)
@given(tensors().filter(lambda tensor: 0 not in tensor.stride()))
@example(torch.full((2,), torch.finfo(torch.float32).max))
@example(torch.empty((0, 3)))
@example(torch.tensor(-0.0, dtype=torch.bfloat16))
@example(torch.tensor([2], dtype=torch.uint8).view(torch.bool))
@example(torch.tensor([2**64 - 1], dtype=torch.uint64))
def test_the_pasted_expression_is_the_tensor_bit_for_bit(value: torch.Tensor) -> None:
    assert is_same(pasted(value), value)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases())
@example({"x": torch.zeros(LONGEST + 1), "n": 3})
@example({"x": torch.ones(1).expand(3), "torch": 1})
@example({"weights": [torch.zeros(300), torch.ones(300)], "class": None})
def test_what_is_pasted_makes_the_arguments_again_from_the_file_where_they_are_long(
    tmp_path: Path, arguments: dict[str, Any]
) -> None:
    encoded = {name: encode(value) for name, value in arguments.items()}
    about = dict.fromkeys(("contract", "equation", "stratum"), "")
    empty = dict.fromkeys(("invariant", "subject", "failure"))
    case = {**about, **empty, "test": TEST, "digest": fingerprint(arguments).hex(), "arguments": encoded}
    file = write_case(tmp_path / TEST, case).as_posix()
    names = run(script(encoded, file, None, ()))
    made = names["case"] if "case" in names else {name: names[name] for name in arguments}
    assert (list(made), is_same(made, arguments)) == (list(arguments), True)


def test_the_comparison_of_these_tests_tells_bits_apart() -> None:
    assert not is_same(torch.tensor(0.0), torch.tensor(-0.0))
    assert not is_same(torch.tensor([1]), torch.tensor(1))
    assert not is_same(torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64))
    assert not is_same(torch.ones(2, 2), torch.ones(2, 2).t())


def test_float32_is_written_with_as_few_digits_as_read_back() -> None:
    assert lines_of({"x": torch.tensor([0.1, 2.0]), "n": 3}) == [
        "import torch",
        "x = torch.tensor([0.1, 2.0], dtype=torch.float32)",
        "n = 3",
    ]


def test_equal_values_are_written_once() -> None:
    assert written(torch.zeros(2, 3)) == "torch.full((2, 3), 0.0, dtype=torch.float32)"


def test_a_long_tensor_is_loaded_from_the_file() -> None:
    assert lines_of({"x": torch.arange(LONGEST)})[1].startswith("x = torch.tensor([0, 1, ")
    assert lines_of({"x": torch.arange(LONGEST + 1)}) == [
        "from pv import load_case",
        "x = load_case('kept.json')['x']",
    ]


# --- the call


@pytest.mark.parametrize(("changes", "lines"), [
    ({}, ["from kernels.double import double", "n = 1", "x = 2", "double(x, n)"]),
    ({"target": "kernels:Double.twice"}, ["from kernels import Double", "n = 1", "x = 2", "Double.twice(x, n)"]),
    ({"target": "kernels:Double.twice", "adapter": "method"},
     ["import torch", "from kernels import Double", "n = 1", "x = 2", "torch.manual_seed(0)", "Double().twice(x, n)"]),
    ({"target": "kernels:Double.twice", "adapter": "method", "factory": "made:make"},
     ["import torch", "from made import make", "n = 1", "x = 2", "torch.manual_seed(0)", "make().twice(x, n)"]),
    ({"target": "kernels:Double", "adapter": "module"},
     ["import torch", "from kernels import Double", "n = 1", "x = 2", "torch.manual_seed(0)", "Double()(x, n)"]),
    ({"target": "", "adapter": "command", "command": ("./double",)}, ["n = 1", "x = 2"]),
], ids=range(6))  # fmt: skip
def test_the_call_reaches_the_code_as_the_binding_says(changes: dict[str, Any], lines: list[str]) -> None:
    assert lines_of({"n": 1, "x": 2}, PLAIN._replace(**changes), ("x", "n")) == lines


def test_a_numpy_function_gets_arrays() -> None:
    lines = lines_of({"x": torch.tensor(1), "n": 2}, PLAIN._replace(adapter="numpy"), ("x", "n"))
    assert lines[-1] == "double(x.numpy(force=True), n)"


def test_there_is_no_call_where_the_case_has_other_arguments() -> None:
    assert lines_of({"text": "abc"}, PLAIN, ("x",)) == ["text = 'abc'"]


@pytest.mark.parametrize("name", ["double", "torch", "float", "class", "a.b"])
def test_a_name_that_would_hide_what_the_lines_use_is_not_assigned_to(name: str) -> None:
    assert lines_of({name: 1}, PLAIN, (name,)) == [
        "from pv import load_case",
        "from kernels.double import double",
        "case = load_case('kept.json')",
        "double(*case.values())",
    ]


@pytest.mark.parametrize("arguments", [None, {"x": {"unknown": 1}}])
def test_arguments_that_only_the_file_holds_are_loaded(arguments: Any) -> None:
    assert script(arguments, "kept.json", PLAIN, ["x"])[2:] == [
        "case = load_case('kept.json')",
        "double(*case.values())",
    ]


def test_what_is_pasted_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pasted_kernels.py").write_text(
        "def double(x, n):\n    global seen\n    seen = x, n\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    arguments = {"x": torch.tensor([float("nan"), -0.0, float("inf")]), "n": (1, float("-inf"))}
    run(lines_of(arguments, PLAIN._replace(target="pasted_kernels:double"), ("x", "n")))
    assert is_same(list(sys.modules.pop("pasted_kernels").seen), list(arguments.values()))
