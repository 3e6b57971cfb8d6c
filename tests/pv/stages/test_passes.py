"""A capture is of one forward pass of one model, whatever else runs in its block."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pv.stages.capture import capture
from pv.stages.map import Stage, StageMap
from pv.tensors.place import Place

ONES, TWOS = torch.ones(1, 2, 4), torch.full((1, 2, 4), 2.0)


class Block(nn.Module):
    def __init__(self, index: int) -> None:
        super().__init__()
        self.layer_idx = index
        self.up, self.gate = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return plus_one(self, self.up(x) + self.gate(x))


class Model(nn.Module):
    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layers = nn.ModuleList([Block(0), Block(1)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return doubled(x)


def plus_one(module: Block, value: Tensor) -> Tensor:
    steps = value + 1
    return steps * 1


def doubled(x: Tensor) -> Tensor:
    both = x + x
    return both * 1


def stage(name: str, scope: str = "layer", /, **hook: Any) -> Stage:
    return Stage(name, "mlp", ("n", "E"), hook, scope=scope)


TOGETHER = ["layers.{layer}.up", "layers.{layer}.gate"]
STAGES = StageMap("block", "block.yaml", {"n": "position", "E": "width"}, layers="layers", stages=(
    stage("up", module="layers.{layer}.up"),
    stage("both", after_bias=TOGETHER),
    stage("first", local=f"{__name__}:plus_one", name="steps", layer="module.layer_idx", nth=1),
    stage("steps", local=f"{__name__}:plus_one", name="steps", layer="module.layer_idx"),
    stage("output", "model", module=""),
    stage("doubled", "model", local=f"{__name__}:doubled", name="both"),
))  # fmt: skip


def values(model: nn.Module, x: Tensor = ONES) -> dict[Place, Any]:
    """What a capture of `model` by itself has."""
    with torch.no_grad(), capture(model, stage_map=STAGES) as seen:
        model(x)
    assert seen.missing == ()
    return seen.values


def same(one: dict[Place, Any], other: dict[Place, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[place], other[place]) for place in one)


def raising(*_: object) -> None:
    raise RuntimeError("in the middle")


def test_what_another_model_of_the_same_class_computes_is_not_recorded() -> None:
    own, other = Model(1), Model(2)
    with torch.no_grad(), capture(own, stage_map=STAGES) as seen:
        other(ONES)
        assert seen.values == {}
        own(ONES)
    assert same(seen.values, values(own))


def test_captures_within_one_another_see_their_own_models() -> None:
    own, other = Model(1), Model(2)
    with torch.no_grad(), capture(own, stage_map=STAGES) as outer, capture(other, stage_map=STAGES) as inner:
        own(ONES)
        other(ONES)
    assert same(outer.values, values(own))
    assert same(inner.values, values(other))
    assert not same(outer.values, inner.values)


def test_captures_of_one_model_and_of_a_part_of_it_see_both() -> None:
    own = Model(1)
    part = StageMap(
        "part", "part.yaml", STAGES.axes, (stage("s", "model", local=f"{__name__}:plus_one", name="value"),)
    )
    for order in ((0, 1), (1, 0)):
        watched = [(own, STAGES), (own.layers[1], part)]
        (one, its), (two, others) = (watched[at] for at in order)
        with torch.no_grad(), capture(one, stage_map=its) as first, capture(two, stage_map=others) as second:
            own(ONES)
        whole, within = (first, second) if order == (0, 1) else (second, first)
        assert same(whole.values, values(own))
        assert torch.equal(within[Place("s", None)], whole[Place("first", 1)] - 1)


def test_a_pass_that_raised_is_dropped_and_the_next_one_kept_whole() -> None:
    own = Model(1)
    with torch.no_grad(), capture(own, stage_map=STAGES) as seen:
        broken = own.layers[1].gate.register_forward_hook(raising, prepend=True)
        with pytest.raises(RuntimeError, match="in the middle"):
            own(TWOS)
        assert seen.values == {}
        broken.remove()
        own(ONES)
        own(TWOS)
    assert same(seen.values, values(own))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_pass_that_was_interrupted_is_dropped_when_the_next_begins(error: type[BaseException]) -> None:
    own = Model(1)

    def interrupted(*_: object) -> None:
        raise error

    with torch.no_grad(), capture(own, stage_map=STAGES) as seen:
        broken = own.layers[1].gate.register_forward_hook(interrupted, prepend=True)
        with suppress(error):
            own(TWOS)
        broken.remove()
        own(ONES)
    assert same(seen.values, values(own))


def test_a_pass_that_ends_well_is_kept_while_an_exception_is_handled() -> None:
    own = Model(1)
    with torch.no_grad(), capture(own, stage_map=STAGES) as seen:
        try:
            raise ValueError
        except ValueError:
            own(ONES)  # this one ends well
            own(TWOS)
    assert same(seen.values, values(own))


def test_nothing_is_recorded_after_a_pass_not_even_what_it_did_not_come_by() -> None:
    class Either(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.a(x) if x.sum() > 0 else self.b(x)

    own = Either()
    with torch.no_grad(), capture(own) as seen:
        own(ONES)
        own(-ONES)
        own.b(ONES)
    assert [str(place) for place in seen.places] == ["a"]


def test_a_module_that_is_called_by_itself_is_seen_unless_the_pass_comes_by_it() -> None:
    own = Model(1)
    with torch.no_grad(), capture(own, stage_map=STAGES) as seen:
        own.layers[1](TWOS)
        alone = dict(seen.values)
        assert {str(place) for place in alone} == {"layer 1 up", "layer 1 both", "layer 1 first", "layer 1 steps"}
        own(ONES)
    assert same(seen.values, values(own))
    assert not any(torch.equal(alone[place], seen[place]) for place in alone)


def test_no_hook_and_no_trace_function_stays_after_captures_within_one_another() -> None:
    own, before = Model(1), sys.gettrace()
    with capture(own, stage_map=STAGES), capture(own, stage_map=STAGES) as seen:
        own(ONES)
    assert seen.missing == ()
    assert sys.gettrace() is before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in own.modules())


def test_a_pass_that_ctrl_c_ends_is_none() -> None:
    own = Model(1)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    own.layers[1].register_forward_pre_hook(interrupted)
    with suppress(KeyboardInterrupt), torch.no_grad(), capture(own, stage_map=STAGES) as seen:
        own(ONES)
    assert seen.values == {}


def test_parts_of_two_calls_do_not_make_one_stage() -> None:
    block, place = Model(1), Place("both", 0)
    up, gate = block.layers[0].up, block.layers[0].gate
    with torch.no_grad(), capture(block, stage_map=STAGES, stages=["both"]) as seen:
        up(ONES)
        up(TWOS)
        gate(TWOS)
        assert torch.equal(seen[place], torch.cat([up(TWOS), gate(TWOS)], -1)[0])
